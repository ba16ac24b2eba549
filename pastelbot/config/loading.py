"""Loading: a TOML file and environment variables become one validated, frozen `Settings`.

Every key has a default; `config.example.toml` lists them all. A variable `PASTELBOT_<SECTION>__<KEY>` overrides the
file, for example `PASTELBOT_LIMITS__MAX_STEPS=40`. The token comes from `PASTELBOT_TOKEN` or from the file named by
`discord.token_file`, never from the configuration itself. Relative paths start at the configuration file's folder.
"""

import os
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from pastelbot.config.mistakes import Source, listed, nearest, section_keys, validated
from pastelbot.config.sections import BUNDLED, Section, Settings
from pastelbot.errors import ConfigError, PathError
from pastelbot.paths import local_path

_ENV_PREFIX = "PASTELBOT_"
_OTHER_VARIABLES = {
    "PASTELBOT_TOKEN",
    "PASTELBOT_CONFIG",
    "PASTELBOT_GOLDEN",
    "PASTELBOT_GOLDEN_MERGE",
    "PASTELBOT_GOLDEN_REPORT",
}
Check = Callable[[Settings], Iterable[str]]
_LISTS = {("discord", "guild_ids"), ("house", "operators"), ("house", "words"), ("house", "adult_ratings")}


def load(
    path: Path | str | None = None, *, environ: Mapping[str, str] = os.environ, checks: Sequence[Check] = ()
) -> Settings:
    """Read the configuration file (none: the defaults) and the environment.

    `checks` yield the mistakes that only layers above know, such as unknown samplers, about what is right so far.
    Raises ConfigError with every mistake: the file or the variable, the key and, for a mistyped name, the nearest.
    """
    values = {} if path is None else _read(Path(path))
    mistakes = list(_forbidden(values, str(path)))
    variables, unknown = _from_environment(environ)
    mistakes += unknown
    _merge(values, variables)
    source = Source(file=None if path is None else str(path), variables=_names(variables))
    settings, found = validated(values, source)
    mistakes += found
    anchors = _Anchors(Path.cwd() if path is None else Path(path).resolve().parent, source)
    settings = anchors.anchored(settings)
    mistakes += anchors.mistakes
    mistakes += [mistake for check in checks for mistake in check(settings)]
    if mistakes:
        raise ConfigError(listed(mistakes, "the environment" if path is None else str(path)))
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


def _forbidden(values: dict[str, Any], source: str) -> Iterator[str]:
    """Yield what must not be in the file, and take it out."""
    if values.pop("source", None) is not None:
        yield f"Unknown key source in {source}.{nearest('source', list(Settings.model_fields))}"
    discord = values.get("discord")
    sections = (values, discord) if isinstance(discord, dict) else (values,)
    tokens = [section.pop("token") for section in sections if "token" in section]
    if tokens:
        yield (
            "The token does not belong in the configuration: set PASTELBOT_TOKEN, or write it into a file of its own "
            "and name that in discord.token_file."
        )


def _from_environment(environ: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    """Return the sections that variables set, and a sentence for each variable that is unknown."""
    values: dict[str, Any] = {}
    unknown = []
    for name in sorted(environ):
        if not name.startswith(_ENV_PREFIX) or name in _OTHER_VARIABLES:
            continue
        section, _, key = name.removeprefix(_ENV_PREFIX).lower().partition("__")
        if key and key in section_keys(section):
            values.setdefault(section, {})[key] = _value(environ[name], section, key)
        else:
            unknown.append(_unknown_variable(name))
    return values, unknown


def _names(variables: Mapping[str, Mapping[str, object]]) -> dict[tuple[str, str], str]:
    """Return the variable of each key that one sets."""
    return {
        (section, key): f"{_ENV_PREFIX}{section}__{key}".upper() for section, keys in variables.items() for key in keys
    }


def _value(text: str, section: str, key: str) -> object:
    if (section, key) in _LISTS:
        return [part.strip() for part in text.split(",") if part.strip()]
    return None if text == "" else text


def _unknown_variable(name: str) -> str:
    known = [
        f"{_ENV_PREFIX}{section}__{key}".upper() for section in Settings.model_fields for key in section_keys(section)
    ]
    return f"The environment variable {name} is unknown.{nearest(name, [*known, *sorted(_OTHER_VARIABLES)])}"


def _merge(values: dict[str, Any], over: dict[str, Any]) -> None:
    for section, keys in over.items():
        target = values.setdefault(section, {})
        if isinstance(target, dict):
            target.update(keys)


class _Anchors:
    """The folder where relative paths start, and what is wrong with paths that the configuration names."""

    def __init__(self, base: Path, source: Source) -> None:
        self._base, self._source = base, source
        self.mistakes: list[str] = []

    def anchored(self, settings: Settings) -> Settings:
        """Make relative paths start at the folder, and take files that are there for the references that name them."""
        sections = {name: self._beside(name, value) for name, value in settings if isinstance(value, Section)}
        tables: dict[str, object] = {
            "checkpoint": self._referring(("checkpoint",), sections["checkpoint"]),
            "checkpoints": {
                name: self._referring(("checkpoints", name), one) for name, one in settings.checkpoints.items()
            },
            "vaes": {name: self._location(("vaes", name), vae) for name, vae in settings.vaes.items()},
        }
        return settings.model_copy(update=sections | tables)

    def _beside(self, name: str, section: Section) -> Section:
        paths = {key: self._path((name, key), value) for key, value in section if isinstance(value, Path)}
        return section.model_copy(update=paths)

    def _referring(self, loc: tuple[str, ...], checkpoint: Section) -> Section:
        """Return a checkpoint's settings with the places of its files; what stays as it is does not count as set."""
        references = {key: value for key, value in checkpoint if key in ("path", "vae") and value is not None}
        places = {key: self._location((*loc, key), value) for key, value in references.items()}
        changed = {key: place for key, place in places.items() if place != references[key]}
        return checkpoint.model_copy(update=changed)

    def _location(self, loc: tuple[str, ...], reference: str) -> str:
        """Resolve a file or folder beside the configuration; hub names and other places stay unchanged."""
        if reference == BUNDLED:
            return reference
        place = self._path(loc, reference)
        return str(place) if place.exists() else reference

    def _path(self, loc: tuple[str, ...], written: str | Path) -> Path:
        """Return a path that begins at the folder where it is relative; of an impossible one, keep the mistake."""
        try:
            return local_path(written, self._base)
        except PathError as error:
            self.mistakes.append(f"{self._source.place(loc)}: {error}")
            return self._base


def _token(settings: Settings, environ: Mapping[str, str]) -> SecretStr | None:
    text = environ.get("PASTELBOT_TOKEN", "").strip()
    file = settings.discord.token_file
    if not text and file is not None:
        try:
            text = file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"discord.token_file {file} cannot be read: {error}.") from error
    return SecretStr(text) if text else None
