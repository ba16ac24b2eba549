"""Runner of the bot on the real Discord; every cause of a failed start becomes one sentence."""

import asyncio
import contextlib
import gc
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import discord
import structlog

from pastelbot import app, config, log
from pastelbot.bot.client import Page
from pastelbot.config import BUNDLED, Settings
from pastelbot.doctor.finding import Level
from pastelbot.doctor.local_checks import local_findings
from pastelbot.errors import (
    CheckpointError,
    ConfigError,
    DatabaseError,
    StartupError,
    StoreDamagedError,
    StoreError,
    install_command,
)
from pastelbot.formats.precheck import check_reference
from pastelbot.i18n.languages import Languages
from pastelbot.jobs.background import Periodic, finish_within
from pastelbot.service.services import Services
from pastelbot.store.database import Database
from pastelbot.store.maintenance.checking import WAY_OUT, quick_check
from pastelbot.store.maintenance.exclusive_use import exclusive_use
from pastelbot.tagging.files import check_installed

_CHECK_SECONDS = 3.0
_CHORES = 3600.0
_PAGE_PACKAGES = {"gradio", "fastapi", "starlette", "uvicorn"}


def run(settings: Settings) -> None:
    """Run until Ctrl-C or SIGTERM; raises StartupError where the start fails."""
    log.configure(settings.log)
    gc.freeze()  # the collector need not scan all imports: that would take longer than an answer may
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(run_until_stopped(settings, on_stop=lambda: _end_after(settings.worker.stop_seconds)))


def _end_after(seconds: float) -> None:
    """End the process after that time, whatever still runs: a thread that hangs would keep it for ever."""
    timer = threading.Timer(seconds, _end_now)
    timer.daemon = True
    timer.start()


def _end_now() -> None:
    structlog.get_logger(__name__).warning("ended by force: something did not stop in time")
    sys.stderr.flush()
    os._exit(0)


def _token(settings: Settings) -> str:
    if settings.token is None:
        raise ConfigError(
            "There is no Discord token: set the environment variable PASTELBOT_TOKEN, or write the token into a file "
            "and name that file in config.toml as token_file under [discord]; pastelbot setup does that for you. "
            "(To look around without one: python bot.py demo.)"
        )
    return settings.token.get_secret_value()


async def check(settings: Settings) -> str:
    """Check everything that can be wrong before connecting to Discord; return the token."""
    token = _token(settings)
    if settings.web.enabled:
        _page_maker()
    await _check_files(settings)
    _log_findings(settings)
    return token


async def _check_files(settings: Settings) -> None:
    """Check what the bot and the page alone need: checkpoint, tagger, database, folder of pictures."""
    if settings.checkpoint.path != BUNDLED:
        check_reference(settings.checkpoint.path, has_vae=settings.checkpoint.vae is not None)
    _check_others(settings)
    if settings.tagger.enabled:
        check_installed()
    await asyncio.to_thread(quick_check, settings.storage.database, seconds=_CHECK_SECONDS)
    await (await Database.open(settings.storage.database)).close()
    try:
        settings.storage.pictures.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StartupError(f"The pictures folder {settings.storage.pictures} cannot be made: {error}.") from error


def _log_findings(settings: Settings) -> None:
    """Say what is wrong before the login, and the link that invites the bot."""
    log = structlog.get_logger(__name__)
    for finding in local_findings(settings, now=datetime.now(UTC)):
        if finding.level is not Level.OK:
            log.warning(finding.text, checked=finding.what)
        elif finding.what == "invite":
            log.info("invite the bot with this link", link=finding.text)


def _check_others(settings: Settings) -> None:
    """Warn the operator of checkpoints that cannot be loaded later; the bot paints without them."""
    for name, one in settings.checkpoints.items():
        try:
            if one.path != BUNDLED:
                check_reference(one.path, has_vae=one.vae is not None)
        except CheckpointError as error:
            structlog.get_logger(__name__).warning("a checkpoint cannot be used", name=name, reason=str(error))


async def run_until_stopped(settings: Settings, *, on_stop: Callable[[], None] = lambda: None) -> None:
    """Do what `run` does, in an event loop that is there already; SIGTERM calls `on_stop`, too."""
    _token(settings)  # without one the database is not touched
    with exclusive_use(settings.storage.database):
        token = await check(settings)
        _stop_on_sigterm(on_stop)
        await _run(settings, token)


def _stop_on_sigterm(on_stop: Callable[[], None]) -> None:
    task = asyncio.current_task()

    def stop() -> None:
        on_stop()
        if task is not None:
            task.cancel()

    with contextlib.suppress(NotImplementedError):  # Windows has no SIGTERM to handle
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop)


async def _run(settings: Settings, token: str) -> None:
    bot = app.build(settings, make_page=_page_maker() if settings.web.enabled else None)
    try:
        async with bot:
            await bot.start(token)
    except asyncio.CancelledError:
        return
    except StoreError as error:
        cure = f" {WAY_OUT}" if isinstance(error, StoreDamagedError) else ""
        raise DatabaseError(f"The database {settings.storage.database} failed: {error.__cause__}.{cure}") from error
    except discord.LoginFailure as error:
        raise ConfigError(
            "Discord does not accept the token: copy it again from the Bot page of your application in Discord's "
            "developer portal (Reset Token) into PASTELBOT_TOKEN or the token file."
        ) from error
    except (aiohttp.ClientError, discord.HTTPException, discord.ConnectionClosed, OSError) as error:
        raise StartupError(f"Discord cannot be reached: {error}. Check the network, then start again.") from error


def run_page(settings: Settings, *, on_ready: Callable[[str], None]) -> None:
    """Serve the web page without Discord until Ctrl-C or SIGTERM; raises StartupError where the start fails.

    `on_ready` is given the page's address.
    """
    log.configure(settings.log)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_page_until_stopped(settings, on_ready))


def run_page_demo(port: int, *, on_ready: Callable[[str], None]) -> None:
    """Serve the page with the bundled checkpoint and a database that is gone afterwards; port 0 is any free one."""
    with tempfile.TemporaryDirectory(prefix="pastelbot-web-", ignore_cleanup_errors=True) as folder:
        storage = {"database": "pastelbot.sqlite3", "pictures": "pictures", "compiled": "compiled"}
        settings = config.bundled(
            storage={key: Path(folder) / name for key, name in storage.items()},
            monitoring={"port": 0},
            web={"port": port},
            log={"level": "error"},
        )
        run_page(settings, on_ready=on_ready)


def _page_maker() -> Callable[[Services, Languages], Page]:
    """Return what makes the web page; raises StartupError where its extra is not installed."""
    try:
        from pastelbot.web.server import PageServer
    except ModuleNotFoundError as error:
        if error.name not in _PAGE_PACKAGES:
            raise
        raise StartupError(
            f"The web page needs Gradio: install it with `{install_command('web')}`, or leave the page out with "
            "enabled = false under [web]."
        ) from error
    return PageServer


async def _page_until_stopped(settings: Settings, on_ready: Callable[[str], None]) -> None:
    make_page = _page_maker()
    with exclusive_use(settings.storage.database):
        await _check_files(settings)
        _stop_on_sigterm(lambda: _end_after(settings.worker.stop_seconds))
        services = await app.open_services(settings)
        page = make_page(services, Languages.shipped())
        chores = Periodic(lambda: _do_chores(services), seconds=_CHORES)
        try:
            await _serve_page(services, page, chores, on_ready)
        except asyncio.CancelledError:
            return
        finally:
            closing = (page, services.page_jobs, services.dispatcher, services.monitor, services.tagging, chores)
            await finish_within(settings.worker.stop_seconds / 2, *(each.close() for each in closing))
            await services.database.close()
            services.watchdog.stop()


async def _serve_page(services: Services, page: Page, chores: Periodic, on_ready: Callable[[str], None]) -> None:
    web = services.settings.web
    if web.needs_sign_in and not await services.sign_in.has_accounts():
        raise StartupError(
            f"No user could sign in to the web page on {web.host}: add an account with `pastelbot web adduser NAME` "
            "first, or serve it on 127.0.0.1."
        )
    services.watchdog.start()
    address = await page.start()
    await services.dispatcher.start(services.page_jobs.publish)
    await services.monitor.start(None)
    chores.start(first=60.0)
    on_ready(web.address or address)
    await asyncio.Event().wait()


async def _do_chores(services: Services) -> None:
    services.housekeeping.watch_database()
    await services.housekeeping.sweep()
    await services.admin.purge()
