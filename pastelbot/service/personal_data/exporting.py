"""Export of a user's data as zip files, each small enough for Discord."""

import io
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pastelbot.store.personal_data import Row
from pastelbot.store.picture_files import read_picture

_JSON_BYTES = 2**20  # a list is cut into files of about so many bytes
_OVERHEAD = 512  # bytes that an archive needs for a file, besides its content and twice its name


@dataclass(frozen=True, kw_only=True)
class Item:
    """A file in an export: its content, or where that is."""

    name: str
    size: int
    content: bytes | None = None
    path: Path | None = None


def listed(tables: Mapping[str, Sequence[Row]]) -> Iterator[Item]:
    """Yield the tables as JSON, long ones as several files."""
    for table, rows in tables.items():
        parts: list[list[str]] = [[]]
        length = 0
        for row in rows:
            text = json.dumps(row, ensure_ascii=False, indent=1)
            if length > _JSON_BYTES:
                parts.append([])
                length = 0
            parts[-1].append(text)
            length += len(text)
        for number, texts in enumerate(parts, start=1):
            name = f"{table}.json" if len(parts) == 1 else f"{table}-{number}.json"
            yield text_item(name, f"[{', '.join(texts)}]\n")


def text_item(name: str, text: str) -> Item:
    """Return a text file."""
    content = text.encode("utf-8", errors="replace")
    return Item(name=name, size=len(content), content=content)


def packed(items: Sequence[Item], *, limit: int) -> list[list[Item]]:
    """Return the items in archives of at most `limit` bytes, in their order; an item that is too large is missing."""
    archives: list[list[Item]] = []
    room = 0
    for item in items:
        needed = room_for(item)
        if needed > limit:
            continue
        if needed > room or not archives:
            archives.append([])
            room = limit
        archives[-1].append(item)
        room -= needed
    return archives


def room_for(item: Item) -> int:
    """Return the most bytes that an item takes in an archive."""
    return item.size + _OVERHEAD + 2 * len(item.name.encode())


def zipped(items: Sequence[Item]) -> bytes:
    """Return an archive of the items; what is gone from the disk meanwhile is missing."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for item in items:
            try:
                content = read_picture(item.path) if item.path is not None else item.content
            except OSError:
                continue
            if content is not None:
                text = item.name.endswith((".json", ".txt"))
                archive.writestr(item.name, content, zipfile.ZIP_DEFLATED if text else zipfile.ZIP_STORED)
    return file.getvalue()
