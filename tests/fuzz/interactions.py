"""Interactions with any values that Discord's own checks let through, sent to the bot in a simulated world."""

import asyncio
import json
import shutil
import tempfile
from pathlib import Path

from hypothesis import strategies as st
from simulation.fake_discord import ART
from simulation.users import PEOPLE, Users
from simulation.world import World

_UNEXPECTED = "Something went wrong here"  # what the bot says where an error is not one of ours
_GROUPS = (1, 2)
_FILE = 11
_RECORDED = Path(__file__).parents[1] / "bot" / "data" / "custom_ids.json"
_MENU = 1  # the type of slash commands


class UnexpectedError(AssertionError):
    """The bot met an error that is not one of ours."""


class Payloads(Users):
    """A user who sends what was drawn."""

    def send_drawn(self, send, drawn):
        """Send a command, or press a button with any custom id on a message that is there."""
        names, given = drawn
        if names:
            self.command(send, PEOPLE[0], *names, **given)
            return
        there = self.discord.visible()
        if there:
            data = {"custom_id": given, "component_type": 2}
            self._send(send, 3, PEOPLE[0], ART, data, message=there[-1])


class FuzzedWorld(World):
    """One life of the bot, without faults, in which a user sends what was drawn."""

    def __init__(self, folder, start, drawn):
        super().__init__("fuzzed", folder, start)
        self._drawn = drawn
        self._sender = Payloads(self.random, self.discord, self.trace)

    def lives(self):
        """Return how often the bot lives before its last life."""
        return 0

    async def _use(self, steps=None):  # noqa: ARG002 - how often users of a world do something
        self.users.command(self.gateway, PEOPLE[0], "imagine", prompt="1girl")
        await asyncio.sleep(5)
        for drawn in self._drawn:
            self._sender.send_drawn(self.gateway, drawn)
            await asyncio.sleep(2)


def send_all(start, drawn):
    """Send what was drawn to a new bot; raises UnexpectedError, or what the simulation finds violated."""
    folder = Path(tempfile.mkdtemp(prefix="fuzzed-"))
    world = FuzzedWorld(folder, start, drawn)
    try:
        world.run()
    finally:
        shutil.rmtree(folder)
    for message in world.discord.messages.values():
        if _UNEXPECTED in message.content:
            raise UnexpectedError(f"{drawn}: {message.content}")


def payloads(commands, texts, custom_ids):
    """Return lists of commands with options of the right types, and of custom ids."""
    leaves = [leaf for command in commands if command.get("type", _MENU) == _MENU for leaf in _leaves(command, ())]
    sent = st.one_of([_command(names, options, texts) for names, options in leaves])
    recorded = [each["custom_id"] for each in json.loads(_RECORDED.read_text(encoding="utf-8"))]
    pressed = st.tuples(st.just(()), custom_ids.map(lambda text: text[:100]) | st.sampled_from(recorded))
    return st.lists(sent | pressed, min_size=1, max_size=20)


def _leaves(command, before):
    names, options = (*before, command["name"]), command.get("options") or []
    groups = [option for option in options if option["type"] in _GROUPS]
    if not groups:
        yield names, options
    for group in groups:
        yield from _leaves(group, names)


def _command(names, options, texts):
    values = {option["name"]: _value(option, texts) for option in options if option["type"] != _FILE}
    needed = {option["name"] for option in options if option.get("required")}
    given = st.fixed_dictionaries(
        {name: value for name, value in values.items() if name in needed},
        optional={name: value for name, value in values.items() if name not in needed},
    )
    return st.tuples(st.just(names), given)


def _value(option, texts):
    """Return values of an option's type, within its limits; Discord holds both."""
    choices = [choice["value"] for choice in option.get("choices") or []]
    if choices:
        return st.sampled_from(choices)
    least, most = option.get("min_value"), option.get("max_value")
    return {
        3: texts.map(lambda text: text[: option.get("max_length", 6000)] or "a"),
        4: st.integers(-(2**53) if least is None else int(least), 2**53 if most is None else int(most)),
        5: st.booleans(),
        10: st.floats(least, most, allow_nan=False, allow_infinity=False),
    }.get(option["type"], st.sampled_from(PEOPLE))
