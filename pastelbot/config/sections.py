"""Configuration schema: a frozen section for each table, with defaults and checks."""

import re
import tomllib
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

BUNDLED = "bundled"
_DEVICE = re.compile(r"(auto|cuda|mps|cpu)(:\d+)?")
_SIZE = re.compile(r"\s*(\d+)\s*[xX×]\s*(\d+)\s*")

# The Pastel-Mix card's negative prompt, with which its pictures were painted.
_CARD_NEGATIVE_PROMPT = (
    "lowres, ((bad anatomy)), ((bad hands)), text, missing finger, extra digits, fewer digits, blurry, "
    "((mutated hands and fingers)), (poorly drawn face), ((mutation)), ((deformed face)), (ugly), "
    "((bad proportions)), ((extra limbs)), extra face, (double head), (extra head), ((extra feet)), monster, logo, "
    "cropped, worst quality, low quality, normal quality, jpeg, humpbacked, long body, long neck, "
    "((jpeg artifacts))"
)


def parse_size(text: str) -> tuple[int, int]:
    """Read "448x640" as (width, height) in pixels; raise ValueError for anything else."""
    match = _SIZE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a size such as 448x640")
    return int(match[1]), int(match[2])


def _checked_size(text: str) -> str:
    width, height = parse_size(text)
    return f"{width}x{height}"


def _checked_first(text: str) -> str:
    size = parse_size(text)
    if min(size) < 64 or any(side % 8 for side in size):
        raise ValueError(f"{text!r} cannot be painted: both sides must be multiples of 8, and at least 64")
    return text


def _known_device(text: str) -> str:
    if _DEVICE.fullmatch(text) is None:
        raise ValueError(f"{text!r} is not a device; these are auto, cuda, cuda:1, mps and cpu")
    return text


Size = Annotated[str, AfterValidator(_checked_size)]
FirstSize = Annotated[Size, AfterValidator(_checked_first)]
Prediction = Literal["epsilon", "v_prediction"]
Name = Annotated[str, Field(min_length=1, max_length=100)]


class Section(BaseModel):
    """A frozen table of the configuration; unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class DiscordSettings(Section):
    """The bot's connection to Discord."""

    token_file: Path | None = None
    guild_ids: tuple[int, ...] = ()
    shards: int = Field(default=0, ge=0)
    direct_messages: bool = False
    user_install: bool = False
    edit_seconds: float = Field(default=3.0, ge=0)
    mention_after_seconds: float = Field(default=60.0, ge=0)

    @model_validator(mode="after")
    def _check_user_install(self) -> Self:
        if self.user_install and self.guild_ids:
            raise ValueError("user_install needs commands of all servers: leave guild_ids empty")
        return self


class CheckpointSettings(Section):
    """The default checkpoint and its device."""

    name: str = Field(default="default", min_length=1, max_length=100)
    path: str = "andite/pastel-mix"
    vae: str | None = None
    prediction: Prediction | None = None
    zero_terminal_snr: bool | None = None
    taesd: Path | None = None
    upscalers: Path | None = None
    loras: Path | None = None
    embeddings: Path | None = None
    revision: str | None = None
    offline: bool = False
    cache_dir: Path | None = None
    device: Annotated[str, AfterValidator(_known_device)] = "auto"
    precision: Literal["auto", "fp16", "bf16", "fp32"] = "auto"
    backend: Literal["auto", "torch", "torch-compile", "openvino"] = "auto"


class MoreCheckpointSettings(Section):
    """Another checkpoint; its VAE is one of [vaes], or a file or folder as in [checkpoint]."""

    path: str
    vae: str | None = None
    prediction: Prediction | None = None
    zero_terminal_snr: bool | None = None
    revision: str | None = None


class StorageSettings(Section):
    """Storage locations, how long picture files are kept, and what is too little or too much; 0 means no limit."""

    database: Path = Path("state/pastelbot.sqlite3")
    pictures: Path = Path("state/pictures")
    compiled: Path = Path("state/compiled")
    keep_days: float = Field(default=0, ge=0)
    max_gib: float = Field(default=0, ge=0)
    min_free_mib: float = Field(default=512, ge=0)
    database_alarm_gib: float = Field(default=4, ge=0)
    durability: Literal["full", "relaxed"] = "full"

    @property
    def durable(self) -> bool:
        """Return whether what is answered must survive a power cut."""
        return self.durability == "full"


class SizeSettings(Section):
    """One named picture size: the first pass's, and the hires fix's."""

    first: FirstSize
    hires: Size


class DefaultSettings(Section):
    """Defaults of a request: the Pastel-Mix card's settings."""

    size: str = "portrait"
    negative_prompt: str = _CARD_NEGATIVE_PROMPT
    steps: int = Field(default=20, ge=1)
    cfg: float = Field(default=7.0, ge=1)
    sampler: str = "DPM++ 2M Karras"
    clip_skip: int = Field(default=2, ge=1)
    hires: bool = True
    hires_steps: int = Field(default=20, ge=0)
    hires_upscaler: str = "Latent"
    denoising_strength: float = Field(default=0.6, ge=0, le=1)
    eta_noise_seed_delta: int = Field(default=31337, ge=0)
    noise_source: Literal["NV", "CPU"] = "NV"


class LimitSettings(Section):
    """Caps on requests."""

    max_prompt: int = Field(default=4000, ge=1, le=4000)
    max_side: int = Field(default=1280, ge=64)
    max_hires_side: int = Field(default=2048, ge=64)
    max_steps: int = Field(default=60, ge=1)
    max_cfg: float = Field(default=30, ge=1)
    max_count: int = Field(default=4, ge=1, le=10)
    max_grid: int = Field(default=25, ge=1, le=100)
    max_loras: int = Field(default=10, ge=0)
    max_chunks: int = Field(default=40, ge=1)
    max_combinations: int = Field(default=12, ge=1, le=50)
    waiting_per_user: int = Field(default=12, ge=1)
    max_presets: int = Field(default=50, ge=1)
    commands_per_minute: int = Field(default=30, ge=1)
    buttons_per_minute: int = Field(default=60, ge=1)
    completions_per_minute: int = Field(default=300, ge=1)


class QuotaSettings(Section):
    """Each user's quota in megapixel-steps, and the queue's fairness. Days are UTC days; 0 means no limit."""

    work_per_day: float = Field(default=3000, ge=0)
    saved_days: float = Field(default=3, ge=1)
    max_work_per_day: float = Field(default=0, ge=0)
    half_life_minutes: float = Field(default=30, gt=0)


class ModerationSettings(Section):
    """Rules for every server, in addition to those of its moderators. Days of 0 mean for ever."""

    operators: tuple[int, ...] = ()
    words: tuple[str, ...] = ()
    adult_list: Path | None = None
    adult_ratings: tuple[Literal["sensitive", "questionable", "explicit"], ...] = ("questionable", "explicit")
    adult_in_direct_messages: bool = False
    review_days: float = Field(default=7, ge=0)
    audit_days: float = Field(default=90, ge=0)


class PromptSettings(Section):
    """Abbreviations inside a prompt: wildcards and the style."""

    wildcards: Path | None = None
    style: str = Field(default="mksks style", max_length=200)


class TagSettings(Section):
    """Uses of the tag vocabulary."""

    complete: bool = True
    suggest: bool = True
    ask: bool = False


class WorkerSettings(Section):
    """The worker processes: one on each of the devices, or one on that of the default checkpoint."""

    executor: Literal["process", "ray"] = "process"
    devices: tuple[Annotated[str, AfterValidator(_known_device)], ...] = ()
    jobs_at_once: int = Field(default=4, ge=1)
    threads: int = Field(default=0, ge=0)
    preview_steps: int = Field(default=4, ge=0)
    stall_seconds: float = Field(default=300, gt=0)
    checkpoints_in_memory: int = Field(default=2, ge=1)
    unload_minutes: float = Field(default=0, ge=0)
    stop_seconds: float = Field(default=8, ge=1)


class RaySettings(Section):
    """The Ray cluster that paints where `worker.executor` is "ray": so many actors, each with so much of a node."""

    address: str = "auto"
    actors: int = Field(default=1, ge=1)
    gpus: float = Field(default=1, ge=0)
    cpus: float = Field(default=1, ge=0)


class TaggerSettings(Section):
    """The WD14 tagger, from a folder or the hub, that describes and rates pictures."""

    enabled: bool = False
    repo: str = "SmilingWolf/wd-vit-tagger-v3"
    revision: str | None = None
    path: Path | None = None
    general_threshold: float = Field(default=0.35, ge=0, le=1)
    character_threshold: float = Field(default=0.85, ge=0, le=1)
    rate_pictures: bool = True
    describes_per_minute: int = Field(default=6, ge=1)
    threads: int = Field(default=2, ge=0)


class MonitoringSettings(Section):
    """The address at which `/healthz` and `/metrics` are served; port 0 serves nothing."""

    host: str = "127.0.0.1"
    port: int = Field(default=9477, ge=0, le=65535)


class WebSettings(Section):
    """The web page: where it listens, the address in its links, and who must sign in for how long."""

    enabled: bool = False
    host: str = "127.0.0.1"
    port: int = Field(default=7860, ge=0, le=65535)
    address: str | None = Field(default=None, pattern="^https?://")
    always_sign_in: bool = False
    session_hours: float = Field(default=12, gt=0)

    @property
    def is_local(self) -> bool:
        """Return whether only this machine reaches the page."""
        return self.host in {"127.0.0.1", "::1", "localhost"}

    @property
    def needs_sign_in(self) -> bool:
        """Return whether users must sign in."""
        return self.always_sign_in or not self.is_local

    @property
    def public_address(self) -> str:
        """Return the address under which users open the page, without a slash at its end."""
        return (self.address or f"http://{self.host}:{self.port}").rstrip("/")


class AlertSettings(Section):
    """The channel for alerts to the operator, and how long each kind of alert is quiet after one."""

    channel: int | None = None
    quiet_minutes: float = Field(default=60, ge=1)


class LogSettings(Section):
    """Log level and format."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["console", "json"] = "console"


_CARD_SIZES = {
    "portrait": SizeSettings(first="448x640", hires="960x1280"),
    "landscape": SizeSettings(first="640x448", hires="1280x960"),
    "square": SizeSettings(first="512x512", hires="1024x1024"),
}


class Settings(Section):
    """The whole configuration."""

    discord: DiscordSettings = DiscordSettings()
    checkpoint: CheckpointSettings = CheckpointSettings()
    checkpoints: dict[Name, MoreCheckpointSettings] = {}
    vaes: dict[Name, str] = {}
    storage: StorageSettings = StorageSettings()
    sizes: dict[str, SizeSettings] = _CARD_SIZES
    defaults: DefaultSettings = DefaultSettings()
    limits: LimitSettings = LimitSettings()
    prompts: PromptSettings = PromptSettings()
    quota: QuotaSettings = QuotaSettings()
    house: ModerationSettings = ModerationSettings()
    tags: TagSettings = TagSettings()
    worker: WorkerSettings = WorkerSettings()
    ray: RaySettings = RaySettings()
    tagger: TaggerSettings = TaggerSettings()
    monitoring: MonitoringSettings = MonitoringSettings()
    web: WebSettings = WebSettings()
    alerts: AlertSettings = AlertSettings()
    log: LogSettings = LogSettings()
    token: SecretStr | None = Field(default=None, exclude=True)
    source: Path | None = Field(default=None, exclude=True)  # the file that was read; none of its keys

    @model_validator(mode="before")
    @classmethod
    def _suit_the_bundled_checkpoint(cls, values: object) -> object:
        if not isinstance(values, dict):
            return values
        checkpoint = values.get("checkpoint")
        if not isinstance(checkpoint, dict) or checkpoint.get("path") != BUNDLED:
            return values
        own = tomllib.loads(bundled_checkpoint().with_name("bundled.toml").read_text(encoding="utf-8"))
        defaults = {**own["defaults"], **values.get("defaults", {})}
        return {"sizes": own["sizes"], **values, "defaults": defaults}

    @property
    def moderation(self) -> ModerationSettings:
        """Return the section with the rules for every server."""
        return self.house

    @property
    def checkpoint_names(self) -> tuple[str, ...]:
        """Return the checkpoints' names, the default first."""
        return (self.checkpoint.name, *self.checkpoints)


def bundled_checkpoint() -> Path:
    """Return the folder of the checkpoint inside the package."""
    return Path(__file__).parents[1] / "data" / "checkpoint"


def checkpoint_location(reference: str) -> str:
    """Return the file, folder or hub name that a configured checkpoint stands for: `bundled` is inside the package."""
    return str(bundled_checkpoint()) if reference == BUNDLED else reference
