"""A worker without a GPU is said to be slow, with an estimate."""

import pytest
from helpers.stages import Stage
from structlog.testing import capture_logs

from pastelbot.records import WorkerReady
from pastelbot.store.database import Database


@pytest.mark.parametrize(("flops", "minutes"), [(1.0706e11, [50]), (None, [])])
async def test_the_log_estimates_the_minutes_of_a_picture(tmp_path, clock, flops, minutes):
    """1.07e11 operations a second, of which half are reached: 30.3 megapixel-steps of 5.3e12 take 50 minutes."""
    database = await Database.open(tmp_path / "bot.sqlite3")
    stage = Stage(database, tmp_path / "pictures", clock)
    with capture_logs() as logs:
        await stage.start()
        stage.executor.emit(WorkerReady(device="cpu", checkpoint="c", checkpoint_hash="0", flops=flops))
        await stage.quiet()
    await stage.dispatcher.close()
    await database.close()

    assert [entry["card_picture_minutes"] for entry in logs if "no GPU" in entry["event"]] == minutes
