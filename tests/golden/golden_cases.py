"""Where the recordings are, for the lists of cases that tests are parametrised with.

The folder is named by `PASTELBOT_GOLDEN`. Without it, the copy in `data` is taken, which `trim.py` has made of several
sets.

With `PASTELBOT_GOLDEN_REPORT` set, the differences of each case are appended to that file; `conformance.py` makes the
table in docs/conformance.md of it.
"""

import json
import os
from pathlib import Path

HERE = Path(__file__).resolve().parent
LINK = 200  # bytes: a shorter file holds the way to another one


def folder():
    """Return the folder of recordings, or None where the one that was named has none."""
    named = os.environ.get("PASTELBOT_GOLDEN")
    place = Path(named).expanduser() if named else HERE / "data"
    return place.resolve() if any(place.glob("*.json")) else None


def followed(path):
    """Return a file or folder of a set, from another set where this one holds a link that became a file of text."""
    if path.is_file() and path.stat().st_size < LINK:
        return path.parent / path.read_text(encoding="utf-8").strip()
    return path


def cases(name, key=None, place=None):
    """Return the list of cases in one JSON file, empty where it is absent; the tests are skipped then."""
    place = place or folder()
    if place is None or not (place / name).exists():
        return []
    content = json.loads((place / name).read_text(encoding="utf-8"))
    return content if key is None else content[key]


def report(feature, case, differences):
    """Append a case's (largest, mean) differences by name to the report, where one is wanted."""
    if path := os.environ.get("PASTELBOT_GOLDEN_REPORT"):
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(json.dumps({"feature": feature, "case": case, "differences": differences}) + "\n")
