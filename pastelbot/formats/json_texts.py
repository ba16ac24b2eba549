"""JSON of other people's files: whatever is wrong with it is a ValueError, nesting too deep to be read too."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pastelbot.formats.file_forms import form_of_no_text
from pastelbot.formats.texts.decoding import decoded

_Pairs = Callable[[list[tuple[str, Any]]], object]


def parse_json(content: str | bytes, *, pairs: _Pairs | None = None) -> Any:  # noqa: ANN401 - JSON is anything
    """Return what a JSON text says; `pairs` makes an object of its keys and values. Raises ValueError."""
    try:
        return json.loads(content, object_pairs_hook=pairs)
    except RecursionError as error:
        raise ValueError("its JSON is nested too deeply") from error


def read_json(path: Path) -> Any:  # noqa: ANN401 - JSON is anything
    """Return what a file of JSON says, in UTF-8 or UTF-16; raises OSError, and a ValueError that says what it is."""
    content = path.read_bytes()
    if (form := form_of_no_text(content)) is not None:
        raise ValueError(f"it is {form}")
    if not content.strip():
        raise ValueError("it is empty")
    try:
        return parse_json(decoded(content))
    except UnicodeDecodeError as error:
        raise ValueError("it is not text in UTF-8 or UTF-16") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"it is not valid JSON: see line {error.lineno}") from error
