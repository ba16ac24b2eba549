"""Where the recordings are, for the lists of cases that tests are parametrised with.

The folder is named by `PASTELBOT_GOLDEN`. Without it, `../shared/golden` beside the repository is taken, which is the
full set, or else the copy in `data`, which `trim.py` has made of it.
"""

import json
import os
from pathlib import Path

HERE = Path(__file__).resolve().parent
PLACES = (HERE.parents[2] / "shared" / "golden", HERE / "data")


def places():
    """Return where to look for the recordings."""
    named = os.environ.get("PASTELBOT_GOLDEN")
    return (Path(named).expanduser(),) if named else PLACES


def folder():
    """Return the folder of recordings, or None."""
    return next((place.resolve() for place in places() if any(place.glob("*.json"))), None)


def cases(name, key=None):
    """Return the list of cases in one JSON file, empty where it is absent; the tests are skipped then."""
    place = folder()
    if place is None or not (place / name).exists():
        return []
    content = json.loads((place / name).read_text(encoding="utf-8"))
    return content if key is None else content[key]
