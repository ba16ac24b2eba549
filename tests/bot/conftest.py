"""The bot on a simulated Discord, without a worker."""

import asyncio
import json
import shutil

import pytest
from discord.app_commands import Command, ContextMenu, Group
from helpers.studio import SimulatedServer
from helpers.support import Clock, make_settings

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


@pytest.fixture(scope="session")
def started_before(tmp_path_factory):
    """Return what a bot leaves that has started once: its database's file, and the commands that Discord has.

    A bot that finds both neither takes in the shipped tags nor sends its commands, which is half of a test's time.
    """
    folder = tmp_path_factory.mktemp("started")
    studio = SimulatedServer(make_settings(folder, web={"enabled": True}), Clock())

    async def start_once():
        await studio.open()
        await studio.close()

    asyncio.run(start_once())
    return studio.settings.storage.database, studio.commands


@pytest.fixture
async def open_studio(tmp_path, clock, started_before):
    """Return a function that opens the studio with other settings; at its bot's `first` start nothing is there."""
    opened = []
    database, commands = started_before

    async def open_it(*, executor=None, first=False, **sections):
        sections.setdefault("web", {"enabled": True})  # which offers /web; the page is not served
        settings = make_settings(tmp_path, **sections)
        if not first and not settings.storage.database.exists():
            settings.storage.database.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(database, settings.storage.database)
        studio = SimulatedServer(settings, clock, executor)
        opened.append(studio)
        await studio.open(() if first else commands)
        return studio

    yield open_it
    for studio in opened:
        await studio.close()


@pytest.fixture
async def studio(open_studio):
    """A server with an art channel, two people and a moderator; the executor does what the test says."""
    return await open_studio()


@pytest.fixture
async def new_studio(open_studio):
    """The same at the first start of its bot, which sends Discord its commands."""
    return await open_studio(first=True)
