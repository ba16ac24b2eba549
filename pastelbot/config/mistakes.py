"""Mistakes in a configuration, in sentences: all of them at once, each with its key and what would be right."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from pastelbot.config.sections import MoreCheckpointSettings, Section, Settings, SizeSettings
from pastelbot.similarity import similar

_NO_KEYS = ("token", "source")  # fields of the settings that the file does not have
_TABLES: Mapping[str, type[Section]] = {"sizes": SizeSettings, "checkpoints": MoreCheckpointSettings}
_LONGEST = 60  # characters of a wrong value that are shown


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where values come from: the file, if there is one, and the environment variable of each key that one sets."""

    file: str | None = None
    variables: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def place(self, loc: Sequence[int | str]) -> str:
        """Return how a key is called, and where it is."""
        variable = self.variables.get((str(loc[0]), str(loc[1]))) if len(loc) > 1 else None
        key = ".".join(str(part) for part in loc if isinstance(part, str) and part != "[key]")
        entry = "".join(f", entry {part + 1}," for part in loc if isinstance(part, int))
        return f"{variable or key}{entry} in {'the environment' if variable else self.file or 'the environment'}"


def validated(values: dict[str, Any], source: Source) -> tuple[Settings, list[str]]:
    """Return the settings without what is wrong in them, and a sentence for each mistake.

    What is wrong is taken out of `values`, so that the rest can be checked as well.
    """
    mistakes: list[str] = []
    sizes = values.get("sizes")
    named_sizes = list(sizes) if isinstance(sizes, dict) else []
    while True:
        try:
            settings = Settings.model_validate(values)
        except ValidationError as error:
            found = error.errors(include_url=False)
            mistakes += [_sentence(each, source) for each in found]
            taken_out = [_taken_out(values, each) for each in found]
            if not any(taken_out):
                raise  # no mistake of the operator's
        else:
            return settings, mistakes + list(_unfit_names(settings, named_sizes))


def _unfit_names(settings: Settings, named_sizes: Sequence[str]) -> Iterator[str]:
    """Yield what is wrong with names that other keys refer to; a size with mistakes of its own is one of [sizes]."""
    size, name = settings.defaults.size, settings.checkpoint.name
    known = list(dict.fromkeys([*settings.sizes, *named_sizes]))
    if size not in known:
        yield f"defaults.size {size!r} is not one of [sizes]: {', '.join(known)}.{_meant(size, known)}"
    if name in settings.checkpoints:
        yield f"[checkpoints.{name}] has the name of [checkpoint]: change either."


def listed(mistakes: Sequence[str], source: str) -> str:
    """Return one mistake as it is, several as a list."""
    if len(mistakes) == 1:
        return mistakes[0]
    return "\n- ".join([f"There are {len(mistakes)} mistakes in the configuration ({source}):", *mistakes])


def section_keys(section: str) -> list[str]:
    """Return the keys of a section; none where there is no such section, or its keys are the operator's own names."""
    found = Settings.model_fields.get(section)
    model = found.annotation if found is not None else None
    return list(model.model_fields) if isinstance(model, type) and issubclass(model, Section) else []


def nearest(word: str, known: Sequence[str]) -> str:
    """Return a sentence with the known name that is most like a wrong one, else with all of them."""
    return _meant(word, known) or f" Known are: {', '.join(known)}."


def _meant(word: str, known: Sequence[str]) -> str:
    near = similar(word, known, most=1)
    return f" Did you mean {near[0]}?" if near else ""


def _taken_out(values: dict[str, Any], error: ErrorDetails) -> bool:
    """Take the wrong value out, of a table of the operator's own names the whole entry; return whether it was there."""
    loc = error["loc"]
    *parents, last = loc[:2] if loc[0] in _TABLES else loc
    here: Any = values
    for part in parents:
        inner = here.get(part) if isinstance(here, dict) else None
        if not isinstance(inner, dict):
            last = part  # an entry of a list: the whole list goes
            break
        here = inner
    if last not in here:
        return False
    del here[last]
    return True


def _sentence(error: ErrorDetails, source: Source) -> str:
    loc, kind = error["loc"], error["type"]
    place = source.place(loc)
    if kind == "extra_forbidden":
        what = "section" if len(loc) == 1 and isinstance(error["input"], dict) else "key"
        return f"Unknown {what} {place}.{nearest(str(loc[-1]), _known(loc))}"
    if kind == "missing":
        return f"{place} is missing: write {loc[-1]} = ... there."
    if kind == "value_error":
        return f"{place} is wrong: {str(error['msg']).removeprefix('Value error, ')}."
    return f"{place} must be {_right(kind, error.get('ctx', {}))}, not {_shown(error['input'])}.{_choice(error)}"


def _known(loc: Sequence[int | str]) -> list[str]:
    if len(loc) == 1:
        return [name for name in Settings.model_fields if name not in _NO_KEYS]
    table = _TABLES.get(str(loc[0]))
    return list(table.model_fields) if table is not None else section_keys(str(loc[0]))


_RIGHT: Mapping[str, Callable[[Mapping[str, Any]], str]] = {  # Any: pydantic's own
    "greater_than_equal": lambda limits: f"at least {limits['ge']:g}",
    "greater_than": lambda limits: f"more than {limits['gt']:g}",
    "less_than_equal": lambda limits: f"at most {limits['le']:g}",
    "less_than": lambda limits: f"less than {limits['lt']:g}",
    "string_too_short": lambda _limits: "a text that is not empty",
    "string_too_long": lambda limits: f"a text of at most {limits['max_length']} characters",
    "literal_error": lambda limits: str(limits["expected"]).replace("'", ""),
}
_RIGHT_TYPES = {
    "int": "a whole number",
    "float": "a number",
    "finite": "a number",
    "bool": "true or false",
    "string": "a text in quotes",
    "path": "a path in quotes",
    "tuple": "a list in square brackets",
    "dict": "a section with keys",
    "model": "a section with keys",
}


def _right(kind: str, limits: Mapping[str, Any]) -> str:  # Any: pydantic's own
    if kind in _RIGHT:
        return _RIGHT[kind](limits)
    return _RIGHT_TYPES.get(kind.partition("_")[0], "another value")


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return "a section"
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _choice(error: ErrorDetails) -> str:
    """Return what a mistyped choice may have meant."""
    if error["type"] != "literal_error":
        return ""
    known = str(error["ctx"]["expected"]).replace("'", "").replace(" or ", ", ").split(", ")
    return _meant(str(error["input"]), known)
