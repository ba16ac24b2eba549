"""Messages that were begun before their jobs are queued: none of them stays where the bot is killed in between.

A row is written before Discord is asked; the transaction that queues the job deletes it.
"""

from dataclasses import dataclass
from datetime import datetime

from pastelbot.store.database import Database


@dataclass(frozen=True, kw_only=True)
class BegunMessage:
    """A message without a job. `message_id` None: it was sent, perhaps, and Discord's answer never came."""

    id: int
    channel_id: int
    message_id: int | None
    interaction_id: int


class BegunMessageStore:
    """All reading and writing of begun messages."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, channel_id: int, interaction_id: int, *, now: datetime) -> int:
        """Note that a message is about to be sent; return the number of the note."""
        sql = "INSERT INTO begun_messages (channel_id, interaction_id, begun_at) VALUES (?, ?, ?) RETURNING id"
        async with self._database.transaction() as connection:
            return await connection.number(sql, channel_id, interaction_id, now.timestamp())

    async def sent(self, number: int, message_id: int) -> None:
        """Note which message it is."""
        async with self._database.transaction() as connection:
            await connection.execute("UPDATE begun_messages SET message_id = ? WHERE id = ?", message_id, number)

    async def withdrawn(self, message_id: int) -> None:
        """Note that a message was deleted."""
        async with self._database.transaction() as connection:
            await connection.execute("DELETE FROM begun_messages WHERE message_id = ?", message_id)

    async def drop(self, number: int) -> None:
        """Forget a message that is not there."""
        async with self._database.transaction() as connection:
            await connection.execute("DELETE FROM begun_messages WHERE id = ?", number)

    async def before(self, moment: datetime) -> list[BegunMessage]:
        """Return the messages that were begun before then, and have no job."""
        sql = "SELECT id, channel_id, message_id, interaction_id FROM begun_messages WHERE begun_at < ? ORDER BY id"
        return [BegunMessage(**dict(row)) for row in await self._database.reader.all(sql, moment.timestamp())]
