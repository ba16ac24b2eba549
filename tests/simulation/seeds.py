"""One seed after the other: what they begin with, and what comes of each."""

import logging
import shutil
import sqlite3
import tempfile
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import structlog
from discord.app_commands import Command, ContextMenu, Group
from simulation.world import Start, World

from pastelbot.i18n.languages import Languages


@contextmanager
def prepared():
    """Do once what every new bot does alike: read catalogues, translate commands, fill a new database."""
    shipped = Languages.shipped()
    with ExitStack() as patches:
        patches.callback(structlog.configure, **structlog.get_config())  # what comes after it logs as before
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
        patches.enter_context(mock.patch.object(Languages, "shipped", return_value=shipped))
        for kind in (Command, ContextMenu, Group):
            once = remembering(kind.get_translated_payload)
            patches.enter_context(mock.patch.object(kind, "get_translated_payload", once))
        with tempfile.TemporaryDirectory() as folder:
            world = World("prepared", Path(folder), Start())
            world.run()
            world.disk.crash()
            with closing(sqlite3.connect(world.disk.database)) as database:
                database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            yield Start(database=world.disk.database.read_bytes(), commands=tuple(world.discord.commands))


def remembering(translate):
    """Return a command's translated payload as before: all bots of a simulation have the same commands."""
    known = {}

    async def get_translated_payload(command, tree, translator):
        key = type(command), command.qualified_name
        if key not in known:
            known[key] = await translate(command, tree, translator)
        return known[key]

    return get_translated_payload


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The trace of a seed, what ended it where an invariant did not hold, and what is known not to hold yet."""

    lines: list
    error: Exception | None = None
    known: list

    @property
    def found(self):
        """What was violated, as far as it is not known."""
        return [self.error] if self.error is not None else []


def simulate(seed, start):
    """Run one seed; return what came of it."""
    folder = Path(tempfile.mkdtemp(prefix="simulation-"))
    world = World(seed, folder, start)
    try:
        world.run()
    except Exception as error:  # noqa: BLE001 - whatever ends a seed is what it found
        return Outcome(lines=world.lines, error=error, known=world.invariants.known)
    finally:
        shutil.rmtree(folder)
    return Outcome(lines=world.lines, known=world.invariants.known)
