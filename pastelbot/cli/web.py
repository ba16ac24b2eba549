"""The web page on the command line: `web`, `web --demo`, `web adduser`."""

import asyncio
import sys
import webbrowser
from typing import Annotated

import typer

from pastelbot.cli.options import ConfigOption, load_settings
from pastelbot.config import Settings
from pastelbot.errors import ConfigError

web_app = typer.Typer(help="The web page.", invoke_without_command=True, no_args_is_help=False)


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.add_typer(web_app, name="web")


@web_app.callback()
def web(
    context: typer.Context,
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
    """Add a local account, or give one another password, which is asked for."""
    settings = load_settings(config)
    password = _asked_password()
    is_new = asyncio.run(_save(settings, name, password))
    typer.echo(f"{name} can sign in now." if is_new else f"{name} has a new password, and is signed out everywhere.")


def _asked_password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))


async def _save(settings: Settings, name: str, password: str) -> bool:
    from datetime import UTC, datetime

    from pastelbot.service.page.sign_in import SignIn
    from pastelbot.store.database import Database
    from pastelbot.store.web.sign_in import SignInStore

    database = await Database.open(settings.storage.database)
    try:
        sign_in = SignIn(settings, SignInStore(database), clock=lambda: datetime.now(UTC))
        return await sign_in.save_account(name, password)
    finally:
        await database.close()
