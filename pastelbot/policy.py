"""Pure rules: what may be asked, and who may do what to whose job."""

from pastelbot.config import LimitSettings
from pastelbot.errors import LimitError, NotAllowedError, PromptError
from pastelbot.prompt import check
from pastelbot.records import GenerationRequest, Job

MAX_SEED = 2**32 - 1


def check_request(request: GenerationRequest, limits: LimitSettings) -> None:
    """Raise the RequestError that says what is wrong with the request and what the limit is."""
    _check_prompt(request, limits)
    _check_size("width", request.width, limits.max_side)
    _check_size("height", request.height, limits.max_side)
    _at_most("The number of steps", request.steps, limits.max_steps)
    _at_most("The CFG scale", request.cfg_scale, limits.max_cfg)
    _at_most("The number of pictures", request.count, limits.max_count)
    if request.cfg_scale < 1:
        raise LimitError(f"The CFG scale {request.cfg_scale:g} is below 1: 7 is a good value.")
    if not 0 <= request.seed <= MAX_SEED:
        raise LimitError(f"The seed {request.seed} is outside 0 to {MAX_SEED}.")
    _check_hires(request, limits)


def check_owner(job: Job, user_id: int, *, is_moderator: bool) -> None:
    """Raise NotAllowedError where the job is somebody else's and the person may not manage messages."""
    if job.user_id != user_id and not is_moderator:
        raise NotAllowedError("This is somebody else's picture: its owner and moderators can do that.")


def _check_prompt(request: GenerationRequest, limits: LimitSettings) -> None:
    if not request.prompt.strip():
        raise PromptError("The prompt is empty: write what to paint, for example `1girl, red hair, smile`.")
    hires = request.hires
    _check_text("prompt", request.prompt, limits)
    _check_text("negative prompt", request.negative_prompt, limits, negative=True)
    _check_text("hires prompt", (hires and hires.prompt) or "", limits)
    _check_text("negative hires prompt", (hires and hires.negative_prompt) or "", limits, negative=True)


def _check_text(name: str, text: str, limits: LimitSettings, *, negative: bool = False) -> None:
    if len(text) > limits.max_prompt:
        raise LimitError(
            f"The {name} has {len(text):,} characters; the limit is {limits.max_prompt:,}. Leave something out."
        )
    try:
        check(text, negative=negative)
    except PromptError as error:
        raise PromptError(f"The {name} cannot be read: {error}", position=error.position) from error


def _check_size(name: str, pixels: int, cap: int) -> None:
    if pixels > cap:
        raise LimitError(f"The {name} of {pixels} pixels is over the cap of {cap}: ask for less, or use the hires fix.")
    if pixels < 64 or pixels % 8:
        raise LimitError(f"The {name} of {pixels} pixels does not work: it must be a multiple of 8, 64 to {cap}.")


def _check_hires(request: GenerationRequest, limits: LimitSettings) -> None:
    if request.hires is None:
        return
    scale = request.hires.scale
    width = request.hires.width or round(request.width * scale)
    height = request.hires.height or round(request.height * scale)
    if max(width, height) > limits.max_hires_side:
        raise LimitError(
            f"The hires fix would paint {width}x{height}; the cap is {limits.max_hires_side} a side. "
            "Choose a smaller size, or set hires to False."
        )


def _at_most(name: str, value: float, cap: float) -> None:
    if value > cap:
        raise LimitError(f"{name}, {value:g}, is over the cap of {cap:g}.")
    if value < 1:
        raise LimitError(f"{name}, {value:g}, must be at least 1.")
