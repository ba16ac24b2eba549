"""The demo: the very same bot on a simulated Discord, shown in the browser.

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

from pastelbot import app, config, log
from pastelbot.errors import StartupError

_REFRESH_SECONDS = 0.4

WELCOME = (
    "**Welcome to Pastelbot!** Type `/imagine` in the box below and describe a portrait with tags, for example\n"
    "> 1girl, red hair, smile, pink background\n"
    "Then try the buttons under the picture. `/help` tells more."
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
        bot = app.build(settings(Path(folder)))
        async with contextlib.AsyncExitStack() as stack:
            env = await stack.enter_async_context(simcord.run(bot, check_errors=False, settle_timeout=30.0))
            stack.push_async_callback(bot.close)
            channel, viewers = await _furnish(env)
            try:
                page = await stack.enter_async_context(
                    env.preview(channel, viewers=viewers, layout="channel", port=port or None)
                )
            except OSError as error:
                raise StartupError(f"Port {port} cannot be used: {error.strerror}. Choose another --port.") from error
            sys.stdout.write(f"Pastelbot demo: {page.url}\n")
            sys.stdout.flush()
            if open_browser:
                webbrowser.open(page.url)
            await _keep_fresh(env, page)


def settings(folder: Path) -> config.Settings:
    """Return the demo's settings, with all that is kept below a folder."""
    return config.bundled(
        storage={"database": folder / "pastelbot.sqlite3", "pictures": folder / "pictures"},
        discord={"edit_seconds": 1.0},
    )


async def _furnish(env: Any) -> tuple[Any, list[Any]]:  # noqa: ANN401 - simcord is optional and untyped here
    """Make a server with an art channel, two people, and a welcome."""
    guild = env.create_guild("Pastel Studio")
    channel = guild.create_text_channel("art")
    people = [guild.add_member(env.create_user(name.lower(), global_name=name)) for name in ("Hana", "Kenji")]
    await env.bot.get_channel(channel.id).send(WELCOME)
    return channel, people


async def _keep_fresh(env: Any, page: Any) -> None:  # noqa: ANN401
    """Show the bot's background edits: publish the page again whenever the bot has spoken and nobody is acting.

    The simulator republishes by itself only after what a viewer does.
    """
    seen = -1
    closed = asyncio.ensure_future(page.wait_closed())
    while not closed.done():
        await asyncio.wait([closed], timeout=_REFRESH_SECONDS)
        spoken = len(env.backend.http_requests)
        if closed.done() or spoken == seen or env._operation_task is not None:  # noqa: SLF001 - no public way
            continue
        try:
            await page.refresh()
        except Exception as error:  # noqa: BLE001 - a page that is busy now is fresh after its own action
            logging.getLogger(__name__).debug("page not refreshed: %s", error)
        else:
            seen = spoken


def _simcord() -> Any:  # noqa: ANN401
    try:
        import simcord  # noqa: PLC0415 - an extra
        import simcord.preview  # noqa: PLC0415
    except ImportError as error:
        raise StartupError(
            "The demo needs the simulated Discord: install it with `pip install 'pastelbot[demo]'`, or use `make demo`."
        ) from error
    return simcord
