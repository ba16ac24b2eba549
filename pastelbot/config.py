"""Configuration: a TOML file and environment variables become one validated, frozen `Settings`.

Every key has a default; `config.example.toml` lists them all. A variable `PASTELBOT_<SECTION>__<KEY>` overrides the
file, for example `PASTELBOT_LIMITS__MAX_STEPS=40`. The token comes from `PASTELBOT_TOKEN` or from the file named by
`discord.token_file`, never from the configuration itself. Relative paths start at the configuration file's folder.
"""

import difflib
import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from pastelbot.errors import ConfigError

ENV_PREFIX = "PASTELBOT_"
BUNDLED = "bundled"
_OTHER_VARIABLES = {
    "PASTELBOT_TOKEN",
    "PASTELBOT_CONFIG",
    "PASTELBOT_GOLDEN",
    "PASTELBOT_GOLDEN_MERGE",
    "PASTELBOT_GOLDEN_REPORT",
}
_LISTS = {("discord", "guild_ids"), ("house", "operators"), ("house", "words"), ("house", "adult_ratings")}
_SIZE = re.compile(r"\s*(\d+)\s*[xX×]\s*(\d+)\s*")

# The Pastel-Mix card's negative prompt: what its pictures were painted with.
CARD_NEGATIVE_PROMPT = (
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


Size = Annotated[str, AfterValidator(_checked_size)]
Name = Annotated[str, Field(min_length=1, max_length=100)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DiscordSettings(_Section):
    """How the bot meets Discord."""

    token_file: Path | None = None
    guild_ids: tuple[int, ...] = ()
    direct_messages: bool = False
    edit_seconds: float = Field(default=3.0, ge=0)
    mention_after_seconds: float = Field(default=60.0, ge=0)


class CheckpointSettings(_Section):
    """What paints, and on what."""

    name: str = Field(default="default", min_length=1, max_length=100)
    path: str = "andite/pastel-mix"
    vae: str | None = None
    taesd: Path | None = None
    upscalers: Path | None = None
    loras: Path | None = None
    embeddings: Path | None = None
    revision: str | None = None
    offline: bool = False
    cache_dir: Path | None = None
    device: str = "auto"
    precision: Literal["auto", "fp16", "bf16", "fp32"] = "auto"


class MoreCheckpointSettings(_Section):
    """Another checkpoint; its VAE is one of [vaes], or a file or folder as in [checkpoint]."""

    path: str
    vae: str | None = None
    revision: str | None = None


class StorageSettings(_Section):
    """Where things are kept, and picture files for how long; 0 is for ever, and no cap."""

    database: Path = Path("state/pastelbot.sqlite3")
    pictures: Path = Path("state/pictures")
    keep_days: float = Field(default=0, ge=0)
    max_gib: float = Field(default=0, ge=0)


class SizeSettings(_Section):
    """One named picture size: the first pass, and what the hires fix makes of it."""

    first: Size
    hires: Size


class DefaultSettings(_Section):
    """What a request uses where the person says nothing: the Pastel-Mix card's settings."""

    size: str = "portrait"
    negative_prompt: str = CARD_NEGATIVE_PROMPT
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


class LimitSettings(_Section):
    """Caps that nobody passes."""

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


class QuotaSettings(_Section):
    """How much each person may paint, in megapixel-steps, and how the line shares. Days are UTC days; 0 is no limit."""

    work_per_day: float = Field(default=3000, ge=0)
    saved_days: float = Field(default=3, ge=1)
    max_work_per_day: float = Field(default=0, ge=0)
    half_life_minutes: float = Field(default=30, gt=0)


class HouseSettings(_Section):
    """Order in the house: what holds in every server, whatever its own moderators set. Days of 0 are for ever."""

    operators: tuple[int, ...] = ()
    words: tuple[str, ...] = ()
    adult_list: Path | None = None
    adult_ratings: tuple[Literal["sensitive", "questionable", "explicit"], ...] = ("questionable", "explicit")
    adult_in_direct_messages: bool = False
    review_days: float = Field(default=7, ge=0)
    audit_days: float = Field(default=90, ge=0)


class PromptSettings(_Section):
    """What people can say in short inside a prompt."""

    wildcards: Path | None = None
    style: str = Field(default="mksks style", max_length=200)


class TagSettings(_Section):
    """What the vocabulary of tags is used for."""

    complete: bool = True
    suggest: bool = True


class WorkerSettings(_Section):
    """The process that paints."""

    jobs_at_once: int = Field(default=4, ge=1)
    threads: int = Field(default=0, ge=0)
    preview_steps: int = Field(default=4, ge=0)
    stall_seconds: float = Field(default=300, gt=0)
    checkpoints_in_memory: int = Field(default=2, ge=1)


class TaggerSettings(_Section):
    """What tells which tags a picture shows and how adult it is: a WD14 tagger, from a folder or the hub."""

    enabled: bool = False
    repo: str = "SmilingWolf/wd-vit-tagger-v3"
    revision: str | None = None
    path: Path | None = None
    general_threshold: float = Field(default=0.35, ge=0, le=1)
    character_threshold: float = Field(default=0.85, ge=0, le=1)
    rate_pictures: bool = True
    describes_per_minute: int = Field(default=6, ge=1)
    threads: int = Field(default=2, ge=0)


class LogSettings(_Section):
    """What is logged, and how."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["console", "json"] = "console"


CARD_SIZES = {
    "portrait": SizeSettings(first="448x640", hires="960x1280"),
    "landscape": SizeSettings(first="640x448", hires="1280x960"),
    "square": SizeSettings(first="512x512", hires="1024x1024"),
}


class Settings(_Section):
    """Everything an operator can set."""

    discord: DiscordSettings = DiscordSettings()
    checkpoint: CheckpointSettings = CheckpointSettings()
    checkpoints: dict[Name, MoreCheckpointSettings] = {}
    vaes: dict[Name, str] = {}
    storage: StorageSettings = StorageSettings()
    sizes: dict[str, SizeSettings] = CARD_SIZES
    defaults: DefaultSettings = DefaultSettings()
    limits: LimitSettings = LimitSettings()
    prompts: PromptSettings = PromptSettings()
    quota: QuotaSettings = QuotaSettings()
    house: HouseSettings = HouseSettings()
    tags: TagSettings = TagSettings()
    worker: WorkerSettings = WorkerSettings()
    tagger: TaggerSettings = TaggerSettings()
    log: LogSettings = LogSettings()
    token: SecretStr | None = Field(default=None, exclude=True)

    @model_validator(mode="before")
    @classmethod
    def _suit_the_bundled_checkpoint(cls, values: Any) -> Any:  # noqa: ANN401 - whatever was read
        checkpoint = values.get("checkpoint") if isinstance(values, dict) else None
        if not isinstance(checkpoint, dict) or checkpoint.get("path") != BUNDLED:
            return values
        own = tomllib.loads(bundled_checkpoint().with_name("bundled.toml").read_text(encoding="utf-8"))
        defaults = {**own["defaults"], **values.get("defaults", {})}
        return {"sizes": own["sizes"], **values, "defaults": defaults}

    @model_validator(mode="after")
    def _default_size_exists(self) -> "Settings":
        if self.defaults.size not in self.sizes:
            raise ValueError(f"defaults.size {self.defaults.size!r} is none of [sizes]: {', '.join(self.sizes)}")
        return self

    @model_validator(mode="after")
    def _names_are_different(self) -> "Settings":
        if self.checkpoint.name in self.checkpoints:
            raise ValueError(f"[checkpoints.{self.checkpoint.name}] has the name of [checkpoint]: change either")
        return self

    @property
    def checkpoint_names(self) -> tuple[str, ...]:
        """Return what the checkpoints are called, the default first."""
        return (self.checkpoint.name, *self.checkpoints)


def bundled_checkpoint() -> Path:
    """Return the folder of the checkpoint inside the package."""
    return Path(__file__).parent / "data" / "checkpoint"


def load(path: Path | str | None = None, *, environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the configuration file (none: the defaults) and the environment.

    Raises ConfigError naming the file, the key and, for a mistyped key, the nearest valid one.
    """
    values = {} if path is None else _read(Path(path))
    _merge(values, _from_environment(environ))
    if "token" in values or "token" in values.get("discord", {}):
        raise ConfigError(
            "The token does not belong in the configuration: set PASTELBOT_TOKEN, or write it into a file of its own "
            "and name that in discord.token_file."
        )
    base = Path.cwd() if path is None else Path(path).resolve().parent
    try:
        settings = _anchored(Settings.model_validate(values), base)
    except ValidationError as error:
        raise ConfigError(_explain(error, "the environment" if path is None else str(path))) from error
    return settings.model_copy(update={"token": _token(settings, environ)})


def bundled(**sections: Mapping[str, object]) -> Settings:
    """Return settings that suit the bundled checkpoint, with the given sections' keys changed."""
    values: dict[str, Any] = {name: dict(section) for name, section in sections.items()}
    values.setdefault("checkpoint", {}).setdefault("path", BUNDLED)
    return Settings.model_validate(values)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(f"There is no configuration file {path}: copy config.example.toml to it.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"The configuration file {path} cannot be read: {error}.") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"The configuration file {path} is not valid TOML: {error}.") from error


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name in sorted(environ):
        if not name.startswith(ENV_PREFIX) or name in _OTHER_VARIABLES:
            continue
        section, _, key = name.removeprefix(ENV_PREFIX).lower().partition("__")
        if not key or key not in _keys(section):
            raise ConfigError(_unknown_variable(name))
        values.setdefault(section, {})[key] = _value(environ[name], section, key)
    return values


def _value(text: str, section: str, key: str) -> object:
    if (section, key) in _LISTS:
        return [part.strip() for part in text.split(",") if part.strip()]
    return None if text == "" else text


def _keys(section: str) -> list[str]:
    field = Settings.model_fields.get(section)
    model = field.annotation if field is not None else None
    return list(model.model_fields) if isinstance(model, type) and issubclass(model, _Section) else []


def _unknown_variable(name: str) -> str:
    known = [f"{ENV_PREFIX}{section}__{key}".upper() for section in Settings.model_fields for key in _keys(section)]
    return f"The environment variable {name} sets nothing.{_nearest(name, [*known, *sorted(_OTHER_VARIABLES)])}"


def _nearest(word: str, known: list[str]) -> str:
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f" Did you mean {near[0]}?" if near else f" Known are: {', '.join(known)}."


def _merge(values: dict[str, Any], over: dict[str, Any]) -> None:
    for section, keys in over.items():
        target = values.setdefault(section, {})
        if isinstance(target, dict):
            target.update(keys)


def _explain(error: ValidationError, source: str) -> str:
    first = error.errors(include_url=False)[0]
    path = [str(part) for part in first["loc"]]
    key = ".".join(path)
    if first["type"] == "extra_forbidden":
        known = _keys(path[0]) if len(path) > 1 else [name for name in Settings.model_fields if name != "token"]
        if path[0] == "sizes":
            known = list(SizeSettings.model_fields)
        if path[0] == "checkpoints":
            known = list(MoreCheckpointSettings.model_fields)
        return f"Unknown key {key} in {source}.{_nearest(path[-1], known)}"
    message = first["msg"].removeprefix("Value error, ")
    return f"{key or 'The configuration'} in {source} is wrong: {message} (it is {first['input']!r})."[:600]


def _anchored(settings: Settings, base: Path) -> Settings:
    """Make relative paths start at `base`."""
    paths = {
        "storage": ("database", "pictures"),
        "discord": ("token_file",),
        "checkpoint": ("taesd", "upscalers", "loras", "embeddings"),
        "house": ("adult_list",),
        "tagger": ("path",),
        "prompts": ("wildcards",),
    }
    sections: dict[str, object] = {name: _beside(getattr(settings, name), base, keys) for name, keys in paths.items()}
    sections["vaes"] = {name: _anchored_reference(vae, base) for name, vae in settings.vaes.items()}
    sections["checkpoints"] = {name: _more_anchored(one, base) for name, one in settings.checkpoints.items()}
    return settings.model_copy(update=sections)


def _beside(section: _Section, base: Path, keys: Sequence[str]) -> _Section:
    return section.model_copy(update={key: path and base / path for key in keys for path in [getattr(section, key)]})


def _more_anchored(one: MoreCheckpointSettings, base: Path) -> MoreCheckpointSettings:
    vae = one.vae and _anchored_reference(one.vae, base)
    return one.model_copy(update={"path": _anchored_reference(one.path, base), "vae": vae})


def _anchored_reference(reference: str, base: Path) -> str:
    """Return where a file or folder beside the configuration is; hub names and other places stay as they are."""
    return str(base / reference) if (base / reference).exists() else reference


def _token(settings: Settings, environ: Mapping[str, str]) -> SecretStr | None:
    text = environ.get("PASTELBOT_TOKEN", "").strip()
    file = settings.discord.token_file
    if not text and file is not None:
        try:
            text = file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"discord.token_file {file} cannot be read: {error}.") from error
    return SecretStr(text) if text else None
