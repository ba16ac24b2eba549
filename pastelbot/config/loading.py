"""Loading: a TOML file and environment variables become one validated, frozen `Settings`.

Every key has a default; `config.example.toml` lists them all. A variable `PASTELBOT_<SECTION>__<KEY>` overrides the
file, for example `PASTELBOT_LIMITS__MAX_STEPS=40`. The token comes from `PASTELBOT_TOKEN` or from the file named by
`discord.token_file`, never from the configuration itself. Relative paths start at the configuration file's folder.
"""

import difflib
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import SecretStr, ValidationError

from pastelbot.config.sections import BUNDLED, MoreCheckpointSettings, Section, Settings, SizeSettings
from pastelbot.errors import ConfigError

_ENV_PREFIX = "PASTELBOT_"
_OTHER_VARIABLES = {
    "PASTELBOT_TOKEN",
    "PASTELBOT_CONFIG",
    "PASTELBOT_GOLDEN",
    "PASTELBOT_GOLDEN_MERGE",
    "PASTELBOT_GOLDEN_REPORT",
}
_NO_KEYS = ("token", "source")  # fields of the settings that the file does not have
_LISTS = {("discord", "guild_ids"), ("house", "operators"), ("house", "words"), ("house", "adult_ratings")}


def load(path: Path | str | None = None, *, environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the configuration file (none: the defaults) and the environment.

    Raises ConfigError naming the file, the key and, for a mistyped key, the nearest valid one.
    """
    values = {} if path is None else _read(Path(path))
    _merge(values, _from_environment(environ))
    if "source" in values:
        raise ConfigError(f"Unknown key source in {path}.{_nearest('source', list(Settings.model_fields))}")
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
    return settings.model_copy(update={"token": _token(settings, environ), "source": path and Path(path)})


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
        if not name.startswith(_ENV_PREFIX) or name in _OTHER_VARIABLES:
            continue
        section, _, key = name.removeprefix(_ENV_PREFIX).lower().partition("__")
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
    return list(model.model_fields) if isinstance(model, type) and issubclass(model, Section) else []


def _unknown_variable(name: str) -> str:
    known = [f"{_ENV_PREFIX}{section}__{key}".upper() for section in Settings.model_fields for key in _keys(section)]
    return f"The environment variable {name} is unknown.{_nearest(name, [*known, *sorted(_OTHER_VARIABLES)])}"


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
        known = _keys(path[0]) if len(path) > 1 else [name for name in Settings.model_fields if name not in _NO_KEYS]
        if path[0] == "sizes":
            known = list(SizeSettings.model_fields)
        if path[0] == "checkpoints":
            known = list(MoreCheckpointSettings.model_fields)
        return f"Unknown key {key} in {source}.{_nearest(path[-1], known)}"
    message = first["msg"].removeprefix("Value error, ")
    return f"{key or 'The configuration'} in {source} is wrong: {message} (it is {first['input']!r})."[:600]


def _anchored(settings: Settings, base: Path) -> Settings:
    """Make relative paths start at `base`, and take files that are there for the references that name them."""
    sections = {name: _beside(value, base) for name, value in settings if isinstance(value, Section)}
    tables: dict[str, object] = {
        "checkpoint": _referring(sections["checkpoint"], base),
        "checkpoints": {name: _referring(one, base) for name, one in settings.checkpoints.items()},
        "vaes": {name: _location(vae, base) for name, vae in settings.vaes.items()},
    }
    return settings.model_copy(update=sections | tables)


def _beside(section: Section, base: Path) -> Section:
    return section.model_copy(update={key: base / value for key, value in section if isinstance(value, Path)})


def _referring(checkpoint: Section, base: Path) -> Section:
    """Return a checkpoint's settings with the places of the files that it refers to."""
    references = {key: value for key, value in checkpoint if key in ("path", "vae") and value is not None}
    return checkpoint.model_copy(update={key: _location(value, base) for key, value in references.items()})


def _location(reference: str, base: Path) -> str:
    """Resolve a file or folder beside the configuration; hub names and other places stay unchanged."""
    return str(base / reference) if reference != BUNDLED and (base / reference).exists() else reference


def _token(settings: Settings, environ: Mapping[str, str]) -> SecretStr | None:
    text = environ.get("PASTELBOT_TOKEN", "").strip()
    file = settings.discord.token_file
    if not text and file is not None:
        try:
            text = file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"discord.token_file {file} cannot be read: {error}.") from error
    return SecretStr(text) if text else None
