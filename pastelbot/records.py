"""Frozen records that cross the borders between modules, processes and the database.

Sizes are pixels, seeds are 0 to 2**32 - 1, and the defaults are the settings of the Pastel-Mix card.
"""

import base64
import dataclasses
import enum
from dataclasses import dataclass
from datetime import datetime

RATINGS = ("general", "sensitive", "questionable", "explicit")  # how adult a picture is, the mildest first
RATING_FAILED = "failed"


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
class InitImage:
    """The picture that img2img starts from, instead of from noise alone.

    `file` is the uploaded file, whatever its size and format, in base64: text goes through JSON and the database as it
    is, and a queued job needs nothing that somebody could delete meanwhile. `resize_mode` is one of
    `names.RESIZE_MODES`.
    """

    file: str
    denoising_strength: float = 0.75
    resize_mode: str = "Just resize"

    @classmethod
    def of(cls, content: bytes, *, denoising_strength: float = 0.75, resize_mode: str = "Just resize") -> "InitImage":
        """Return the record of a file's content."""
        file = base64.b64encode(content).decode("ascii")
        return cls(file=file, denoising_strength=denoising_strength, resize_mode=resize_mode)

    @property
    def content(self) -> bytes:
        """Return the file's content."""
        return base64.b64decode(self.file)


@dataclass(frozen=True, kw_only=True)
class Axis:
    """One direction of a grid: the setting that changes (a key of `grids.KINDS`), and its values as they are typed."""

    kind: str
    values: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Grid:
    """An X/Y plot: a column for each of `x`'s values, a row for each of `y`'s."""

    x: Axis
    y: Axis | None = None


@dataclass(frozen=True, kw_only=True)
class GenerationRequest:
    """Everything that decides what a picture looks like; the same request gives the same pixels.

    `checkpoint` and `vae` are names of the configuration; an empty one is the default.
    `count` pictures have the seeds `seed`, `seed + 1`, ... or, with a `subseed_strength`, the same seed and the
    subseeds `subseed`, `subseed + 1`, ...
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
    checkpoint: str = ""
    vae: str = ""
    grid: Grid | None = None

    def alone(self, index: int) -> "GenerationRequest":
        """Return a request that paints only this one of the pictures, exactly as it is."""
        if self.subseed_strength:
            return self.replace(subseed=self.subseed + index, count=1)
        return self.replace(seed=self.seed + index, count=1)

    def replace(self, **changes: object) -> "GenerationRequest":
        """Return a copy with the named fields changed."""
        return dataclasses.replace(self, **changes)  # type: ignore[arg-type]


@dataclass(frozen=True, kw_only=True)
class Picture:
    """One finished picture: PNG bytes that carry `infotext` in their `parameters` chunk.

    `rating` is one of RATINGS, RATING_FAILED where the tagger could not say, or None where it was not asked. `cells`
    are the PNGs that a sheet was put together from: they are rated instead of it, and not kept.
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
    """A tag as danbooru writes it, and how sure the tagger is: 0 to 1."""

    name: str
    score: float


@dataclass(frozen=True, kw_only=True)
class Description:
    """What the tagger sees in a picture: one of RATINGS, and tags and characters, the surest first."""

    rating: str
    rating_score: float
    tags: tuple[ScoredTag, ...] = ()
    characters: tuple[ScoredTag, ...] = ()


class JobStatus(enum.StrEnum):
    """Where a job is. Each step is durable before anybody hears of it."""

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


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who asks, and where, as Discord says it. `channel_id` is the parent's where somebody asks in a thread.

    `places` are the thread, its channel and the channel's category, as far as there are such, the nearest first.
    """

    user_id: int
    guild_id: int | None = None
    channel_id: int | None = None
    places: tuple[int, ...] = ()
    role_ids: tuple[int, ...] = ()
    manages_messages: bool = False
    manages_server: bool = False
    age_restricted: bool = False


@dataclass(frozen=True, kw_only=True)
class JobOptions:
    """What a person wants done with a job besides its pixels. `origin` is the job that this one was made from.

    `adult_allowed` says whether adult pictures may be shown where it was asked for. A private job is shown in a direct
    message, under the rules of its reply's server and of the channel `home_channel_id` there. `locale` is the language
    of its message: the server's in a channel, the person's in direct messages; "" is English.
    """

    spoiler: bool = False
    private: bool = False
    origin: str | None = None
    adult_allowed: bool = False
    home_channel_id: int | None = None
    locale: str = ""


@dataclass(frozen=True, kw_only=True)
class Job:
    """A request in the queue, as the database has it; where it is `withheld`, a moderator must see its pictures."""

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


# Between the bot process and the worker: commands go down, events come up.


@dataclass(frozen=True, kw_only=True)
class Paint:
    """Command: paint this request."""

    job_id: str
    request: GenerationRequest


@dataclass(frozen=True, kw_only=True)
class Cancel:
    """Command: stop painting this job at the next step."""

    job_id: str


@dataclass(frozen=True, kw_only=True)
class Stop:
    """Command: end the worker process."""


Command = Paint | Cancel | Stop


@dataclass(frozen=True, kw_only=True)
class WorkerReady:
    """Event: the checkpoint is loaded and jobs are welcome."""

    device: str
    checkpoint: str
    checkpoint_hash: str


@dataclass(frozen=True, kw_only=True)
class CheckpointLoaded:
    """Event: another checkpoint is in memory; `name` is the configuration's, `checkpoint` that of infotexts."""

    name: str
    checkpoint: str
    checkpoint_hash: str


@dataclass(frozen=True, kw_only=True)
class Loading:
    """Event: the worker is alive, but loads or downloads something; `what` is a sentence for the operator."""

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
    """Event: the job's pictures, the seconds they took in the worker, and sentences on what was not as expected."""

    job_id: str
    pictures: tuple[Picture, ...]
    seconds: float
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class PaintingFailed:
    """Event: the job failed; `reason` is a sentence for the person who asked."""

    job_id: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class PaintingCancelled:
    """Event: the job left the engine before it was finished."""

    job_id: str


@dataclass(frozen=True, kw_only=True)
class WorkerLost:
    """Event: the worker process ended; `reason` tells the operator why. The executor starts another one."""

    reason: str


Event = WorkerReady | CheckpointLoaded | Loading | Progress | Painted | PaintingFailed | PaintingCancelled | WorkerLost


# From the dispatcher to whoever shows jobs to people.


@dataclass(frozen=True, kw_only=True)
class InLine:
    """Update: the job waits; `position` 1 is next, jobs being painted counted, and it is rounded where it is far back.

    `ready_at` is when the picture will be there, as far as the pace is known. `paused`: nothing is given out there.
    """

    job: Job
    position: int
    paused: bool = False
    ready_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class BeingPainted:
    """Update: `step` of `steps` UNet steps are done."""

    job: Job
    step: int
    steps: int
    preview: bytes | None = None


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """Update: the pictures are on disk and want to be posted."""

    job: Job


@dataclass(frozen=True, kw_only=True)
class Ended:
    """Update: the job failed or was cancelled; nothing was charged."""

    job: Job


Update = InLine | BeingPainted | Rendered | Ended
