"""Cost of a picture: work, the pixels that the network processes, once per step.

Work is counted in whole pixel-steps, so that sums and refunds are exact. Members read it in usual
pictures, those of nothing but the defaults; details and admins have it in megapixel-steps ("MP-steps").
The Pastel-Mix card's picture, 448x640 in 20 steps and then 960x1280 in 20 steps, is 20 x 0.287 + 20 x 1.229 = 30.3
MP-steps. A picture to start from costs a step of the pixels that are encoded, for each picture, and once a pixel-step
for each byte of the file that was handed over, which is decoded, scaled and stored.
"""

from pastelbot.choices import LATENT_RESIZE
from pastelbot.records import GenerationRequest, HiresFix, InitImage
from pastelbot.rules import grids
from pastelbot.rules.hires import hires_size
from pastelbot.rules.samplers import sampler_info

_MILLION = 1_000_000
UNIT = "MP-steps"


def work(request: GenerationRequest) -> int:
    """Return the work of all of a request's pictures, in pixel-steps."""
    upload = request.init.upload if request.init is not None else 0
    return sum(map(_pictures_work, grids.pictures_of(request))) + upload


def _pictures_work(request: GenerationRequest) -> int:
    steps = request.steps if request.init is None else _init_steps(request.steps, request.init)
    one = request.width * request.height * sampler_info(request.sampler).expected_calls(steps)
    if request.hires is not None:
        one += _hires_work(request, request.hires)
    if request.init is not None:
        one += _encoded_pixels(request, request.init)
    return one * request.count


def share_done(request: GenerationRequest, step: int, steps: int) -> float:
    """Return how much of a request's work is done after `step` of the `steps` calls of each picture, 0 to 1.

    A step of the hires pass is more work than one of the first pass. A grid's are taken as equal.
    """
    share = min(1.0, step / steps) if steps else 0.0
    if request.grid is not None or request.hires is None:
        return share
    first = sampler_info(request.sampler).expected_calls(request.steps)
    before = request.width * request.height * first
    second = _hires_work(request, request.hires)
    if not second or steps <= first:
        return share
    step = min(step, steps)
    return (before * min(step, first) / first + second * max(0, step - first) / (steps - first)) / (before + second)


def pictures(request: GenerationRequest) -> int:
    """Return how many pictures are painted for a request."""
    return request.count if request.grid is None else sum(map(pictures, grids.pictures_of(request)))


def pixel_steps(megapixel_steps: float) -> int:
    """Return megapixel-steps as work."""
    return round(megapixel_steps * _MILLION)


def _in_megapixels(amount: int) -> float:
    """Return work in megapixel-steps."""
    return amount / _MILLION


def text(amount: int) -> str:
    """Format work with its unit: `30.3 MP-steps`."""
    return f"{number(amount)} {UNIT}"


def in_pictures(amount: int, usual: int, *, up: bool = False) -> str:
    """Format work as pictures of `usual` work: `1.4 usual pictures`. See `pictures_number` for the rounding."""
    value = pictures_number(amount, usual, up=up)
    return f"{value} usual picture{'s' * (value != '1')}"


def pictures_number(amount: int, usual: int, *, up: bool = False) -> str:
    """Format work as a number of pictures of `usual` work: `1,200`, `1.4` or `0.05`.

    It is rounded down, as what is left has to be, or `up`, as a price has to be: what is too dear never reads as if it
    could be paid.
    """
    parts = 1 if amount >= 100 * usual else 10 if 10 * amount >= usual else 100
    whole = -(-amount * parts // usual) if up else amount * parts // usual
    return f"{whole // parts:,}" if whole % parts == 0 else f"{whole / parts:g}"


def number(amount: int) -> str:
    """Format work without its unit: `3,000`, `30.3` or `0.25`."""
    value = _in_megapixels(amount)
    if value == 0 or abs(value) >= 99.95:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 0.95 else f"{value:.2g}"


def _hires_work(request: GenerationRequest, hires: HiresFix) -> int:
    size = hires_size(request.width, request.height, hires)
    if (size.width, size.height) == (request.width, request.height):
        return 0  # nothing to enlarge, so there is no second pass
    width, height = size.picture
    return width * height * sampler_info(hires.sampler or request.sampler).expected_calls(hires.steps or request.steps)


def _encoded_pixels(request: GenerationRequest, init: InitImage) -> int:
    """Return the pixels that the VAE encodes: those that are painted, or the picture's own before a latent resize."""
    own = init.width * init.height if init.resize_mode == LATENT_RESIZE else 0
    return own or request.width * request.height


def _init_steps(steps: int, init: InitImage) -> int:
    """Return the img2img steps: the strength's share and one more, as in the webui, or exactly as many."""
    if init.exact_steps:
        return steps
    return int(min(init.denoising_strength, 0.999) * steps) + 1
