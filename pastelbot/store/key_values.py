"""Small facts that outlive a restart, by name."""

from pastelbot.store.database import Database


class KeyValueStore:
    """A table of names and texts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, name: str) -> str | None:
        """Return the text under that name, or None."""
        sql = "SELECT value FROM memory WHERE name = ?"
        value = await self._database.reader.value(sql, name)
        return str(value) if value is not None else None

    async def set(self, name: str, value: str) -> None:
        """Keep the text under that name."""
        async with self._database.transaction() as connection:
            await connection.execute(
                "INSERT INTO memory VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", name, value
            )
