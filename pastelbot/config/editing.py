"""Editing of a configuration file: one key is set, and everything else, comments included, stays as it is."""

import json
import re
import tomllib
from typing import Any

from pastelbot.errors import ConfigError

_HEADER = re.compile(r"\s*\[")
_STRING_AND_REST = re.compile(r"""\s*("(?:[^"\\]|\\.)*"|'[^']*')(?P<rest>\s*(?:#.*)?)$""")


def with_key(text: str, section: str, key: str, value: str) -> str:
    """Return a TOML text in which a key of a section is a string.

    A key that is commented out is used in its place. Raises ConfigError where the key is written in a way that cannot
    be changed line by line, such as in an inline table.
    """
    edited = _edited(text, section, key, value)
    try:
        if tomllib.loads(edited) == _expected(text, section, key, value):
            return edited
    except tomllib.TOMLDecodeError:
        pass
    raise ConfigError(f"Set it by hand, please: {key} = {_literal(value)} under [{section}]. The file was not changed.")


def _edited(text: str, section: str, key: str, value: str) -> str:
    ending = "\r\n" if "\r\n" in text else "\n"
    lines = text.replace("\r\n", "\n").removesuffix("\n").split("\n") if text else []
    header = re.compile(rf"\s*\[\s*{section}\s*\]\s*(#.*)?")
    start = next((number for number, line in enumerate(lines) if header.fullmatch(line)), None)
    if start is None:
        lines += [*([""] if lines else []), f"[{section}]", f"{key} = {_literal(value)}"]
        return ending.join(lines) + ending
    end = next((at for at in range(start + 1, len(lines)) if _HEADER.match(lines[at])), len(lines))
    place = _place(lines, start + 1, end, key)
    if place is None:
        lines.insert(start + 1, f"{key} = {_literal(value)}")
    else:
        lines[place] = f"{key} = {_literal(value)}{_rest(lines[place])}"
    return ending.join(lines) + ending


def _place(lines: list[str], start: int, end: int, key: str) -> int | None:
    """Return the line of a key, else that of the key in a comment."""
    for pattern in (rf"\s*{key}\s*=", rf"\s*#\s*{key}\s*="):
        found = next((at for at in range(start, end) if re.match(pattern, lines[at])), None)
        if found is not None:
            return found
    return None


def _rest(line: str) -> str:
    """Return what stands behind the string of a line: spaces and a comment."""
    match = _STRING_AND_REST.match(line.partition("=")[2])
    return "" if match is None else match["rest"].rstrip()


def _expected(text: str, section: str, key: str, value: str) -> dict[str, Any]:
    values = tomllib.loads(text)
    values.setdefault(section, {})[key] = value
    return values


def _literal(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)
