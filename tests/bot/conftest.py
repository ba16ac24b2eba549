"""The bot on a simulated Discord, without a worker."""

import pytest
from helpers.simulator import settle_quickly
from helpers.studio import SimulatedServer
from helpers.support import make_settings

from pastelbot.bot.messages import delivery


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Let the simulator look for idleness often, and retries come soon."""
    settle_quickly(monkeypatch)
    monkeypatch.setattr(delivery, "_FIRST_RETRY", 0.01)


@pytest.fixture
async def open_studio(tmp_path, clock):
    """Return a function that opens the studio with other settings."""
    opened = []

    async def open_it(*, executor=None, **sections):
        studio = SimulatedServer(make_settings(tmp_path, **sections), clock, executor)
        opened.append(studio)
        await studio.open()
        return studio

    yield open_it
    for studio in opened:
        await studio.close()


@pytest.fixture
async def studio(open_studio):
    """A server with an art channel, two people and a moderator; the executor does what the test says."""
    return await open_studio()
