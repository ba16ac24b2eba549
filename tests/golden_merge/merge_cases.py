"""Where the reference data for merges is; everything is driven by the cases.json files in it.

The folder is named by `PASTELBOT_GOLDEN_MERGE`; without it, `../shared/golden-merge` beside the repository or the
trimmed copy in `data` is taken. Any folder of the same form must pass the same tests.
"""

import json
import math
import os
from pathlib import Path

import pytest
import torch

HERE = Path(__file__).resolve().parent
PLACES = (HERE.parents[2] / "shared" / "golden-merge", HERE / "data")


def folder():
    """Return the folder of reference data, or None."""
    named = os.environ.get("PASTELBOT_GOLDEN_MERGE")
    places = (Path(named).expanduser(),) if named else PLACES
    return next((place for place in places if place.is_dir()), None)


def cases(part):
    """Return the cases of one part as parameters, named as they are; none where the part is absent."""
    place = folder()
    if place is None or not (place / part / "cases.json").exists():
        return [pytest.param(None, marks=pytest.mark.skip(f"there is no golden-merge/{part}"))]
    found = json.loads((place / part / "cases.json").read_text(encoding="utf-8"))
    return [pytest.param(case, id=case["name"]) for case in found]


def needed(*parts):
    """Return a file of the reference data, or skip the test."""
    place = folder()
    path = place.joinpath(*parts) if place else None
    if path is None or not path.exists():
        pytest.skip(f"there is no golden-merge/{'/'.join(parts)}")
    return path


def read_json(*parts):
    return json.loads(needed(*parts).read_text(encoding="utf-8"))


def half_step(size):
    """Return the distance between neighbouring fp16 numbers, elementwise, at numbers of this size."""
    exponent = torch.floor(torch.log2(size.double().abs().clamp_min(2.0**-14)))
    return 2.0 ** (exponent - 10)


def assert_near(expected, actual, tolerance, name):
    """Compare elementwise, with a tolerance that may be a tensor; return the largest difference."""
    difference = (expected.double() - actual.double()).abs()
    worst = float((difference - tolerance).max()) if difference.numel() else -math.inf

    assert worst <= 0, f"{name} differs by {float(difference.max()):.3g}"
    return float(difference.max()) if difference.numel() else 0.0


def summary(numbers):
    """Return (largest, mean) for a report."""
    found = [*numbers] or [0.0]
    return max(found), sum(found) / len(found)
