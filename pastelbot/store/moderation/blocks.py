"""Blocks: users who may not paint in a server, and until when."""

from dataclasses import dataclass
from datetime import UTC, datetime

from pastelbot.store.database import Database


@dataclass(frozen=True, kw_only=True)
class Block:
    """A block of one user in one server; `until` None is until it is lifted."""

    guild_id: int
    user_id: int
    until: datetime | None = None
    reason: str = ""


class BlockStore:
    """All reading and writing of blocks."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, block: Block) -> None:
        """Block a person, or change how."""
        async with self._database.transaction() as connection:
            await connection.execute(
                "INSERT INTO blocks (guild_id, user_id, until, reason) VALUES (?, ?, ?, ?) ON CONFLICT (guild_id,"
                " user_id) DO UPDATE SET until = excluded.until, reason = excluded.reason",
                block.guild_id,
                block.user_id,
                block.until.timestamp() if block.until else None,
                block.reason,
            )

    async def remove(self, guild_id: int, user_id: int, *, now: datetime) -> bool:
        """End a block; return whether there was one."""
        sql = "DELETE FROM blocks WHERE guild_id = ? AND user_id = ? RETURNING until"
        async with self._database.transaction() as connection:
            row = await connection.one(sql, guild_id, user_id)
            await connection.execute("DELETE FROM blocks WHERE until <= ?", now.timestamp())
        return row is not None and (row["until"] is None or row["until"] > now.timestamp())

    async def get(self, guild_id: int, user_id: int, *, now: datetime) -> Block | None:
        """Return the block that holds for this person now."""
        found = await self._select("user_id = ?", guild_id, user_id, now=now)
        return found[0] if found else None

    async def all(self, guild_id: int, *, now: datetime) -> list[Block]:
        """Return every block that holds in this server now, those that end first in front."""
        return await self._select("? IS NULL", guild_id, None, now=now)

    async def _select(self, which: str, guild_id: int, value: int | None, *, now: datetime) -> list[Block]:
        sql = (
            f"SELECT * FROM blocks WHERE guild_id = ? AND {which} AND (until IS NULL OR until > ?)"
            " ORDER BY until IS NULL, until, user_id"
        )
        rows = await self._database.reader.all(sql, guild_id, value, now.timestamp())
        return [
            Block(
                guild_id=row["guild_id"],
                user_id=row["user_id"],
                until=datetime.fromtimestamp(row["until"], tz=UTC) if row["until"] is not None else None,
                reason=row["reason"] or "",
            )
            for row in rows
        ]
