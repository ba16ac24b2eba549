"""The bot on a simulated Discord, without a worker."""

import json

import pytest
from discord.app_commands import Command, ContextMenu, Group
from helpers.studio import SimulatedServer
from helpers.support import make_settings

from pastelbot.i18n.languages import Languages


@pytest.fixture(autouse=True, scope="session")
def prepared_once():
    """Read the catalogues and translate the commands once, not for every bot: half of the time of most tests."""
    shipped = Languages.shipped()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Languages, "shipped", lambda: shipped)
        for kind in (Command, ContextMenu, Group):
            patch.setattr(kind, "get_translated_payload", remembering(kind.get_translated_payload))
        yield


def remembering(translate):
    """Return a command's translated payload as before, computed anew where the command differs."""
    known = {}

    async def get_translated_payload(command, tree, translator):
        key = tree.client.languages, json.dumps(command.to_dict(tree), sort_keys=True)
        if key not in known:
            known[key] = json.dumps(await translate(command, tree, translator))
        return json.loads(known[key])

    return get_translated_payload


@pytest.fixture
async def open_studio(tmp_path, clock):
    """Return a function that opens the studio with other settings."""
    opened = []

    async def open_it(*, executor=None, **sections):
        sections.setdefault("web", {"enabled": True})  # which offers /web; the page is not served
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
