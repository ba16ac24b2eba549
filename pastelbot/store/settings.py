"""Settings of servers, channels, roles and users: JSON values by name."""

import enum
import json
from collections.abc import Collection, Iterable, Mapping

from pastelbot.store.database import Database

Value = bool | int | float | str | list["Value"] | dict[str, "Value"] | None


class Scope(enum.StrEnum):
    """What a setting holds for."""

    GUILD = "guild"
    CHANNEL = "channel"
    ROLE = "role"
    USER = "user"


_Owner = tuple[str, int]  # a scope and an id


class SettingsStore:
    """All reading and writing of settings that users change in Discord.

    Those of servers, channels and roles are read for every request, so they are kept in memory and dropped when they
    change: one process uses the database, and nothing else writes them. Those of users are also deleted elsewhere.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept = database.kept_settings

    async def all(self, scope: Scope, owner_id: int) -> dict[str, Value]:
        """Return every setting of one server, channel, role or person."""
        return (await self.together({scope: (owner_id,)}))[scope].get(owner_id, {})

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
        owners: set[_Owner] = {(scope, owner_id) for scope, owner_ids in wanted.items() for owner_id in owner_ids}
        known = self._kept.known(owners)
        known |= await self._read({owner for owner in owners if owner not in known})
        found: dict[Scope, dict[int, dict[str, Value]]] = {scope: {} for scope in wanted}
        for (scope, owner_id), values in known.items():
            if values:
                found[Scope(scope)][owner_id] = values
        return found

    async def _read(self, owners: Collection[_Owner]) -> dict[_Owner, dict[str, Value]]:
        """Return the settings of all these owners, and keep them unless any have changed meanwhile."""
        if not owners:
            return {}
        changes, found = self._kept.changes, dict[_Owner, dict[str, Value]]((owner, {}) for owner in owners)
        ids: dict[str, list[int]] = {}
        for scope, owner_id in owners:
            ids.setdefault(scope, []).append(owner_id)
        where = " OR ".join(f"(scope = ? AND id IN ({', '.join('?' * len(each))}))" for each in ids.values())
        values = [value for scope, each in ids.items() for value in (scope, *each)]
        sql = f"SELECT scope, id, name, value FROM settings WHERE {where}"
        for row in await self._database.reader.all(sql, *values):
            found[row["scope"], row["id"]][row["name"]] = json.loads(row["value"])
        self._kept.keep({owner: each for owner, each in found.items() if owner[0] != Scope.USER}, changes=changes)
        return found

    async def owners(self, scope: Scope, name: str) -> dict[int, Value]:
        """Return the owners that have set this name, with their values."""
        sql = "SELECT id, value FROM settings WHERE scope = ? AND name = ?"
        return {row["id"]: json.loads(row["value"]) for row in await self._database.reader.all(sql, scope, name)}

    async def update(self, scope: Scope, owner_id: int, changes: Mapping[str, Value]) -> None:
        """Set each name to its value, all or nothing; None removes it."""
        try:
            await self._write(scope, owner_id, changes)
        finally:  # what was read while it was written may be of before
            self._kept.drop((scope, owner_id))

    async def _write(self, scope: Scope, owner_id: int, changes: Mapping[str, Value]) -> None:
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
