"""Pictures to start from that a database up to version 11 holds in its rows, moved into files.

A few rows at a time, each time in one transaction with the number of the rows that are left; the files are written
before. A crash or a full disk therefore loses nothing, and the next start goes on.
"""

import json
from typing import Any

import structlog

from pastelbot.errors import StorageError
from pastelbot.store.database import Database, Row
from pastelbot.store.jobs.rows import plain_init
from pastelbot.store.picture_files import PictureFiles
from pastelbot.store.stored_pictures import content_name

_LEFT = "init pictures in rows"
_BATCH = 20

log = structlog.get_logger(__name__)


async def adopt_init_pictures(database: Database, files: PictureFiles) -> None:
    """Move the pictures out of the rows; where the disk is full they stay there, and are read as before."""
    moved = 0
    try:
        while (left := await _left(database)) > 0:
            moved += await _adopt_batch(database, files, left)
            log.info("pictures to start from are moved into files", moved=moved, rows_left=await _left(database))
    except StorageError as error:
        log.warning("pictures to start from stay in the database", reason=str(error))


async def _left(database: Database) -> int:
    return await database.reader.number("SELECT value FROM memory WHERE name = ?", _LEFT)


async def _adopt_batch(database: Database, files: PictureFiles, left: int) -> int:
    sql = "SELECT rowid, request FROM jobs WHERE rowid <= ? ORDER BY rowid DESC LIMIT ?"
    rows = await database.reader.all(sql, left, _BATCH)
    found = {row["rowid"]: (request, init) for row in rows for request, init in _with_picture(row)}
    async with (
        files.keeping_contents([init["content"] for _request, init in found.values()]),
        database.transaction() as transaction,
    ):
        for rowid, (request, init) in found.items():
            content = init.pop("content")
            name = content_name(content)
            text = json.dumps({**request, "init": {**init, "name": name}})
            sql = "UPDATE jobs SET request = ?, init_file = ?, init_size = ? WHERE rowid = ?"
            await transaction.execute(sql, text, name, len(content), rowid)
        next_left = rows[-1]["rowid"] - 1 if len(rows) == _BATCH else 0
        await transaction.execute("UPDATE memory SET value = ? WHERE name = ?", str(next_left), _LEFT)
    return len(found)


def _with_picture(row: Row) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Return the row's request and the picture in it, or nothing. Any: JSON."""
    request = json.loads(row["request"])
    init = request.get("init")
    return [(request, plain_init(init))] if init and "file" in init else []
