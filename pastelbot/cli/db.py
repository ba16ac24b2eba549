"""`pastelbot db`: check the database and its pictures, copy them, and go back to a copy."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from pastelbot.cli.options import ConfigOption, load_settings, path_argument
from pastelbot.errors import DatabaseError
from pastelbot.store.maintenance import backup as backups
from pastelbot.store.maintenance import checking, restoring

_db = typer.Typer(help="Check the database and its pictures, back them up, restore them.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(_db, name="db")


@_db.command("check")
def check(config: ConfigOption = None) -> None:
    """Look for damage in database and pictures.

    That is damaged pages, rows that belong to nothing, and picture files that are missing or damaged.
    """
    storage = load_settings(config).storage
    problems = checking.check(storage.database, storage.pictures)
    for problem in problems:
        typer.echo(problem)
    if problems:
        raise DatabaseError(
            f"{len(problems)} problems. A backup brings the state of its time back: pastelbot db restore FOLDER."
        )
    typer.echo(f"{storage.database} and its pictures are sound.")


@_db.command("backup")
def backup(
    folder: Annotated[Path | None, path_argument("A new folder; left out, one beside the database.")] = None,
    config: ConfigOption = None,
) -> None:
    """Copy database and pictures into a new folder. The bot may run."""
    storage = load_settings(config).storage
    target = folder or storage.database.parent / f"backup-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    made = backups.back_up(storage.database, storage.pictures, target)
    if made.left_out:
        typer.echo(f"note: {made.left_out} picture files are missing or damaged; their rows say so.", err=True)
    typer.echo(f"{made.folder}: the database and {made.pictures:,} picture files")


@_db.command("restore")
def restore(
    folder: Annotated[Path, path_argument("A folder that `pastelbot db backup` made.")],
    config: ConfigOption = None,
) -> None:
    """Put a backup in the place of database and pictures. These are kept aside; stop the bot before."""
    storage = load_settings(config).storage
    aside = restoring.restore(folder, storage.database, storage.pictures, now=datetime.now(UTC))
    typer.echo(f"{storage.database} is as it was in {folder}.")
    if aside is not None:
        typer.echo(f"What was there before is in {aside}, which can be restored in the same way.")
