"""Flags of a prompt, read as generation options, and written."""

import re
from collections.abc import Mapping
from typing import Any

from pastelbot.errors import PromptError, RequestError
from pastelbot.infotext import refuse_infotext
from pastelbot.options.catalogue import BY_NAME, OPTIONS
from pastelbot.options.generation_options import GenerationOptions
from pastelbot.options.option import Fields, Flag, Option
from pastelbot.prompt import flags
from pastelbot.prompt.comments import strip_comments

# Any: each option has a type of its own.
_READERS: Mapping[str, tuple[Option[Any], Flag[Any]]] = {
    flag.syntax.name: (option, flag) for option in OPTIONS for flag in option.flags
}
_SYNTAX = tuple(flag.syntax for _option, flag in _READERS.values())
FLAGS = tuple(syntax.written for syntax in _SYNTAX)  # an example of each


def options_from_prompt(text: str) -> GenerationOptions:
    """Return what a typed prompt says, flags and all; raises PromptError with the position of what is wrong.

    A prompt that is an infotext is refused. Of a flag that is there twice the last one counts, unless its option joins
    them, as `--no` does.
    """
    refuse_infotext(text)
    read = flags.read_flags(strip_comments(text).strip(), _SYNTAX)
    values: dict[str, object] = {"prompt": read.prompt}
    for flag in read.flags:
        try:
            values |= _fields(flag, values)
        except RequestError as error:
            raise _at(flag, str(error)) from error
    return GenerationOptions(**values)  # type: ignore[arg-type]  # the readers' own values


def _fields(flag: flags.Flag, values: Mapping[str, object]) -> Fields:
    """Return the fields that a flag sets, beside the values of those before it."""
    option, reader = _READERS[flag.name]
    value = reader.read(flag.value)
    before = values.get(option.name)
    return option.fields(value if option.join is None or before is None else option.join(before, value))


def _at(flag: flags.Flag, sentence: str) -> PromptError:
    return PromptError(
        f"The flag --{flag.name} at character {flag.position + 1} cannot be used: {sentence}", position=flag.position
    )


def written_flags(values: Mapping[str, object]) -> tuple[str, Mapping[str, object]]:
    """Return a command's typed values as flags, and those that have no flag by their names."""
    written, left = [], {}
    for name, value in values.items():
        option = BY_NAME.get("denoise" if name == "strength" else name)
        if option is None or not option.flags:
            left[name] = value
        elif value is None:
            continue
        elif isinstance(value, bool):
            written += [f"--{each.syntax.name}" for each in option.flags if each.read("") is value]
        else:
            written.append(f"--{option.flags[0].syntax.name} {_quoted(str(value))}")
    return " ".join(written), left


def _quoted(value: str) -> str:
    """Return a value as a flag takes it whole."""
    return f'"{value}"' if re.search(r"[\s,]|--", value) and '"' not in value else value
