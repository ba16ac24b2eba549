"""JSON of other people's files: whatever is wrong with it is a ValueError, nesting too deep to be read too."""

import json
from typing import Any


def parse_json(content: str | bytes) -> Any:  # noqa: ANN401 - JSON is anything
    """Return what a JSON text says; raises ValueError."""
    try:
        return json.loads(content)
    except RecursionError as error:
        raise ValueError("its JSON is nested too deeply") from error
