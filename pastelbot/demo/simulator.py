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
from pathlib import Path
from typing import Any

from discord import Permissions

from pastelbot import app, config, log
from pastelbot.demo.page import correct, tell_the_time
from pastelbot.errors import StartupError

_WELCOME = (
    "**Welcome to Pastelbot!** Type `/imagine` in the box below and describe a portrait with tags:\n"
    "> 1girl, red hair, smile, pink background\n\n"
    "Enter takes the tag that is offered, and Enter again paints. Then try the buttons under the picture, **Share** it "
    "and open the `/gallery`. At the top you can look through the eyes of Kenji, who votes too and runs this server: "
    "`/admin` is for him. `/help` tells more."
)


def run(*, port: int, open_browser: bool) -> None:
    """Serve the demo until Ctrl-C; raises StartupError where the extra is missing or the port is taken."""
    log.configure(config.LogSettings(level="warning"))
    logging.getLogger("discord").setLevel(logging.ERROR)
    with contextlib.suppress(KeyboardInterrupt, asyncio.CancelledError):
        asyncio.run(_serve(port=port, open_browser=open_browser))


async def _serve(*, port: int, open_browser: bool) -> None:
    simcord = _simcord()
    task = asyncio.current_task()
    if task is not None:
        with contextlib.suppress(NotImplementedError):
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    with tempfile.TemporaryDirectory(prefix="pastelbot-demo-", ignore_cleanup_errors=True) as folder:
        bot = app.build(_settings(Path(folder)))
        async with contextlib.AsyncExitStack() as stack:
            env = simcord.Env(bot, check_errors=False, settle_timeout=30.0)
            env.backend.bot_user.name = "Pastelbot"
            tell_the_time(env)
            stack.enter_context(env.time_context())
            await env.start()
            stack.push_async_callback(env.shutdown)
            stack.push_async_callback(bot.close)
            channel, viewers = await _furnish(env)
            preview = env.preview(channel, viewers=viewers, layout="channel", port=port or None)
            correct(env, preview)
            try:
                page = await stack.enter_async_context(preview)
            except simcord.SetupError as error:
                raise StartupError(f"Port {port} cannot be used: {error}. Choose another --port.") from error
            sys.stdout.write(f"Pastelbot demo: {page.url}\n")
            sys.stdout.flush()
            if open_browser:
                webbrowser.open(page.url)
            await page.wait_closed()


def _settings(folder: Path) -> config.Settings:
    """Return the demo's settings, with all state below a folder."""
    return config.bundled(
        storage={"database": folder / "pastelbot.sqlite3", "pictures": folder / "pictures"},
        discord={"edit_seconds": 0.3},
    )


async def _furnish(env: Any) -> tuple[Any, list[Any]]:
    """Create a server with an art channel, a member, a server manager and a welcome message."""
    guild = env.create_guild("Pastel Studio")
    channel = guild.create_text_channel("art")
    guild.create_text_channel("gallery")
    keepers = guild.create_role("keepers", permissions=Permissions(manage_guild=True, manage_messages=True))
    hana = guild.add_member(env.create_user("hana", global_name="Hana"))
    kenji = guild.add_member(env.create_user("kenji", global_name="Kenji"), roles=[keepers])
    people = [hana, kenji]
    await env.bot.get_channel(channel.id).send(_WELCOME)
    return channel, people


def _simcord() -> Any:
    try:
        import simcord
        import simcord.preview
    except ImportError as error:
        raise StartupError(
            "The demo needs the simulated Discord: install it with `pip install 'pastelbot[demo]'`, or use `make demo`."
        ) from error
    return simcord
