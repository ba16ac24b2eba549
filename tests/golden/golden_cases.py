"""Where the recordings are, for the lists of cases that tests are parametrised with.

The folder is named by `PASTELBOT_GOLDEN`. Without it, `../shared/golden` beside the repository is taken, which is the
full set, or else the copy in `data`, which `trim.py` has made of it.

With `PASTELBOT_GOLDEN_REPORT` set, the differences of each case are appended to that file; `conformance.py` makes the
table in docs/conformance.md of it.
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


def report(feature, case, differences):
    """Append a case's (largest, mean) differences by name to the report, where one is wanted."""
    if path := os.environ.get("PASTELBOT_GOLDEN_REPORT"):
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(json.dumps({"feature": feature, "case": case, "differences": differences}) + "\n")
