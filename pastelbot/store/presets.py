"""Presets: generation options by name, each for one user or for a whole server."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from pastelbot.errors import LimitError
from pastelbot.store.database import Database, Row, Transaction

PERSONAL = 0


@dataclass(frozen=True, kw_only=True)
class Preset:
    """Generation options by name, as JSON values; `guild_id` is the server that may use it, or PERSONAL."""

    owner_id: int
    guild_id: int
    name: str
    values: Mapping[str, object]
    saved_at: datetime

    @property
    def is_shared(self) -> bool:
        """Return whether all users of a server may use it."""
        return self.guild_id != PERSONAL


class PresetStore:
    """All reading and writing of presets. Names are compared without regard to case."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save(self, preset: Preset, *, limit: int, of_one: int | None = None) -> bool:
        """Keep a preset in place of one of the same name; return whether there was one.

        Raises LimitError where the person, or the server, has `limit` others already, or the server `of_one` others of
        this person.
        """
        async with self._database.transaction() as connection:
            replaced = await _delete(connection, preset.owner_id, preset.guild_id, preset.name)
            if await _count(connection, preset) >= limit:
                if preset.is_shared:
                    raise LimitError(f"This server has {limit} presets, which is the limit: delete one of them first.")
                raise LimitError(f"You have {limit} presets, which is the limit: delete one of them first.")
            if of_one is not None and await _count_of_one(connection, preset) >= of_one:
                raise LimitError(
                    f"You share {of_one} presets here, which is the limit for one user: delete one of them first."
                )
            await connection.execute(
                "INSERT INTO presets (owner_id, guild_id, key, name, wish, saved_at) VALUES (?, ?, ?, ?, ?, ?)",
                preset.owner_id,
                preset.guild_id,
                _key(preset.name),
                preset.name,
                json.dumps(dict(preset.values)),
                preset.saved_at.timestamp(),
            )
        return replaced

    async def personal(self, owner_id: int) -> list[Preset]:
        """Return a person's own presets by name."""
        sql = "SELECT * FROM presets WHERE owner_id = ? AND guild_id = 0 ORDER BY key"
        return await self._all(sql, owner_id)

    async def shared(self, guild_id: int) -> list[Preset]:
        """Return the presets that all users of a server may use, by name."""
        return await self._all("SELECT * FROM presets WHERE guild_id = ? AND guild_id <> 0 ORDER BY key", guild_id)

    async def delete(self, preset: Preset) -> None:
        """Remove a preset."""
        async with self._database.transaction() as connection:
            await _delete(connection, preset.owner_id, preset.guild_id, preset.name)

    async def _all(self, sql: str, owner_id: int) -> list[Preset]:
        return [_preset(row) for row in await self._database.reader.all(sql, owner_id)]


async def _delete(connection: Transaction, owner_id: int, guild_id: int, name: str) -> bool:
    where, owner = ("owner_id = ? AND guild_id = 0", owner_id) if guild_id == PERSONAL else ("guild_id = ?", guild_id)
    return await connection.execute(f"DELETE FROM presets WHERE {where} AND key = ?", owner, _key(name)) > 0


async def _count(connection: Transaction, preset: Preset) -> int:
    where, owner = ("guild_id", preset.guild_id) if preset.is_shared else ("guild_id = 0 AND owner_id", preset.owner_id)
    return await connection.number(f"SELECT COUNT(*) FROM presets WHERE {where} = ?", owner)


async def _count_of_one(connection: Transaction, preset: Preset) -> int:
    sql = "SELECT COUNT(*) FROM presets WHERE guild_id = ? AND owner_id = ?"
    return await connection.number(sql, preset.guild_id, preset.owner_id)


def _key(name: str) -> str:
    return name.casefold()


def _preset(row: Row) -> Preset:
    return Preset(
        owner_id=row["owner_id"],
        guild_id=row["guild_id"],
        name=row["name"],
        values=json.loads(row["wish"]),
        saved_at=datetime.fromtimestamp(row["saved_at"], tz=UTC),
    )
