import pytest
from helpers.support import make_settings

from pastelbot.service.housekeeping import Housekeeping


class Files:
    """Remembers how it was swept."""

    def __init__(self):
        self.sweeps = []

    async def sweep(self, *, before, max_bytes):
        self.sweeps.append((before, max_bytes))


@pytest.mark.parametrize(
    ("storage", "day", "max_bytes"),
    [({}, None, 0), ({"keep_days": 7}, 15, 0), ({"max_gib": 1.5}, None, 3 * 2**29), ({"keep_days": 0.5}, 22, 0)],
)
async def test_the_operators_limits_are_kept(tmp_path, clock, storage, day, max_bytes):
    files = Files()
    base = make_settings(tmp_path).storage

    await Housekeeping(base.model_copy(update=storage), files, clock=clock).sweep()

    ((before, cap),) = files.sweeps
    assert (before and before.day, cap) == (day, max_bytes)
