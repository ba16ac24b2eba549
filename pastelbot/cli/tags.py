"""The vocabulary on the command line: `tags import`, `tags stats`, `tags search`."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer

from pastelbot.cli.options import ConfigOption, load_settings
from pastelbot.cli.progress import progress_bar
from pastelbot.config import Settings
from pastelbot.prompt.tags.completion import short_count
from pastelbot.prompt.tags.names import spoken
from pastelbot.prompt.tags.vocabulary import category_name, read_tag_file
from pastelbot.service.tags.dictionary import Tags
from pastelbot.service.tags.source import read_source
from pastelbot.store.database import Database
from pastelbot.store.tags.search import TagStore
from pastelbot.store.tags.sets import TagSets

T = TypeVar("T")

_MOST_PROBLEMS = 10


tags_app = typer.Typer(help="The tag vocabulary, for completion and search.")


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.add_typer(tags_app, name="tags")


@tags_app.callback()
def tags() -> None:
    """Work with the tag vocabulary."""


@tags_app.command("import")
def tags_import(
    source: Annotated[str, typer.Argument(metavar="FILE_OR_URL", help="A tag-completion CSV.")],
    *,
    merge: Annotated[bool, typer.Option("--merge", help="Keep what was imported before.")] = False,
    config: ConfigOption = None,
) -> None:
    """Make a list of tags the vocabulary; a running bot uses it at once."""
    settings = load_settings(config)
    with progress_bar("Reading") as show:
        content = read_source(source, lambda size: show("Reading", size, 0))
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


@tags_app.command("stats")
def tags_stats(config: ConfigOption = None) -> None:
    """Print how many tags there are of each category."""
    counts, source = _with_tags(load_settings(config), lambda tags: tags.stats())
    for category, number in counts.items():
        typer.echo(f"{category_name(category):<12}{number:>9,}")
    typer.echo(f"{'all':<12}{sum(counts.values()):>9,}")
    typer.echo(f"imported from {source}" if source else "the shipped vocabulary alone")


@tags_app.command("search")
def tags_search(
    query: Annotated[str, typer.Argument(help="Words of a tag or of an alias.")], config: ConfigOption = None
) -> None:
    """Print the most used tags with these words."""
    found = _with_tags(load_settings(config), lambda tags: tags.search(query, None, 0))
    for tag in found.tags:
        aliases = f"  ({', '.join(map(spoken, tag.aliases))})" if tag.aliases else ""
        typer.echo(f"{short_count(tag.count):>6}  {spoken(tag.name)}  [{category_name(tag.category)}]{aliases}")
    near = f" Did you mean {' or '.join(found.near)}?" if found.near else ""
    typer.echo(f"{found.total:,} {'tag' if found.total == 1 else 'tags'}.{near}")


def _with_tags(settings: Settings, use: Callable[[Tags], Awaitable[T]]) -> T:
    async def run() -> T:
        database = await Database.open(settings.storage.database, update=False)
        try:
            tags = Tags(TagStore(database), TagSets(database, clock=time.time))
            await tags.open()
            return await use(tags)
        finally:
            await database.close()

    return asyncio.run(run())
