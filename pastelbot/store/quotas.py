"""Quotas: an allowance of work for each person and server, refilled every UTC day, and what admins grant besides.

Work is in pixel-steps (`pastelbot.rules.cost`). A balance is refilled when it is read, so no timer is needed, and a bot
that was off for a week has no refills to catch up on.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from pastelbot.errors import LimitError, QuotaError
from pastelbot.rules import cost
from pastelbot.store.database import Database, Reader, Transaction

_MOST_AHEAD = 2  # days: the clock may be a day late now that was a day early before
_NONE = 0  # a server's number in the tables for direct messages


@dataclass(frozen=True, kw_only=True)
class Allowance:
    """Work that a person gets each UTC day (0: no limit), and what unused work may add up to.

    `most_extra` is what grants may add up to (0: no limit). Refusals count in pictures of `usual` work.
    """

    per_day: int = 0
    saved: int = 0
    most_extra: int = 0
    usual: int = 1


UNLIMITED = Allowance()


@dataclass(frozen=True, kw_only=True)
class Account:
    """Whose quota: a person in a server, or in direct messages."""

    user_id: int
    guild_id: int | None = None

    @property
    def key(self) -> tuple[int, int]:
        """Return what the account is called in the tables."""
        return self.user_id, self.guild_id or _NONE


@dataclass(frozen=True, kw_only=True)
class Balance:
    """What an account has: `rest` of its allowance, refilled up to `day`, and `extra` of what was granted."""

    day: int
    given: int = 0
    saved: int = 0
    rest: int = 0
    extra: int = 0

    @property
    def left(self) -> int:
        """Return the work that may still be asked for."""
        return max(0, self.rest) + self.extra


@dataclass(frozen=True, kw_only=True)
class Charge:
    """Where a job's work was taken from."""

    rest: int = 0
    extra: int = 0


@dataclass(frozen=True, kw_only=True)
class Grant:
    """Extra work that an admin gave to a user, once."""

    work: int
    granted_by: int
    granted_at: datetime
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class QuotaState:
    """How an account stands; `balance` means nothing where the allowance has no limit."""

    allowance: Allowance
    balance: Balance
    reserved: int
    used: int
    refills_at: datetime
    grants: tuple[Grant, ...] = ()


def _day_of(now: datetime) -> int:
    """Return the UTC day of an aware instant, counted from 1970."""
    return int(now.timestamp() // 86400)


def next_refill(now: datetime) -> datetime:
    """Return the next UTC midnight."""
    return datetime.fromtimestamp(_day_of(now) * 86400, tz=UTC) + timedelta(days=1)


def refilled(balance: Balance | None, day: int, allowance: Allowance) -> Balance:
    """Return the balance with the allowance of the days since, up to what may be saved.

    Within a day a changed allowance counts at once, as if it had been so since midnight; a user who has spent more than
    that goes below 0 for the day. A balance of the next days is kept, so that a clock which goes back and forth gives
    nothing twice; one from farther ahead was written by a wrong clock, and would leave the account empty until then.
    An account that has nothing but grants begins today, as one that is new.
    """
    if balance is None:
        balance = Balance(day=day)
    if balance.day - day > _MOST_AHEAD or not balance.given:
        balance = replace(balance, day=day)
    days = day - balance.day
    rest = max(0, balance.rest) + days * allowance.per_day if days > 0 else balance.rest
    if days <= 0:
        rest += allowance.per_day - balance.given
    return replace(
        balance,
        day=max(day, balance.day),
        given=allowance.per_day,
        saved=allowance.saved,
        rest=min(rest, allowance.saved),
    )


async def reserve(
    connection: Transaction, account: Account, work: Sequence[int], allowance: Allowance, now: datetime
) -> list[Charge]:
    """Take the work of each job from the account, inside the caller's transaction; return what each one took.

    Raises QuotaError where the account has less than all of it together, and then nothing was taken.
    """
    if not allowance.per_day:
        return [Charge() for _each in work]
    balance = refilled(await _read(connection, account), _day_of(now), allowance)
    if balance.left < sum(work):
        raise QuotaError(_refusal(sum(work), balance, allowance, now))
    charges = []
    for each in work:
        rest = min(max(0, balance.rest), each)
        charges.append(Charge(rest=rest, extra=each - rest))
        balance = replace(balance, rest=balance.rest - rest, extra=balance.extra - (each - rest))
    await _write(connection, account, balance)
    return charges


async def give_back(connection: Transaction, account: Account, charge: Charge) -> None:
    """Return a job's work inside the caller's transaction; never more than may be saved."""
    await connection.execute(
        "UPDATE balances SET rest = min(saved, rest + ?), extra = extra + ? WHERE user_id = ? AND guild_id = ?",
        charge.rest,
        charge.extra,
        *account.key,
    )


class QuotaStore:
    """All reading and writing of quotas that is not part of a job's life."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def state(self, account: Account, allowance: Allowance, now: datetime) -> QuotaState:
        """Return how the account stands now."""
        reader = self._database.reader
        mine = "SELECT coalesce(sum(cost), 0) FROM jobs WHERE user_id = ? AND coalesce(guild_id, 0) = ?"
        mine += " AND NOT refunded"
        midnight = next_refill(now) - timedelta(days=1)
        return QuotaState(
            allowance=allowance,
            balance=refilled(await _read(reader, account), _day_of(now), allowance),
            reserved=await reader.number(
                f"{mine} AND status IN ('queued', 'leased', 'rendered', 'posted')", *account.key
            ),
            used=await reader.number(
                f"{mine} AND status NOT IN ('failed', 'cancelled') AND created_at >= ?",
                *account.key,
                midnight.timestamp(),
            ),
            refills_at=next_refill(now),
            grants=await self.grants(account),
        )

    async def grant(self, account: Account, grant: Grant, *, most_extra: int = 0) -> Balance:
        """Give extra work and write down who did; raises LimitError above `most_extra` (0: no limit)."""
        day = _day_of(grant.granted_at)
        async with self._database.transaction() as connection:
            balance = await _read(connection, account) or Balance(day=day)
            extra = balance.extra + grant.work
            if most_extra and extra > most_extra:
                raise LimitError(
                    f"Grants to one person may add up to {cost.text(most_extra)}, and {cost.text(balance.extra)} of "
                    "earlier ones are left."
                )
            balance = replace(balance, extra=extra)
            await _write(connection, account, balance)
            await connection.execute(
                "INSERT INTO grants (user_id, guild_id, work, granted_by, granted_at, reason)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                *account.key,
                grant.work,
                grant.granted_by,
                grant.granted_at.timestamp(),
                grant.reason,
            )
        return balance

    async def grants(self, account: Account, *, most: int = 5) -> tuple[Grant, ...]:
        """Return the account's latest grants, the newest first."""
        sql = "SELECT * FROM grants WHERE user_id = ? AND guild_id = ? ORDER BY granted_at DESC, number DESC LIMIT ?"
        return tuple(
            Grant(
                work=row["work"],
                granted_by=row["granted_by"],
                granted_at=datetime.fromtimestamp(row["granted_at"], tz=UTC),
                reason=row["reason"],
            )
            for row in await self._database.reader.all(sql, *account.key, most)
        )


def _refusal(work: int, balance: Balance, allowance: Allowance, now: datetime) -> str:
    price, usual = cost.in_pictures(work, allowance.usual, up=True), allowance.usual
    if work > allowance.saved + balance.extra:
        return (
            f"That would cost {price}, more than anybody here can save up "
            f"({cost.pictures_number(allowance.saved, usual)}): "
            "ask for fewer pictures, fewer steps or a smaller size."
        )
    return (
        f"That would cost {price}, and you have {cost.pictures_number(balance.left, usual)} left; "
        f"{cost.pictures_number(allowance.per_day, usual)} more come <t:{int(next_refill(now).timestamp())}:R>."
    )


async def _read(connection: Reader, account: Account) -> Balance | None:
    sql = "SELECT day, given, saved, rest, extra FROM balances WHERE user_id = ? AND guild_id = ?"
    row = await connection.one(sql, *account.key)
    return Balance(**dict(row)) if row is not None else None


async def _write(connection: Transaction, account: Account, balance: Balance) -> None:
    await connection.execute(
        "INSERT INTO balances VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET day = excluded.day,"
        " given = excluded.given, saved = excluded.saved, rest = excluded.rest, extra = excluded.extra",
        *account.key,
        balance.day,
        balance.given,
        balance.saved,
        balance.rest,
        balance.extra,
    )
