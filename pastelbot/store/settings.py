"""Settings of servers, channels, roles and users: JSON values by name."""

import enum
import json
from collections.abc import Iterable, Mapping

from pastelbot.store.database import Database

Value = bool | int | float | str | list["Value"] | dict[str, "Value"] | None


class Scope(enum.StrEnum):
    """What a setting holds for."""

    GUILD = "guild"
    CHANNEL = "channel"
    ROLE = "role"
    USER = "user"


class SettingsStore:
    """All reading and writing of settings that users change in Discord."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self, scope: Scope, owner_id: int) -> dict[str, Value]:
        """Return every setting of one server, channel, role or person."""
        sql = "SELECT name, value FROM settings WHERE scope = ? AND id = ?"
        rows = await self._database.reader.all(sql, scope, owner_id)
        return {row["name"]: json.loads(row["value"]) for row in rows}

    async def each(self, scope: Scope, owner_ids: Iterable[int]) -> dict[int, dict[str, Value]]:
        """Return every setting of several channels, roles, ...; those without any are missing."""
        wanted = tuple(owner_ids)
        found: dict[int, dict[str, Value]] = {}
        sql = f"SELECT id, name, value FROM settings WHERE scope = ? AND id IN ({', '.join('?' * len(wanted))})"
        for row in await self._database.reader.all(sql, scope, *wanted):
            found.setdefault(row["id"], {})[row["name"]] = json.loads(row["value"])
        return found

    async def together(self, wanted: Mapping[Scope, Iterable[int]]) -> dict[Scope, dict[int, dict[str, Value]]]:
        """Return every setting of several owners of several kinds at once; those without any are missing."""
        found: dict[Scope, dict[int, dict[str, Value]]] = {scope: {} for scope in wanted}
        ids = {scope: tuple(owner_ids) for scope, owner_ids in wanted.items()}
        where = " OR ".join(f"(scope = ? AND id IN ({', '.join('?' * len(each))}))" for each in ids.values())
        values = [value for scope, each in ids.items() for value in (scope, *each)]
        sql = f"SELECT scope, id, name, value FROM settings WHERE {where}"
        for row in await self._database.reader.all(sql, *values):
            found[Scope(row["scope"])].setdefault(row["id"], {})[row["name"]] = json.loads(row["value"])
        return found

    async def owners(self, scope: Scope, name: str) -> dict[int, Value]:
        """Return the owners that have set this name, with their values."""
        sql = "SELECT id, value FROM settings WHERE scope = ? AND name = ?"
        return {row["id"]: json.loads(row["value"]) for row in await self._database.reader.all(sql, scope, name)}

    async def update(self, scope: Scope, owner_id: int, changes: Mapping[str, Value]) -> None:
        """Set each name to its value, all or nothing; None removes it."""
        async with self._database.transaction() as connection:
            for name, value in changes.items():
                if value is None:
                    sql, values = (
                        "DELETE FROM settings WHERE scope = ? AND id = ? AND name = ?",
                        (scope, owner_id, name),
                    )
                    await connection.execute(sql, *values)
                else:
                    await connection.execute(
                        "INSERT INTO settings VALUES (?, ?, ?, ?)"
                        " ON CONFLICT (scope, id, name) DO UPDATE SET value = excluded.value",
                        scope,
                        owner_id,
                        name,
                        json.dumps(value),
                    )
