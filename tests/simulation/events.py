"""What happens in a world from step to step: what people do, and what goes wrong around the bot."""

import asyncio
from contextlib import suppress

from simulation.fake_discord import GUILD
from simulation.users import MODERATOR, PEOPLE

from pastelbot.errors import StoreError


def happen(world):
    """Let one thing happen, by the world's chance."""
    events, weights = zip(*_EVENTS, strict=True)
    world.random.choices(events, weights)[0](world)


def _imagine(world):
    if not world.discord.closed:
        world.users.imagine(world.gateway)


def _click(world):
    world.users.click(world.gateway)


def _grant(world):
    person = world.random.choice(PEOPLE)
    world.users.command(world.gateway, MODERATOR, "admin", "quota", "grant", member=person, work=5.0)


def _block(world):
    name, person = world.random.choice(("block", "unblock", "unblock")), world.random.choice(PEOPLE)
    world.users.command(world.gateway, MODERATOR, "admin", name, member=person)


def _worker_dies(world):
    world.worker.die()


def _delete_by_hand(world):
    """Delete a message in Discord, as its readers may."""
    there = world.discord.visible()
    if not there:
        return
    message = world.random.choice(there)
    message.deleted = True
    world.discord.deleted.add(message.job_id)
    world.trace("user", "deletes", message.job_id)
    ids = {"id": str(message.id), "channel_id": str(message.channel_id), "guild_id": str(GUILD)}
    world.gateway("MESSAGE_DELETE", ids)


def _trouble(world):
    """Let the disk be full, or the database locked, for a while."""
    kind = world.random.choice(("full", "locked"))
    world.trace("disk", kind)
    setattr(world.disk, kind, True)
    asyncio.get_running_loop().call_later(world.random.choice((0.3, 5.0, 60.0)), setattr, world.disk, kind, False)


def _outage(world):
    """Let Discord answer nothing but 503, for minutes."""
    world.trace("discord", "fails")
    world.network.failing_until = world.loop.now + world.random.choice((10.0, 90.0, 400.0))


def _gateway_lost(world):
    """Let the bot hear nothing for a while, and then connect anew: what happened meanwhile it never hears of."""
    if world.deaf:
        return
    world.lose()
    asyncio.get_running_loop().call_later(world.random.choice((1.0, 20.0, 200.0)), world.connect)


def _leave(world):
    """Put the bot out of the server, or invite it again."""
    if world.discord.closed:
        world.join()
    elif not world.is_last:
        world.leave()


def _chores(world):
    async def do_chores():
        with suppress(StoreError, OSError):
            await world.bot.do_chores()

    world.trace("chores")
    world.tasks.append(asyncio.ensure_future(do_chores()))


def _clock_jumps(world):
    """Set the machine's clock wrong by up to a day, or right again."""
    world.jump = world.random.choice((0.0, 0.0, 3600.0, -3600.0, 86400.0, -86400.0))
    world.trace("clock", world.jump)


def _nothing(_world):
    """Let time pass."""


_EVENTS = (
    (_imagine, 40),
    (_click, 35),
    (_grant, 5),
    (_block, 3),
    (_worker_dies, 2),
    (_delete_by_hand, 2),
    (_trouble, 5),
    (_outage, 1),
    (_gateway_lost, 1),
    (_leave, 1),
    (_chores, 1),
    (_clock_jumps, 2),
    (_nothing, 7),
)
