"""Files of JSON, such as the configurations of a diffusers folder, as people and programs save them."""

import json
from pathlib import Path
from typing import Any

from pastelbot.formats.file_forms import form_of_no_text
from pastelbot.formats.json_texts import parse_json
from pastelbot.formats.texts.decoding import decoded


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
