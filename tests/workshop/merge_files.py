"""Files of the reference data for merges: a narrow checkpoint with all names of a real one."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PLACES = (ROOT.parent / "shared" / "golden-merge", ROOT / "tests" / "golden_merge" / "data")


def needed(*parts):
    """Return a file of the reference data, or skip the test."""
    named = os.environ.get("PASTELBOT_GOLDEN_MERGE")
    for place in (Path(named).expanduser(),) if named else PLACES:
        path = place.joinpath(*parts)
        if path.exists():
            return path
    return pytest.skip(f"there is no golden-merge/{'/'.join(parts)}")
