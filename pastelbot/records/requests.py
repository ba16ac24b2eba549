"""What a picture is asked for with: everything that decides its pixels.

Sizes are pixels, seeds are 0 to 2**32 - 1, and the defaults are the settings of the Pastel-Mix card.
"""

import dataclasses
from dataclasses import dataclass

_FOR_ALL_PICTURES = frozenset({"prompt", "negative_prompt", "count"})


@dataclass(frozen=True, kw_only=True)
class HiresFix:
    """The second pass after upscaling the first pass's latents.

    The target is `width` x `height` (cropped to that aspect ratio) or, where these are 0, `scale` times the first size.
    `steps` 0 means as many as the first pass. A field that is None follows the first pass.
    """

    width: int = 0
    height: int = 0
    scale: float = 2.0
    steps: int = 20
    denoising_strength: float = 0.6
    upscaler: str = "Latent"
    sampler: str | None = None
    schedule: str | None = None
    cfg_scale: float | None = None
    prompt: str | None = None
    negative_prompt: str | None = None


@dataclass(frozen=True, kw_only=True)
class Mask:
    """Where a picture to start from is painted (inpainting): what is white in another picture, or opaque.

    `content` is a picture file; once the picture to start from is kept, it is inside of that one's file. The blur is in
    pixels of the mask; `rounded` masks are all or nothing for each latent cell. `filling` is one of
    `choices.MASK_FILLINGS`. `only_masked` paints the masked part alone at the whole size, with `padding` pixels of the
    picture around it.
    """

    content: bytes = b""
    blur_x: float = 4.0
    blur_y: float = 4.0
    inverted: bool = False
    filling: str = "original"
    only_masked: bool = False
    padding: int = 32
    rounded: bool = True

    @property
    def is_filled(self) -> bool:
        """Return whether something else than the picture itself is under the mask when painting begins."""
        return self.filling != "original"


@dataclass(frozen=True, kw_only=True)
class InitImage:
    """The picture that img2img starts from, instead of from noise alone.

    `content` is a picture file; a stored request has none, but the file's `name` in the pictures folder. `upload` is
    the bytes of the file that the user handed over, `width` and `height` are the kept picture's, 0 before it is kept.
    `resize_mode` is one of `choices.RESIZE_MODES`. With a `mask` only a part is painted. `upscaler` enlarges a picture
    that is too small. `exact_steps` makes as many steps as asked for, whatever the strength. `corrected` gives the
    result the colours of the picture to start from.
    """

    content: bytes = b""
    name: str = ""
    upload: int = 0
    width: int = 0
    height: int = 0
    denoising_strength: float = 0.75
    resize_mode: str = "Just resize"
    mask: Mask | None = None
    upscaler: str = "None"
    exact_steps: bool = False
    corrected: bool = False

    @classmethod
    def of(cls, content: bytes, *, denoising_strength: float = 0.75, resize_mode: str = "Just resize") -> "InitImage":
        """Return the record of an uploaded file's content."""
        return cls(content=content, upload=len(content), denoising_strength=denoising_strength, resize_mode=resize_mode)


@dataclass(frozen=True, kw_only=True)
class SamplingOptions:
    """What the webui's settings say about sampling; `rules.sampling.options` has their names and limits.

    `eta` rules ancestral and stochastic samplers, `eta_ddim` DDIM. `churn` and its kin are of Karras et al. 2022; a
    `churn_most` of 0 is no limit. A `sigma_least`, `sigma_most` or `rho` of 0 is the model's, or the schedule's own.
    `first_noise` multiplies the noise over a picture to start from, `extra_noise` is added before every second pass.
    `gamma` is the share of a step's time that TCD goes too far and noises again.
    `first_networks`: the hires prompts are encoded with the LoRAs of the first pass. `tiling`: the picture's edges
    continue each other.
    """

    eta: float = 1.0
    eta_ddim: float = 0.0
    gamma: float = 0.3
    churn: float = 0.0
    churn_least: float = 0.0
    churn_most: float = 0.0
    noise: float = 1.0
    sigma_least: float = 0.0
    sigma_most: float = 0.0
    rho: float = 0.0
    beta_alpha: float = 0.6
    beta_beta: float = 0.6
    old_karras: bool = False
    discard_next_to_last: bool = False
    sgm_noise: bool = False
    skip_early: float = 0.0
    guided_from: float = 0.0
    guided_from_all: bool = False
    pad_conditionings: bool = False
    pad_conditionings_v0: bool = False
    comma_backtrack: int = 20
    quantized: bool = False
    downcast_alphas: bool = False
    noise_schedule: str = "Default"
    unipc_variant: str = "bh1"
    unipc_spacing: str = "time_uniform"
    unipc_order: int = 3
    first_noise: float = 1.0
    extra_noise: float = 0.0
    first_networks: bool = False
    tiling: bool = False


@dataclass(frozen=True, kw_only=True)
class Axis:
    """One direction of a grid: the setting that changes (a key of `grids.KINDS`), and its values as typed."""

    kind: str
    values: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Grid:
    """An X/Y plot: a column for each value of `x`, a row for each value of `y`."""

    x: Axis
    y: Axis | None = None


@dataclass(frozen=True, kw_only=True)
class Prompts:
    """What one of several pictures is to show and to avoid."""

    prompt: str
    negative_prompt: str = ""


@dataclass(frozen=True, kw_only=True)
class GenerationRequest:
    """Everything that decides what a picture looks like; the same request gives the same pixels.

    `checkpoint` and `vae` are names of the configuration; an empty one is the default.
    `count` pictures have the seeds `seed`, `seed + 1`, ... or, with a `subseed_strength`, the same seed and the
    subseeds `subseed`, `subseed + 1`, ... Where lists or braces have picked other words for each picture, `prompts` are
    those of each, and `prompt` and `negative_prompt` those of the first one.
    """

    prompt: str
    negative_prompt: str = ""
    width: int = 448
    height: int = 640
    seed: int = 0
    count: int = 1
    steps: int = 20
    cfg_scale: float = 7.0
    sampler: str = "DPM++ 2M"
    schedule: str = "Karras"
    clip_skip: int = 2
    hires: HiresFix | None = None
    init: InitImage | None = None
    subseed: int = 0
    subseed_strength: float = 0.0
    seed_resize_width: int = 0
    seed_resize_height: int = 0
    eta_noise_seed_delta: int = 31337
    noise_source: str = "NV"
    emphasis: str = "Original"
    sampling: SamplingOptions = SamplingOptions()
    checkpoint: str = ""
    vae: str = ""
    grid: Grid | None = None
    prompts: tuple[Prompts, ...] = ()

    def alone(self, index: int) -> "GenerationRequest":
        """Return a request that paints only the picture number `index`, unchanged."""
        one = self.of_picture(index)
        if self.subseed_strength:
            return one.replace(subseed=self.subseed + index, count=1)
        return one.replace(seed=self.seed + index, count=1)

    def of_picture(self, index: int) -> "GenerationRequest":
        """Return the request with the prompts of its picture number `index`, as if all of them had these."""
        if not self.prompts:
            return self
        own = self.prompts[index]
        return self.replace(prompt=own.prompt, negative_prompt=own.negative_prompt)

    def with_each_prompt(self) -> "list[GenerationRequest]":
        """Return the request with the prompts of each of its pictures; itself alone where all have the same."""
        return [self.of_picture(index) for index in range(len(self.prompts) or 1)]

    def replace(self, **changes: object) -> "GenerationRequest":
        """Return a copy with the named fields changed; another prompt or count is that of all its pictures."""
        if not _FOR_ALL_PICTURES.isdisjoint(changes):
            changes = {"prompts": (), **changes}
        return dataclasses.replace(self, **changes)  # type: ignore[arg-type]
