"""The vocabulary on the command line: `tags import`, `tags stats`, `tags search`."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from pastelbot import config
from pastelbot.prompt.tags.completion import short_count
from pastelbot.prompt.tags.names import spoken
from pastelbot.prompt.tags.vocabulary import category_name, read_tag_file
from pastelbot.service.tags.dictionary import Tags
from pastelbot.service.tags.source import read_source
from pastelbot.store.database import Database

T = TypeVar("T")
LoadSettings = Callable[[Path | None], config.Settings]

_MOST_PROBLEMS = 10

ConfigOption = Annotated[
    Path | None, typer.Option("--config", "-c", help="Configuration file; left out, config.toml where there is one.")
]


def register(app: typer.Typer, load_settings: LoadSettings) -> None:
    """Add the commands about tags to the command line."""
    tags_app = typer.Typer(help="The tag vocabulary, for completion and search.")

    @tags_app.callback()
    def tags() -> None:
        """Work with the tag vocabulary."""

    @tags_app.command("import")
    def import_(
        source: Annotated[str, typer.Argument(metavar="FILE_OR_URL", help="A tag-completion CSV.")],
        merge: Annotated[bool, typer.Option("--merge", help="Keep what was imported before.")] = False,  # noqa: FBT002
        config: ConfigOption = None,
    ) -> None:
        """Make a list of tags the vocabulary; a running bot uses it at once."""
        _import(source, load_settings(config), merge=merge)

    @tags_app.command("stats")
    def stats(config: ConfigOption = None) -> None:
        """Print how many tags there are of each category."""
        _stats(load_settings(config))

    @tags_app.command("search")
    def search(
        query: Annotated[str, typer.Argument(help="Words of a tag or of an alias.")], config: ConfigOption = None
    ) -> None:
        """Print the most used tags with these words."""
        _search(query, load_settings(config))

    app.add_typer(tags_app, name="tags")


def _import(source: str, settings: config.Settings, *, merge: bool) -> None:
    with _progress_bar() as show:
        content = read_source(source, lambda size: show("Reading", size, None))
        file = read_tag_file(content, source)
        report = _with_tags(
            settings,
            lambda tags: tags.import_tags(
                file, source, merge=merge, on_progress=lambda done, total: show("Writing", done, total)
            ),
        )
    for problem in report.problems[:_MOST_PROBLEMS]:
        typer.echo(f"note: {problem}", err=True)
    if len(report.problems) > _MOST_PROBLEMS:
        typer.echo(f"note: ... and {len(report.problems) - _MOST_PROBLEMS:,} lines more", err=True)
    typer.echo(
        f"{report.read:,} tags read, {len(report.problems):,} lines left out; the vocabulary has {report.total:,}."
    )


def _stats(settings: config.Settings) -> None:
    counts, source = _with_tags(settings, lambda tags: tags.stats())
    for category, number in counts.items():
        typer.echo(f"{category_name(category):<12}{number:>9,}")
    typer.echo(f"{'all':<12}{sum(counts.values()):>9,}")
    typer.echo(f"imported from {source}" if source else "the shipped vocabulary alone")


def _search(query: str, settings: config.Settings) -> None:
    found = _with_tags(settings, lambda tags: tags.search(query, None, 0))
    for tag in found.tags:
        aliases = f"  ({', '.join(map(spoken, tag.aliases))})" if tag.aliases else ""
        typer.echo(f"{short_count(tag.count):>6}  {spoken(tag.name)}  [{category_name(tag.category)}]{aliases}")
    near = f" Did you mean {' or '.join(found.near)}?" if found.near else ""
    typer.echo(f"{found.total:,} tags.{near}")


def _with_tags(settings: config.Settings, use: Callable[[Tags], Awaitable[T]]) -> T:
    async def run() -> T:
        database = await Database.open(settings.storage.database)
        try:
            tags = Tags(database, clock=lambda: datetime.now(UTC))
            await tags.open()
            return await use(tags)
        finally:
            await database.close()

    return asyncio.run(run())


@contextmanager
def _progress_bar() -> Iterator[Callable[[str, int, int | None], None]]:
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("Reading", total=None)
        yield lambda what, done, total: bar.update(task, description=what, completed=done, total=total)
