"""Frozen records shared by modules, processes and the database.

Sizes are pixels, seeds are 0 to 2**32 - 1, and the defaults are the settings of the Pastel-Mix card.
"""

import dataclasses
import enum
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

RATINGS = ("general", "sensitive", "questionable", "explicit")  # of a picture, the mildest first
RATING_FAILED = "failed"
# The web page, where the id of a server or a channel would be: Discord's are positive.
ON_PAGE = -1
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
    `first_networks`: the hires prompts are encoded with the LoRAs of the first pass. `tiling`: the picture's edges
    continue each other.
    """

    eta: float = 1.0
    eta_ddim: float = 0.0
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


@dataclass(frozen=True, kw_only=True)
class Picture:
    """One finished picture: PNG bytes that carry `infotext` in their `parameters` chunk.

    `rating` is one of RATINGS, RATING_FAILED where the tagger could not say, or None where it was not rated. `cells`
    are the PNGs of a contact sheet: they are rated instead of it, and not kept.
    """

    png: bytes
    seed: int
    width: int
    height: int
    infotext: str
    rating: str | None = None
    cells: tuple[bytes, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ScoredTag:
    """A tag as danbooru writes it, and the tagger's confidence: 0 to 1."""

    name: str
    score: float


@dataclass(frozen=True, kw_only=True)
class Description:
    """The tagger's description of a picture: one of RATINGS, and tags and characters, most confident first."""

    rating: str
    rating_score: float
    tags: tuple[ScoredTag, ...] = ()
    characters: tuple[ScoredTag, ...] = ()


class JobStatus(enum.StrEnum):
    """A job's state. Each transition is durable before it is announced."""

    QUEUED = "queued"  # waiting for its turn
    LEASED = "leased"  # handed to a worker
    RENDERED = "rendered"  # pictures are on disk, not yet posted
    POSTED = "posted"  # Discord answered with the message's id
    DONE = "done"  # settled
    FAILED = "failed"  # refunded, with a reason
    CANCELLED = "cancelled"  # refunded

    @property
    def ended(self) -> bool:
        """Return whether nothing more will happen to the job."""
        return self in (JobStatus.DONE, JobStatus.FAILED, JobStatus.CANCELLED)


@dataclass(frozen=True, kw_only=True)
class ReplyTarget:
    """The message that shows a job: the bot's own, edited through the channel. None: not sent yet."""

    channel_id: int
    message_id: int | None = None
    guild_id: int | None = None


def _sees_nothing(_channel_id: int) -> bool:
    return False


@dataclass(frozen=True, kw_only=True)
class Actor:
    """The user who acts, and where, according to Discord. In a thread, `channel_id` is the parent channel's.

    `places` are the thread, its channel and the channel's category, where they exist, the nearest first. `sees` says
    whether the user can read another channel or thread of the server.
    """

    user_id: int
    guild_id: int | None = None
    channel_id: int | None = None
    places: tuple[int, ...] = ()
    role_ids: tuple[int, ...] = ()
    manages_messages: bool = False
    manages_server: bool = False
    age_restricted: bool = False
    sees: Callable[[int], bool] = dataclasses.field(default=_sees_nothing, repr=False, compare=False)


@dataclass(frozen=True, kw_only=True)
class JobOptions:
    """Options of a job that do not change its pixels. `origin` is the job that this one was made from.

    `made_with` is the verb of the button that made it; "" for a command.

    `adult_allowed` says whether adult pictures may be shown where the job was requested. A private job is shown in a
    direct message, under the rules of its reply's server and of the channel `home_channel_id` there. `locale` is the
    language of its message: the server's in a channel, the user's in direct messages; "" is English.
    """

    spoiler: bool = False
    private: bool = False
    origin: str | None = None
    adult_allowed: bool = False
    home_channel_id: int | None = None
    locale: str = ""
    made_with: str = ""


@dataclass(frozen=True, kw_only=True)
class Job:
    """A request in the queue, as stored; where it is `withheld`, a moderator must review its pictures.

    `interaction_id` is Discord's number of what asked for it; messages have greater numbers than what was before them.
    `end_shown`: its message says that it failed or was cancelled, or cannot.
    """

    id: str
    user_id: int
    request: GenerationRequest
    status: JobStatus
    created_at: datetime
    attempts: int = 0
    reply: ReplyTarget | None = None
    options: JobOptions = JobOptions()
    reason: str | None = None
    seconds: float | None = None
    withheld: bool = False
    interaction_id: int | None = None
    end_shown: bool = False

    @property
    def on_page(self) -> bool:
        """Return whether the web page shows the job, instead of a message in Discord."""
        return self.reply is not None and self.reply.channel_id == ON_PAGE


# Between the bot process and the worker: commands go down, events come up.


@dataclass(frozen=True, kw_only=True)
class Paint:
    """Command: paint this request. `owner` is the user whose share of the engine it takes."""

    job_id: str
    request: GenerationRequest
    owner: int = 0


@dataclass(frozen=True, kw_only=True)
class Cancel:
    """Command: stop painting this job at the next step."""

    job_id: str


@dataclass(frozen=True, kw_only=True)
class Stop:
    """Command: end the worker process."""


@dataclass(frozen=True, kw_only=True)
class Load:
    """Command: load the default checkpoint, where it was unloaded."""


Command = Paint | Cancel | Stop | Load


@dataclass(frozen=True, kw_only=True)
class WorkerReady:
    """Event: the checkpoint is loaded and the worker accepts jobs.

    `flops` is the speed of a CPU that has to paint without a GPU, in operations a second; None elsewhere. `workers` is
    how many are ready now.
    """

    device: str
    checkpoint: str
    checkpoint_hash: str
    flops: float | None = None
    workers: int = 1


@dataclass(frozen=True, kw_only=True)
class CheckpointLoaded:
    """Event: another checkpoint is in memory; `name` is its configured name, `checkpoint` that of infotexts."""

    name: str
    checkpoint: str
    checkpoint_hash: str


@dataclass(frozen=True, kw_only=True)
class Loading:
    """Event: the worker is loading or downloading; `what` is a sentence for the operator."""

    what: str


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Event: `step` of `steps` UNet steps are done, over all passes of the job."""

    job_id: str
    step: int
    steps: int
    preview: bytes | None = None


@dataclass(frozen=True, kw_only=True)
class Painted:
    """Event: the job's pictures, their seconds in the worker, and notes on anything unexpected."""

    job_id: str
    pictures: tuple[Picture, ...]
    seconds: float
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class PaintingFailed:
    """Event: the job failed; `reason` is a sentence for its owner."""

    job_id: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class PaintingCancelled:
    """Event: the job left the engine before it was finished."""

    job_id: str


@dataclass(frozen=True, kw_only=True)
class WorkerUnloaded:
    """Event: a worker was ended because there was nothing to do; `workers` is how many are still ready."""

    workers: int = 0


@dataclass(frozen=True, kw_only=True)
class WorkerLost:
    """Event: the worker process ended; `reason` is for the operator. The executor starts another one.

    `detail` is the last line that it wrote to standard error, for the log. `interruption` says to waiting users why
    nothing is painted now, where the worker has failed to start again and again. `workers` is how many are still ready,
    and `jobs` are those that the lost one had; None for all that run.
    """

    reason: str
    detail: str = ""
    interruption: str = ""
    workers: int = 0
    jobs: frozenset[str] | None = None


Event = (
    WorkerReady
    | CheckpointLoaded
    | Loading
    | Progress
    | Painted
    | PaintingFailed
    | PaintingCancelled
    | WorkerUnloaded
    | WorkerLost
)


# From the dispatcher to the delivery of messages.


@dataclass(frozen=True, kw_only=True)
class InLine:
    """Update: the job waits; `position` 1 is next, running jobs included, and distant positions are rounded.

    `ready_at` is the estimated time of completion, None while the throughput is unknown. `paused`: its server
    dispatches no jobs. `interruption`: why nothing is painted at all, "" where painting goes on.
    """

    job: Job
    position: int
    paused: bool = False
    interruption: str = ""
    ready_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class BeingPainted:
    """Update: `step` of `steps` UNet steps are done; `seconds_left` is an estimate, None where there is none."""

    job: Job
    step: int
    steps: int
    preview: bytes | None = None
    seconds_left: float | None = None


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """Update: the pictures are on disk and must be posted."""

    job: Job


@dataclass(frozen=True, kw_only=True)
class Ended:
    """Update: the job failed or was cancelled; nothing was charged."""

    job: Job


Update = InLine | BeingPainted | Rendered | Ended
