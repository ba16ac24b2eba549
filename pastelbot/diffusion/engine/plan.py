"""Plans: what a request means in numbers, checked before anything is painted."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from pastelbot.choices import LATENT_UPSCALERS, MASK_FILLINGS, RESIZE_MODES
from pastelbot.diffusion.image.hires import check_upscaler
from pastelbot.diffusion.sampling.registry import PassPlan, plan_first_pass, plan_img2img, plan_second_pass, resolve
from pastelbot.diffusion.sampling.schedules import ModelSigmas
from pastelbot.errors import LimitError
from pastelbot.records import GenerationRequest, HiresFix, InitImage
from pastelbot.rules.hires import CELL, HiresSize, hires_size

_MAX_STEPS = 1000  # the timesteps that a model knows


@dataclass(frozen=True, kw_only=True)
class HiresPlan:
    """The second pass of a request."""

    fix: HiresFix
    size: HiresSize
    run: PassPlan
    cfg_scale: float


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a request means in numbers: the passes of each of its pictures."""

    request: GenerationRequest
    first: PassPlan
    hires: HiresPlan | None

    @property
    def calls(self) -> int:
        """Return how often each picture calls the denoiser."""
        return self.first.calls + (self.hires.run.calls if self.hires else 0)

    @property
    def upscalers(self) -> set[str]:
        """Return the names of the upscalers that are used."""
        init = self.request.init
        return {*([self.hires.fix.upscaler] if self.hires else []), *([init.upscaler] if init else [])}

    @property
    def tiles(self) -> bool:
        """Return whether the pictures' edges continue each other."""
        return self.request.sampling.tiling

    @property
    def picture_size(self) -> tuple[int, int]:
        """Return the finished pictures' (width, height)."""
        return self.hires.size.picture if self.hires else (self.request.width, self.request.height)

    def of_picture(self, index: int) -> "Plan":
        """Return the plan with the prompts of its picture number `index`."""
        return replace(self, request=self.request.of_picture(index))


def make_plan(request: GenerationRequest, sigmas: ModelSigmas, upscaler_models: Collection[str] = ()) -> Plan:
    """Check a request and plan its passes; raises a LimitError that says what is allowed.

    `upscaler_models` are the names of the upscalers that are there besides the usual ones.
    """
    if request.width < CELL or request.height < CELL:
        raise LimitError(f"A picture of {request.width}x{request.height} is too small; the least is {CELL}x{CELL}.")
    if not 1 <= request.steps <= _MAX_STEPS:
        raise LimitError(f"{request.steps} steps are not possible; ask for 1 to {_MAX_STEPS}.")
    if request.count < 1:
        raise LimitError(f"{request.count} pictures are not possible; ask for at least 1.")
    if request.init is not None:
        _check_init(request, request.init, upscaler_models)
    first = _plan_first(request, sigmas)
    if request.init is None:  # the webui's DDIM returns a picture as it was noised where there is nothing to walk
        _check_calls(first, request.steps)
    return Plan(request=request, first=first, hires=_plan_hires(request, sigmas, upscaler_models))


def _plan_first(request: GenerationRequest, sigmas: ModelSigmas) -> PassPlan:
    info, schedule = resolve(request.sampler, request.schedule)
    init = request.init
    if init is None:
        return plan_first_pass(info, schedule, sigmas, request.steps, request.sampling)
    if init.exact_steps:
        return plan_second_pass(info, schedule, sigmas, request.steps, init.denoising_strength, request.sampling)
    return plan_img2img(info, schedule, sigmas, request.steps, init.denoising_strength, request.sampling)


def _check_init(request: GenerationRequest, init: InitImage, models: Collection[str]) -> None:
    if request.hires is not None:
        raise LimitError("A picture to start from and the hires fix do not go together.")
    if init.resize_mode not in RESIZE_MODES:
        raise LimitError(f"The resize mode {init.resize_mode!r} is unknown; there are {', '.join(RESIZE_MODES)}.")
    if not 0 <= init.denoising_strength <= 1:
        raise LimitError(f"A denoising strength of {init.denoising_strength} is not possible; ask for 0 to 1.")
    if init.exact_steps and init.denoising_strength == 0:
        raise LimitError("With a denoising strength of 0 there are no exact steps to paint; ask for 0.01 to 1.")
    if init.upscaler in LATENT_UPSCALERS:
        raise LimitError(f"The upscaler {init.upscaler!r} is for latents; a picture to start from needs another.")
    check_upscaler(init.upscaler, models)
    if init.mask is not None and init.mask.filling not in MASK_FILLINGS:
        raise LimitError(f"The masked content {init.mask.filling!r} is unknown; there are {', '.join(MASK_FILLINGS)}.")


def _check_calls(run: PassPlan, steps: int) -> None:
    if run.calls < 1:
        raise LimitError(f"{run.info.name} paints nothing in {steps} steps; ask for more.")


def _plan_hires(request: GenerationRequest, sigmas: ModelSigmas, models: Collection[str]) -> HiresPlan | None:
    fix = request.hires
    if fix is None:
        return None
    check_upscaler(fix.upscaler, models)
    if not 0 < fix.denoising_strength <= 1:
        raise LimitError(f"A denoising strength of {fix.denoising_strength} is not possible; ask for 0.01 to 1.")
    size = hires_size(request.width, request.height, fix)
    if (size.width, size.height) == (request.width, request.height):
        return None  # nothing to enlarge: the webui leaves the second pass out as well
    info, schedule = resolve(fix.sampler or request.sampler, fix.schedule or request.schedule)
    steps = fix.steps or request.steps
    if not 1 <= steps <= _MAX_STEPS:
        raise LimitError(f"{steps} hires steps are not possible; ask for 1 to {_MAX_STEPS}.")
    run = plan_second_pass(info, schedule, sigmas, steps, fix.denoising_strength, request.sampling)
    _check_calls(run, steps)
    return HiresPlan(
        fix=fix, size=size, run=run, cfg_scale=request.cfg_scale if fix.cfg_scale is None else fix.cfg_scale
    )
