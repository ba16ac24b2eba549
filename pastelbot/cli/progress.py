"""Progress bar of all commands."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

# Receives what is being done, how much of it is done and how much there is in all; 0 of 0 is not known.
Listener = Callable[[str, int, int], None]


@contextmanager
def progress_bar(beginning: str, *, in_bytes: bool = False) -> Iterator[Listener]:
    """Show a progress bar with the time that is left, on a terminal; `beginning` is what is done first."""
    amount = DownloadColumn() if in_bytes else TaskProgressColumn()
    columns = (TextColumn("{task.description}"), BarColumn(), amount, TimeElapsedColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(beginning, total=None)
        yield lambda what, done, total: bar.update(task, description=what, completed=done, total=total or None)
