"""Demo: the real bot on a simulated Discord, shown in the browser.

Needs the `demo` extra (simcord). The database is a new temporary one, and nothing is kept.
"""

import asyncio
import contextlib
import logging
import signal
import sys
import tempfile
import webbrowser
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from discord import Client, PermissionOverwrite, Permissions

from pastelbot import app, config, log
from pastelbot.demo.interactions import Place, use_command
from pastelbot.demo.server import LANGUAGES, serve
from pastelbot.demo.world import ENGLISH, Environment, World
from pastelbot.errors import StartupError, install_command

_WELCOME = (
    "**Welcome to Pastelbot!** Type `/imagine` in the box below and describe a portrait with tags:\n"
    "> 1girl, red hair, smile, pink background\n\n"
    "Enter takes the tag that is offered, and Enter again paints. Then try the buttons under the picture: **More** "
    "has **Share**, for the `/gallery`. `/help` tells more. Open **Kenji** in a second tab: he votes too and runs this "
    "server, so `/admin` is for him."
)

_PATIENCE = 300.0  # seconds for a start, an action or a stop, as nothing but a slow machine makes them long
_WITHOUT_TAGGER = frozenset({"describe", "Describe"})  # no tagger is bundled


def run(*, port: int, open_browser: bool, language: str = "en") -> None:
    """Serve the demo until Ctrl-C, as a server of a language; raises StartupError.

    The extra may be missing, the port taken, or the language unknown.
    """
    if language not in LANGUAGES:
        raise StartupError(f"The demo has no language {language!r}: choose {' or '.join(LANGUAGES)}.")
    log.configure(config.LogSettings(level="warning"))
    for operators in ("discord", "pastelbot.jobs.loop_watchdog"):  # a slow machine is no fault of a demo
        logging.getLogger(operators).setLevel(logging.ERROR)
    with contextlib.suppress(KeyboardInterrupt, asyncio.CancelledError):
        asyncio.run(_serve(port=port, open_browser=open_browser, language=LANGUAGES[language]))


async def _serve(*, port: int, open_browser: bool, language: str) -> None:
    task = asyncio.current_task()
    if task is not None:
        with contextlib.suppress(NotImplementedError):  # Windows has no SIGTERM to handle
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    with tempfile.TemporaryDirectory(prefix="pastelbot-demo-", ignore_cleanup_errors=True) as folder:
        bot = app.build(_settings(Path(folder)))
        async with contextlib.AsyncExitStack() as stack:
            env = _environment(bot)
            env.backend.bot_user.name = "Pastelbot"
            env.backend.clock.now = lambda: datetime.now(UTC)  # it stands still otherwise
            stack.enter_context(env.time_context())
            await env.start()
            stack.push_async_callback(env.shutdown)
            stack.push_async_callback(bot.close)
            runner, address = await serve(await _furnish(env, language), port)
            stack.push_async_callback(runner.cleanup)
            sys.stdout.write(f"Pastelbot demo: {address}\n")
            sys.stdout.flush()
            if open_browser:
                webbrowser.open(address)
            await asyncio.Event().wait()


def _settings(folder: Path) -> config.Settings:
    """Return the demo's settings, with all state below a folder."""
    return config.bundled(
        storage={
            "database": folder / "pastelbot.sqlite3",
            "pictures": folder / "pictures",
            "compiled": folder / "compiled",
        },
        discord={"edit_seconds": 0.3},
        monitoring={"port": 0},
        worker={"stop_seconds": _PATIENCE},
    )


async def _furnish(env: Environment, language: str) -> World:
    """Create a server with a member, a manager, a channel for each purpose and a welcome message."""
    guild = env.create_guild("Pastel Studio", preferred_locale=language)
    keepers = guild.create_role("keepers", permissions=Permissions(manage_guild=True, manage_messages=True))
    hana = guild.add_member(env.create_user("hana", global_name="Hana"))
    kenji = guild.add_member(env.create_user("kenji", global_name="Kenji"), roles=[keepers])
    art = guild.create_text_channel("art", topic="Paint with /imagine")
    gallery = guild.create_text_channel("gallery", topic="What was shared with the button under a picture")
    hidden, shown = PermissionOverwrite(view_channel=False), PermissionOverwrite(view_channel=True)
    everyone = guild.default_role
    guild.create_text_channel(
        "mods",
        topic="For Kenji: pictures to review",
        overwrites={everyone: hidden, keepers: shown, env.bot.user: shown},
    )
    welcome = await env.bot.get_channel(art.id).send(_WELCOME)
    world = World(
        env=env,
        guild=guild,
        members={each.name: each for each in (hana, kenji)},
        languages=env.bot.languages,
        welcome_id=welcome.id,
        language=language,
        unlisted=_WITHOUT_TAGGER,
    )
    keeper = Place(world=world, member=kenji, channel_id=art.id, language=ENGLISH)
    await use_command(keeper, "admin gallery channel", {"channel": str(gallery.id)})
    for answer in world.messages(kenji, art.id):
        if answer.is_ephemeral:  # no member has asked for it
            env.backend.delete_message(art.id, answer.id)
    return world


def _environment(bot: Client) -> Environment:
    """Return a simulated Discord for a bot, which gives a slow machine time too: simcord's start has five seconds."""
    try:
        from simcord.env import Env
    except ImportError as error:
        raise StartupError(
            f"The demo needs the simulated Discord: install it with `{install_command('demo')}`, or use `make demo`."
        ) from error

    class PatientEnv(Env):
        async def _settle_internal(self, **options: object) -> None:
            patient: dict[str, Any] = {**options, "timeout": None}
            await super()._settle_internal(**patient)

    return PatientEnv(bot, check_errors=False, settle_timeout=_PATIENCE, shard_count=1)
