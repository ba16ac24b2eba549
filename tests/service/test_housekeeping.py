import pytest
from helpers.support import make_settings
from structlog.testing import capture_logs

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


@pytest.mark.parametrize(("alarm_gib", "warned"), [(0, False), (1, False), (1e-6, True)])
def test_a_large_database_is_warned_of(tmp_path, clock, alarm_gib, warned):
    base = make_settings(tmp_path).storage
    base.database.parent.mkdir()
    base.database.write_bytes(bytes(5000))
    with capture_logs() as logs:
        storage = base.model_copy(update={"database_alarm_gib": alarm_gib})
        Housekeeping(storage, Files(), clock=clock).watch_database()

    assert ["the database is large" in entry["event"] for entry in logs] == [True] * warned
