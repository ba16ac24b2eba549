"""Daily quotas: reserved when a job is queued, refunded when it fails or is cancelled."""

from datetime import datetime, timedelta

import aiosqlite

from pastelbot.errors import QuotaError


def day_of(now: datetime) -> str:
    """Return the UTC day of an aware instant, as in 2026-11-22."""
    return (now - (now.utcoffset() or timedelta())).date().isoformat()


async def reserve(connection: aiosqlite.Connection, user_id: int, day: str, cost: int, limit: int) -> None:
    """Reserve `cost` pictures inside the caller's transaction; raise QuotaError where `limit` (0: none) is passed."""
    await connection.execute(
        "INSERT INTO quotas (user_id, day, used) VALUES (?, ?, 0) ON CONFLICT DO NOTHING", (user_id, day)
    )
    cursor = await connection.execute(
        "UPDATE quotas SET used = used + :cost"
        " WHERE user_id = :user AND day = :day AND (:limit = 0 OR used + :cost <= :limit)",
        {"user": user_id, "day": day, "cost": cost, "limit": limit},
    )
    if cursor.rowcount == 0:
        left = max(0, limit - await used(connection, user_id, day))
        raise QuotaError(
            f"That would be {cost} picture{'s' * (cost > 1)}, and you have {left} left of your {limit} a day; "
            "there are more after midnight UTC."
        )


async def refund(connection: aiosqlite.Connection, user_id: int, day: str, cost: int) -> None:
    """Give `cost` pictures back inside the caller's transaction."""
    await connection.execute(
        "UPDATE quotas SET used = max(0, used - ?) WHERE user_id = ? AND day = ?", (cost, user_id, day)
    )


async def used(connection: aiosqlite.Connection, user_id: int, day: str) -> int:
    """Return the pictures reserved or spent on that day."""
    sql = "SELECT used FROM quotas WHERE user_id = ? AND day = ?"
    async with connection.execute(sql, (user_id, day)) as cursor:
        row = await cursor.fetchone()
    return int(row["used"]) if row is not None else 0
