"""JSON of other people's files: whatever is wrong with it is a ValueError, nesting too deep to be read too."""

import json
from collections.abc import Callable
from typing import Any

_Pairs = Callable[[list[tuple[str, Any]]], object]


def parse_json(content: str | bytes, *, pairs: _Pairs | None = None) -> Any:  # noqa: ANN401 - JSON is anything
    """Return what a JSON text says; `pairs` makes an object of its keys and values. Raises ValueError."""
    try:
        return json.loads(content, object_pairs_hook=pairs)
    except RecursionError as error:
        raise ValueError("its JSON is nested too deeply") from error
