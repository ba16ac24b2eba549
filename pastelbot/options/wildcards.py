"""Wildcards in files: one text a line, `#` begins a comment, a file in a folder is called `folder/name`."""

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

from pastelbot.prompt.expansion import Wildcards

_LONGEST_LINE = 4000
_LARGEST_FILE = 4 * 2**20
_MOST_FILES = 2000


def load_wildcards(folder: Path | None) -> Wildcards:
    """Read the operator's folder and what ships with the project; a file of the operator's wins by its name."""
    shipped = files("pastelbot").joinpath("data", "wildcards")
    lines = {name: _lines(path) for name, path in _files(Path(str(shipped)))}
    if folder is not None and folder.is_dir():
        lines |= {name: _lines(path) for name, path in _files(folder)}
    return Wildcards(lines)


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    found = sorted(path for path in folder.rglob("*.txt") if path.is_file())
    for path in found[:_MOST_FILES]:
        yield path.relative_to(folder).with_suffix("").as_posix(), path


def _lines(path: Path) -> list[str]:
    try:
        if path.stat().st_size > _LARGEST_FILE:
            return []
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    lines = (line.split("#", 1)[0].strip()[:_LONGEST_LINE] for line in text.splitlines())
    return [line for line in lines if line]
