"""Picture pipeline: one picture from first noise to final latents, as a generator of denoise requests.

    denoised = yield request

Both passes are one generator: between them the latents are upscaled, and the engine that answers sees nothing of it but
another size.
"""

from collections.abc import Callable, Collection, Generator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pastelbot.choices import LATENT_UPSCALERS, PIXEL_UPSCALERS, RESIZE_MODES
from pastelbot.diffusion.conditioning.schedule import ConditioningSchedule, WeightedConditioning, fill, pad
from pastelbot.diffusion.engine.denoiser import DenoiseRequest
from pastelbot.diffusion.image.hires import (
    Enlarge,
    check_upscaler,
    cut_latents,
    upscale_latents,
    upscale_pixels,
)
from pastelbot.diffusion.image.img2img import init_pixels, resize_latents
from pastelbot.diffusion.lora.library import UsedLora, unet_set
from pastelbot.diffusion.networks.vae import Pixels, Vae, from_pixels, to_pixels
from pastelbot.diffusion.sampling.brownian import BrownianPath
from pastelbot.diffusion.sampling.registry import PassPlan, plan_first_pass, plan_img2img, plan_second_pass, resolve
from pastelbot.diffusion.sampling.rng import ImageNoise, NoiseRecipe, TorchGenerator
from pastelbot.diffusion.sampling.samplers import StepNoise, Steps
from pastelbot.diffusion.sampling.schedules import ModelSigmas
from pastelbot.errors import LimitError
from pastelbot.records import GenerationRequest, HiresFix, InitImage, SamplingOptions
from pastelbot.rules.hires import CELL, HiresSize, hires_size

_CHANNELS = 4
_MAX_STEPS = 1000  # the timesteps that a model knows

DenoiseRequests = Generator[DenoiseRequest, Tensor, Tensor]
Recorder = Callable[[str, Tensor], None]


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
    def picture_size(self) -> tuple[int, int]:
        """Return the finished pictures' (width, height)."""
        return self.hires.size.picture if self.hires else (self.request.width, self.request.height)


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
    first = _plan_first(request, sigmas)
    _check_calls(first, request.steps)
    return Plan(request=request, first=first, hires=_plan_hires(request, sigmas, upscaler_models))


def _plan_first(request: GenerationRequest, sigmas: ModelSigmas) -> PassPlan:
    info, schedule = resolve(request.sampler, request.schedule)
    init = request.init
    if init is None:
        return plan_first_pass(info, schedule, sigmas, request.steps, request.sampling)
    if request.hires is not None:
        raise LimitError("A picture to start from and the hires fix do not go together.")
    if init.resize_mode not in RESIZE_MODES:
        raise LimitError(f"The resize mode {init.resize_mode!r} is unknown; there are {', '.join(RESIZE_MODES)}.")
    if not 0 <= init.denoising_strength <= 1:
        raise LimitError(f"A denoising strength of {init.denoising_strength} is not possible; ask for 0 to 1.")
    return plan_img2img(info, schedule, sigmas, request.steps, init.denoising_strength, request.sampling)


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


@dataclass(frozen=True, kw_only=True, eq=False)
class PassConditioning:
    """What one pass is to show and to avoid, through its steps, and the LoRAs that it is painted with.

    `embeddings` are the names of the textual inversions in its prompts. `empty` is the conditioning of an empty prompt
    where shorter ones are filled up with it.
    """

    positive: ConditioningSchedule
    negative: ConditioningSchedule
    embeddings: tuple[str, ...] = ()
    empty: Tensor | None = None
    loras: tuple[UsedLora, ...] = ()

    def at(self, call: int, options: SamplingOptions) -> tuple[WeightedConditioning, Tensor]:
        """Return the parts of the prompt and the negative prompt at a call, equally long where that is asked for."""
        positive, negative = self.positive.at(call), self.negative.at(call)[0][0]
        tokens = max(part.shape[0] for part, _ in positive)
        if options.pad_conditionings_v0:
            return positive, pad(negative, max(tokens, negative.shape[0]))[:tokens]
        if options.pad_conditionings and self.empty is not None:
            longest = max(tokens, negative.shape[0])
            filled = tuple((fill(part, longest, self.empty), weight) for part, weight in positive)
            return filled, fill(negative, longest, self.empty)
        return positive, negative


def _ignore(_name: str, _tensor: Tensor) -> None:
    """Record nothing."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PicturePipeline:
    """Runs one picture of a plan.

    `enlarge` runs the upscaler models; `record` is shown every intermediate result by name, for tests.
    """

    plan: Plan
    index: int
    conditionings: Sequence[PassConditioning]
    vae: Vae
    device: torch.device
    enlarge: Enlarge | None = None
    record: Recorder = _ignore

    @property
    def seed(self) -> int:
        """Return the picture's seed."""
        return self._recipe.seed

    @property
    def _recipe(self) -> NoiseRecipe:
        return NoiseRecipe.of(self.plan.request, self.index)

    def run(self) -> DenoiseRequests:
        """Yield what is to be denoised, and return the final latents (4, height / 8, width / 8)."""
        request = self.plan.request
        noise = self._noise(request.height // CELL, request.width // CELL)
        start = None if request.init is None else self._encode_init(request.init)
        latents = yield from self._pass("first", self.plan.first, request.cfg_scale, noise, start)
        if self.plan.hires is None:
            return latents
        return (yield from self._hires(self.plan.hires, latents))

    def _encode_init(self, init: InitImage) -> Tensor:
        request = self.plan.request
        latents = self._encode(init_pixels(init, (request.width, request.height)))
        latents = resize_latents(latents, request.height // CELL, request.width // CELL)
        self.record("init_latents", latents)
        return latents

    def _hires(self, hires: HiresPlan, first_latents: Tensor) -> DenoiseRequests:
        latents = cut_latents(self._upscale(hires, first_latents), hires.size)
        self.record("hr_input_latents", latents)
        noise = self._noise(latents.shape[1], latents.shape[2])
        return (yield from self._pass("hr", hires.run, hires.cfg_scale, noise, latents))

    def _pass(
        self, name: str, run: PassPlan, cfg_scale: float, noise: ImageNoise, latents: Tensor | None
    ) -> DenoiseRequests:
        start = noise.draw()
        self.record(f"{name}_noise", start)
        x = run.begin(start.to(self.device), latents)
        conditioning = self.conditionings[0 if name == "first" else 1]
        steps = run.steps(x, self._step_noise(run, noise))
        result = run.end((yield from _conditioned(steps, run, conditioning, cfg_scale)))
        self.record(f"{name}_latents", result)
        return result

    def _noise(self, height: int, width: int) -> ImageNoise:
        return ImageNoise(self._recipe, (_CHANNELS, height, width))

    def _step_noise(self, run: PassPlan, noise: ImageNoise) -> StepNoise:
        if not run.info.brownian:
            return lambda _sigma, _sigma_next: noise.draw().to(self.device)
        path = BrownianPath(self._recipe.seed, noise.shape, run.schedule_sigmas, self._recipe.source)
        return lambda sigma, sigma_next: path(sigma, sigma_next).to(self.device)

    def _upscale(self, hires: HiresPlan, latents: Tensor) -> Tensor:
        if hires.fix.upscaler in LATENT_UPSCALERS:
            return upscale_latents(latents, hires.size, hires.fix.upscaler)
        enlarge = None if hires.fix.upscaler in PIXEL_UPSCALERS else self.enlarge
        pixels = to_pixels(self.vae.decode(latents))
        return self._encode(upscale_pixels(pixels, hires.size, hires.fix.upscaler, enlarge))

    def _encode(self, pixels: Pixels) -> Tensor:
        height, width = pixels.shape[:2]
        # Encoding draws from torch's own generator, which the webui has seeded with the picture's seed.
        noise = TorchGenerator(self._recipe.seed).randn((_CHANNELS, height // CELL, width // CELL))
        return self.vae.encode(from_pixels(pixels), noise)


def _conditioned(steps: Steps, run: PassPlan, conditioning: PassConditioning, cfg_scale: float) -> DenoiseRequests:
    """Join a sampler's requests with the conditioning of each call, and pass the answers on."""
    call, loras = 0, unet_set(conditioning.loras)
    try:
        x, sigma = next(steps)
        while True:
            positive, negative = conditioning.at(call, run.options)
            denoised = yield DenoiseRequest(
                x=x,
                sigma=sigma,
                levels=run.levels,
                positive=positive,
                negative=negative,
                cfg_scale=cfg_scale,
                without_negative=run.leaves_negative_out(call, sigma),
                loras=loras,
            )
            call += 1
            x, sigma = steps.send(denoised)
    except StopIteration as stop:
        result: Tensor = stop.value
        return result
