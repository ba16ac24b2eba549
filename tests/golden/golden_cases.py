"""Where the recordings are, for the lists of cases that tests are parametrised with (see conftest.py)."""

import json
import os
from pathlib import Path

HERE = Path(__file__).resolve().parent
PLACES = (HERE / "data", HERE.parents[2] / "shared" / "golden")


def folder():
    """Return the folder of recordings, or None."""
    named = os.environ.get("PASTELBOT_GOLDEN")
    places = (Path(named).expanduser(),) if named else PLACES
    return next((place for place in places if (place / "prompt_attention.json").exists()), None)


def cases(name, key=None):
    """Return the list of cases in one JSON file, empty where it is absent; the tests are skipped then."""
    place = folder()
    if place is None or not (place / name).exists():
        return []
    content = json.loads((place / name).read_text(encoding="utf-8"))
    return content if key is None else content[key]
