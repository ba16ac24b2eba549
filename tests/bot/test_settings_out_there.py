"""What servers, channels, roles and people have set: stored under the names and in the form that it always had.

`data/settings.json` has a command for each of them, and the rows that it left in the table `settings`.
"""

import contextlib
import json
import sqlite3
from pathlib import Path

import pytest
from discord import Permissions

from pastelbot.records import GenerationRequest

RECORD = json.loads((Path(__file__).parent / "data" / "settings.json").read_text(encoding="utf-8"))
EVERYWHERE = 0


class Server:
    """A studio with a boss and a member of a role; "#art" in the record is the channel art."""

    def __init__(self, studio, people, mods, members):
        self.studio = studio
        self.people = {"hana": studio.hana, **people}
        self.places = {"art": studio.channel, "mods": mods, "members": members, "server": studio.guild}

    def owner(self, name):
        found = self.people.get(name) or self.places.get(name)
        return found.id if found is not None else EVERYWHERE

    def stored(self, value):
        """Return a recorded value with this server's ids."""
        if isinstance(value, dict):
            return {str(self.stored(key)): each for key, each in value.items()}
        return self.owner(value[1:]) if isinstance(value, str) and value.startswith("#") else value

    def rows(self):
        """Return all recorded rows."""
        return {
            (each["owner"][0], self.owner(each["owner"][1]), name): self.stored(value)
            for each in RECORD
            for name, value in each["rows"].items()
        }

    async def do(self, each):
        options = {
            name: self.places[value[1:]] if isinstance(value, str) and value.startswith("#") else value
            for name, value in each["options"].items()
        }
        person = self.people[each["by"]]
        await person.slash(self.studio.channel, each["command"], **options)

    async def says(self, person, command):
        return (await self.people[person].slash(self.studio.channel, command)).response.content


@pytest.fixture
async def server(open_studio):
    studio = await open_studio(
        checkpoints={"anything": {"path": "hub/anything"}}, vaes={"soft": "soft.safetensors"}, quota={"saved_days": 1}
    )
    managers = studio.guild.create_role("managers", permissions=Permissions(manage_guild=True))
    members = studio.guild.create_role("members")
    people = {
        name: studio.guild.add_member(studio.env.create_user(name), roles=[role])
        for name, role in (("boss", managers), ("member", members))
    }
    return Server(studio, people, studio.guild.create_text_channel("mods"), members)


def database_of(server):
    return contextlib.closing(sqlite3.connect(server.studio.settings.storage.database))


async def furnish(server, wanted):
    """Put recorded rows into the database, as an earlier version left them."""
    await server.studio.bot.close()
    with database_of(server) as database, database:
        rows = [(*key, json.dumps(value)) for key, value in server.rows().items() if wanted(key)]
        database.executemany("INSERT INTO settings VALUES (?, ?, ?, ?)", rows)
    await server.studio.restart()


def is_drain(key):
    return key[2] == "drained"


async def test_every_command_stores_what_it_always_stored(server):
    for each in RECORD:
        if each["command"] is not None:
            await server.do(each)

    with database_of(server) as database:
        rows = database.execute("SELECT scope, id, name, value FROM settings").fetchall()
    stored = {tuple(row[:3]): json.loads(row[3]) for row in rows}
    assert stored == {key: value for key, value in server.rows().items() if key[1] != EVERYWHERE}


async def asked(server, by):
    """Return the request that a prompt alone leads to, and what else is wanted of it."""
    result = await server.studio.imagine("1girl", by=by)
    job = await server.studio.jobs.by_message(result.response.id)
    return job.request, job.options


async def test_stored_settings_decide_what_is_painted(server):
    await furnish(server, lambda key: not is_drain(key))
    own, options = await asked(server, server.people["hana"])
    usual, _options = await asked(server, server.studio.kenji)
    capped, _options = await asked(server, server.people["member"])

    assert own.replace(seed=0) == GenerationRequest(
        prompt="mksks style, masterpiece, 1girl, best quality",
        negative_prompt="lowres, bad hands",
        width=128,
        height=192,
        count=2,
        steps=9,
        cfg_scale=5.5,
        sampler="Euler a",
        schedule="Karras",
        clip_skip=1,
        checkpoint="anything",
        vae="soft",
    )
    assert (options.spoiler, options.private) == (True, False)
    assert (usual.prompt, usual.negative_prompt) == ("masterpiece, 1girl, best quality", "")
    assert (usual.steps, usual.cfg_scale, usual.hires) == (12, 6.0, None)
    assert capped.steps == 10


async def test_stored_rules_hold(server):
    await furnish(server, lambda key: not is_drain(key))
    mods, members, kenji = server.places["mods"], server.places["members"], server.studio.kenji
    shown = await server.says("boss", "admin show")

    for words in (
        f"only {server.studio.channel.mention}, not {mods.mention}",
        "**Caps of the server:** size 512, steps 20, count 3, hires 1024",
        f"{server.studio.channel.mention}: no hires fix",
        f"<@&{members.id}>: steps 10",
        "**Word list:** 2 entries. **Own adult tags:** 1 entry",
        f"**Mod channel:** {mods.mention}",
        f"**Admin role:** <@&{members.id}>",
        f"**Gallery's channel:** {mods.mention}",
        "**Weekly best-of:** on",
    ):
        assert words in shown
    assert "250 MP-steps" in await server.says("boss", "quota")
    assert "700 MP-steps" in await server.says("member", "quota")
    assert "`forbidden`, which is not allowed" in await server.studio.refused(
        await server.studio.imagine("1girl, forbidden", by=kenji)
    )
    assert "does not answer in this channel" in (await kenji.slash(mods, "queue")).response.content


@pytest.mark.parametrize("place", ["server", "everywhere"])
async def test_what_was_drained_stays_so(server, place):
    await furnish(server, lambda key: is_drain(key) and key[1] == server.owner(place))

    assert "taking a break" in await server.studio.refused(await server.studio.imagine())
