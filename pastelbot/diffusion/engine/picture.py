"""Picture pipeline: one picture from first noise to final latents, as a generator of denoise requests.

    denoised = yield request

Both passes are one generator: between them the latents are upscaled, and the engine that answers sees nothing of it but
another size.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from pastelbot.choices import LATENT_UPSCALERS, PIXEL_UPSCALERS
from pastelbot.diffusion.conditioning.schedule import ConditioningSchedule, WeightedConditioning, fill, pad
from pastelbot.diffusion.engine.blending import DenoiseRequests, Masked, blended, with_source
from pastelbot.diffusion.engine.denoiser import DenoiseRequest, Guidance
from pastelbot.diffusion.engine.plan import HiresPlan, Plan
from pastelbot.diffusion.image.hires import Enlarge, cut_latents, upscale_latents, upscale_pixels
from pastelbot.diffusion.image.img2img import InitPicture, resize_latents
from pastelbot.diffusion.lora.library import UsedLora, unet_set
from pastelbot.diffusion.networks.vae import Pixels, Vae, from_pixels, to_pixels
from pastelbot.diffusion.sampling.brownian import BrownianPath
from pastelbot.diffusion.sampling.registry import PassPlan
from pastelbot.diffusion.sampling.rng import ImageNoise, NoiseRecipe, TorchGenerator
from pastelbot.diffusion.sampling.samplers import StepNoise, Steps
from pastelbot.records import SamplingOptions
from pastelbot.rules.hires import CELL

_CHANNELS = 4
_PLUS_SCALE = 12.5  # a CFG scale of CFG++ is 0 to 1: the webui writes it as other scales
_GREY = 0.5  # of -1 to 1: what the webui shows a UNet for inpainting where nothing stays

Recorder = Callable[[str, Tensor], None]


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

    def parts(self, call: int) -> tuple[WeightedConditioning, Tensor]:
        """Return the parts of the prompt and the negative prompt at a call; equal ones are the same tensors."""
        return self.positive.at(call), self.negative.at(call)[0][0]

    def at(self, call: int, options: SamplingOptions) -> tuple[WeightedConditioning, Tensor]:
        """Return the parts of the prompt and the negative prompt at a call, equally long where that is asked for."""
        positive, negative = self.parts(call)
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

    `init` is what it starts from; `enlarge` runs the upscaler models. `shows_source`: the UNet is one for inpainting,
    which is shown what stays. `record` is shown every intermediate result by name, for tests.
    """

    plan: Plan
    index: int
    conditionings: Sequence[PassConditioning]
    vae: Vae
    device: torch.device
    init: InitPicture | None = None
    enlarge: Enlarge | None = None
    shows_source: bool = False
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
        start = None if self.init is None else self._start(self.init)
        latents = yield from self._pass("first", self.plan.first, request.cfg_scale, noise, start)
        if self.plan.hires is None:
            return latents
        return (yield from self._hires(self.plan.hires, latents))

    def finished(self, pixels: Pixels) -> Pixels:
        """Return the whole picture of what was painted, with what was not."""
        return pixels if self.init is None else self.init.finished(pixels)

    def _start(self, init: InitPicture) -> Masked:
        """Return the latents to start from, and where they are painted."""
        request, generator = self.plan.request, self._generator()
        rows, columns = request.height // CELL, request.width // CELL
        latents = resize_latents(self._encode(init.pixels, generator), rows, columns)
        mask = init.latent_mask(rows, columns)
        mask = None if mask is None else mask.to(latents)
        if mask is not None and init.fills_latents:
            latents = latents * (1 - mask)
            if init.fills_with_noise:
                latents = latents + self._plain_noise(rows, columns).to(latents) * mask
        self.record("init_latents", latents)
        if mask is not None:
            self.record("nmask", mask)
        source = self._source(init.kept, init.painted, generator) if self.shows_source else None
        return Masked(latents=latents, mask=mask, source=source)

    def _plain_noise(self, rows: int, columns: int) -> Tensor:
        """Return the noise of the picture's seed, whatever its variation."""
        recipe = NoiseRecipe(seed=self.seed, source=self._recipe.source)
        return ImageNoise(recipe, (_CHANNELS, rows, columns)).draw()

    def _source(self, kept: Tensor, painted: Tensor, generator: TorchGenerator) -> Tensor:
        """Return what a UNet for inpainting is shown: the mask, and the latents of what stays (5 channels)."""
        latents = self._encode_image(kept, generator)
        mask = functional.interpolate(painted[None, None], size=latents.shape[1:])[0]
        return torch.cat([mask.to(latents), latents])

    def _whole_source(self, rows: int, columns: int) -> Tensor:
        """Return what a UNet for inpainting is shown where all is painted: a grey picture, all of it masked."""
        grey = torch.full((3, rows * CELL, columns * CELL), _GREY)
        return self._source(grey, torch.ones(grey.shape[1:]), self._generator())

    def _hires(self, hires: HiresPlan, first_latents: Tensor) -> DenoiseRequests:
        latents = cut_latents(self._upscale(hires, first_latents), hires.size)
        self.record("hr_input_latents", latents)
        noise = self._noise(latents.shape[1], latents.shape[2])
        return (yield from self._pass("hr", hires.run, hires.cfg_scale, noise, Masked(latents=latents)))

    def _pass(
        self, name: str, run: PassPlan, cfg_scale: float, noise: ImageNoise, start: Masked | None
    ) -> DenoiseRequests:
        drawn = noise.draw()
        if self.init is not None:
            drawn = drawn * run.options.first_noise
        self.record(f"{name}_noise", drawn)
        x = run.begin(drawn.to(self.device), None if start is None else start.latents)
        conditioning = self.conditionings[0 if name == "first" else 1]
        requests = _conditioned(run.steps(x, self._step_noise(run, noise)), run, conditioning, cfg_scale)
        result = run.end((yield from self._with_source(blended(requests, start, before=run.info.timesteps), start)))
        self.record(f"{name}_latents", result)
        return result if start is None else start.over(result)

    def _with_source(self, requests: DenoiseRequests, start: Masked | None) -> DenoiseRequests:
        """Let a UNet for inpainting see what stays of the picture; others need nothing."""
        if not self.shows_source:
            return (yield from requests)
        source = self._whole_source if start is None or start.source is None else start.source
        return (yield from with_source(requests, source))

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
        upscaled = upscale_pixels(pixels, hires.size, hires.fix.upscaler, enlarge)
        return self._encode(upscaled, self._generator())

    def _generator(self) -> TorchGenerator:
        """Return what the encoder draws from: torch's own generator, seeded with the picture's seed as in the webui."""
        return TorchGenerator(self._recipe.seed)

    def _encode(self, pixels: Pixels, generator: TorchGenerator) -> Tensor:
        return self._encode_image(from_pixels(pixels), generator)

    def _encode_image(self, image: Tensor, generator: TorchGenerator) -> Tensor:
        height, width = image.shape[1:]
        return self.vae.encode(image, generator.randn((_CHANNELS, height // CELL, width // CELL)))


def _conditioned(steps: Steps, run: PassPlan, conditioning: PassConditioning, cfg_scale: float) -> DenoiseRequests:
    """Join a sampler's requests with the conditioning of each call, and pass the answers on."""
    call, loras, levels = 0, unet_set(conditioning.loras), run.levels
    guidance = _Guidances(run, conditioning, cfg_scale)
    try:
        x, sigma = next(steps)
        while True:
            denoised = yield DenoiseRequest(x, sigma, levels, guidance.at(call, sigma), loras)
            call += 1
            x, sigma = steps.send(denoised)
    except StopIteration as stop:
        result: Tensor = stop.value
        return result


class _Guidances:
    """The guidance of each call of a pass, one object as long as nothing in it changes."""

    def __init__(self, run: PassPlan, conditioning: PassConditioning, cfg_scale: float) -> None:
        self._run = run
        self._conditioning = conditioning
        self._cfg_scale = cfg_scale / _PLUS_SCALE if run.info.cfg_plus else cfg_scale
        self._made: dict[tuple[int, ...], Guidance] = {}
        changes = conditioning.positive.changes or conditioning.negative.changes or run.may_leave_negative_out
        self._only = None if changes else self._guidance(0, without_negative=False)

    def at(self, call: int, sigma: float) -> Guidance:
        """Return the guidance of a call, counted from 0."""
        if self._only is not None:
            return self._only
        without_negative = self._run.leaves_negative_out(call, sigma)
        positive, negative = self._conditioning.parts(call)
        key = (*(id(part) for part, _ in positive), id(negative), without_negative)
        if key not in self._made:
            self._made[key] = self._guidance(call, without_negative=without_negative)
        return self._made[key]

    def _guidance(self, call: int, *, without_negative: bool) -> Guidance:
        positive, negative = self._conditioning.at(call, self._run.options)
        return Guidance(
            positive=positive,
            negative=negative,
            cfg_scale=self._cfg_scale,
            without_negative=without_negative,
            unguided_too=self._run.info.cfg_plus,
        )
