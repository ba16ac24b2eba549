"""The web page on the command line: `web`, `web --demo`, and its accounts."""

import asyncio
import contextlib
import sys
import webbrowser
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from pastelbot.cli.options import ConfigOption, load_settings
from pastelbot.config import Settings
from pastelbot.errors import ConfigError

if TYPE_CHECKING:
    from pastelbot.records import JobStatus
    from pastelbot.service.page.sign_in import SignIn
    from pastelbot.store.database import Database
    from pastelbot.store.jobs.store import JobStore

T = TypeVar("T")

web_app = typer.Typer(help="The web page.", invoke_without_command=True, no_args_is_help=False)


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.add_typer(web_app, name="web")


@web_app.callback()
def web(
    context: typer.Context,
    *,
    demo: Annotated[bool, typer.Option("--demo", help="With the bundled checkpoint; nothing is kept.")] = False,
    host: Annotated[str | None, typer.Option(help="Where to listen; left out, as configured.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port of the page; left out, as configured; 0 is any free one.")
    ] = None,
    browser: Annotated[bool, typer.Option(help="Open the page in the browser.")] = True,
    config: ConfigOption = None,
) -> None:
    """Serve the web page without Discord, until Ctrl-C."""
    if context.invoked_subcommand is not None:
        return
    from pastelbot import run

    given = {key: value for key, value in (("host", host), ("port", port)) if value is not None}
    if not demo:
        settings = load_settings(config)
        changed = settings.model_copy(update={"web": settings.web.model_copy(update=given)})
        run.run_page(changed, on_ready=lambda address: _announce("Pastelbot", address, open_browser=False))
    elif config is not None or host is not None:
        raise ConfigError("The demo has settings of its own: leave --config and --host out.")
    else:
        run.run_page_demo(
            port or 0, on_ready=lambda address: _announce("Pastelbot demo", address, open_browser=browser)
        )


def _announce(what: str, address: str, *, open_browser: bool) -> None:
    typer.echo(f"{what}: {address}")
    sys.stdout.flush()
    if open_browser:
        webbrowser.open(address)


@web_app.command("adduser")
def add_user(
    name: Annotated[str, typer.Argument(help="The name to sign in with.")],
    config: ConfigOption = None,
) -> None:
    """Add a local account, or give one another password. It is asked for."""
    settings = load_settings(config)
    password = _asked_password()
    is_new = _with_sign_in(settings, lambda sign_in: sign_in.save_account(name, password))
    typer.echo(f"{name} can sign in now." if is_new else f"{name} has a new password, and is signed out everywhere.")


def _asked_password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))


@web_app.command("users")
def users(config: ConfigOption = None) -> None:
    """List the local accounts. And how many browsers are signed in with each."""
    lines = _with_sign_in(load_settings(config), lambda sign_in: sign_in.accounts())
    for line in lines:
        signed_in = f"{line.browsers} browser{'s' * (line.browsers != 1)} signed in"
        typer.echo(f"{line.name:<34}added {line.created_at:%Y-%m-%d}, {signed_in}")
    if not lines:
        typer.echo("There is no account: `pastelbot web adduser NAME` adds one.")


@web_app.command("rmuser")
def remove_user(
    name: Annotated[str, typer.Argument(help="The name of the account.")],
    *,
    keep_data: Annotated[
        bool, typer.Option("--keep-data", help="Keep its pictures, presets and settings; the bot may run then.")
    ] = False,
    config: ConfigOption = None,
) -> None:
    """Remove a local account and sign it out everywhere.

    Its pictures, presets and settings go with it; stop the bot first.

    What `/mydata forget` keeps is kept here too: quota, blocks and the log.
    """
    settings = load_settings(config)
    if keep_data:
        _with_sign_in(settings, lambda sign_in: sign_in.remove_account(name))
        typer.echo(f"{name} is removed and signed out everywhere. Their pictures, presets and settings are kept.")
        return
    from pastelbot.store.maintenance.exclusive_use import exclusive_use

    with exclusive_use(settings.storage.database):
        asyncio.run(_forget(settings, name))
    typer.echo(f"{name} is removed and signed out everywhere. Their pictures, presets and settings are deleted.")


def _with_sign_in(settings: Settings, use: Callable[["SignIn"], Awaitable[T]]) -> T:
    async def used() -> T:
        async with _opened(settings) as (sign_in, _database):
            return await use(sign_in)

    return asyncio.run(used())


async def _forget(settings: Settings, name: str) -> None:
    """Remove an account and forget its user, without a bot that could paint meanwhile."""
    from pastelbot.service.personal_data.personal_data import PersonalData
    from pastelbot.store.jobs.store import JobStore
    from pastelbot.store.personal_data import PersonalStore
    from pastelbot.store.picture_files import PictureFiles

    async with _opened(settings) as (sign_in, database):
        files, jobs = PictureFiles(settings.storage.pictures, database), _Jobs(JobStore(database))
        await PersonalData(PersonalStore(database), jobs, files).forget(await sign_in.user_of(name))


class _Jobs:
    """Jobs of a database that no bot uses."""

    def __init__(self, store: "JobStore") -> None:
        self._store = store

    async def end(self, job_id: str, status: "JobStatus") -> object:
        """Cancel a job and refund it."""
        return await self._store.end(job_id, status, now=datetime.now(UTC))


@contextlib.asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[tuple["SignIn", "Database"]]:
    from pastelbot.service.page.sign_in import SignIn
    from pastelbot.store.database import Database
    from pastelbot.store.web.sign_in import SignInStore

    database = await Database.open(settings.storage.database)
    try:
        yield SignIn(settings, SignInStore(database), clock=lambda: datetime.now(UTC)), database
    finally:
        await database.close()
