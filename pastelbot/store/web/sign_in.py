"""Accounts of the web page, one-time links, and the browsers that are signed in."""

import enum
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

from pastelbot.store.database import Database


class TicketKind(enum.StrEnum):
    """What a ticket is good for."""

    LINK = "link"  # signs in once
    SESSION = "session"  # a browser that is signed in


@dataclass(frozen=True, kw_only=True)
class Account:
    """A local account; `password` is its hash."""

    user_id: int
    name: str
    password: str


@dataclass(frozen=True, kw_only=True)
class Ticket:
    """Whom a token signs in as; `actor` is JSON."""

    user_id: int
    name: str
    actor: str


@dataclass(frozen=True, kw_only=True)
class AccountLine:
    """An account in a list; `browsers` are those that are signed in."""

    name: str
    created_at: datetime
    browsers: int


class SignInStore:
    """All reading and writing of accounts and tickets. A ticket is known by its token's digest alone."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save_account(self, name: str, password: str, *, now: datetime) -> bool:
        """Add an account, or give it another password and sign its browsers out; return whether it is new."""
        sql = "INSERT INTO web_accounts (user_id, name, password, created_at) VALUES (?, ?, ?, ?)"
        async with self._database.transaction() as transaction:
            row = await transaction.one("SELECT user_id FROM web_accounts WHERE name = ?", name)
            if row is None:
                await transaction.execute(sql, _new_id(), name, password, now.timestamp())
                return True
            await transaction.execute("UPDATE web_accounts SET password = ? WHERE user_id = ?", password, row[0])
            await transaction.execute("DELETE FROM web_tickets WHERE user_id = ?", row[0])
            return False

    async def account(self, name: str) -> Account | None:
        """Return the account of a name, in capitals or not."""
        row = await self._database.reader.one("SELECT user_id, name, password FROM web_accounts WHERE name = ?", name)
        return None if row is None else Account(**dict(row))

    async def has_accounts(self) -> bool:
        """Return whether there is an account."""
        return await self._database.reader.number("SELECT EXISTS (SELECT 1 FROM web_accounts)") > 0

    async def accounts(self, *, now: datetime) -> list[AccountLine]:
        """Return all accounts by name."""
        sql = (
            "SELECT name, created_at, (SELECT COUNT(*) FROM web_tickets t WHERE t.user_id = a.user_id AND t.kind = ?"
            " AND t.expires_at > ?) AS browsers FROM web_accounts a ORDER BY name"
        )
        return [
            AccountLine(name=row["name"], created_at=datetime.fromtimestamp(row["created_at"], UTC), browsers=row[2])
            for row in await self._database.reader.all(sql, TicketKind.SESSION, now.timestamp())
        ]

    async def remove_account(self, user_id: int) -> None:
        """Remove an account and sign its browsers out."""
        async with self._database.transaction() as transaction:
            for table in ("web_accounts", "web_tickets"):
                await transaction.execute(f"DELETE FROM {table} WHERE user_id = ?", user_id)

    async def add(self, kind: TicketKind, digest: str, ticket: Ticket, *, expires_at: datetime, now: datetime) -> None:
        """Keep a ticket, and forget those that have expired."""
        values = (digest, kind, ticket.user_id, ticket.name, ticket.actor, expires_at.timestamp())
        async with self._database.transaction() as transaction:
            await transaction.execute("DELETE FROM web_tickets WHERE expires_at <= ?", now.timestamp())
            await transaction.execute("INSERT INTO web_tickets VALUES (?, ?, ?, ?, ?, ?)", *values)

    async def get(self, kind: TicketKind, digest: str, *, now: datetime) -> Ticket | None:
        """Return a ticket that has not expired."""
        sql = "SELECT user_id, name, actor FROM web_tickets WHERE digest = ? AND kind = ? AND expires_at > ?"
        row = await self._database.reader.one(sql, digest, kind, now.timestamp())
        return None if row is None else Ticket(**dict(row))

    async def take(self, kind: TicketKind, digest: str, *, now: datetime) -> Ticket | None:
        """Return a ticket that has not expired, once: it is gone afterwards."""
        sql = "DELETE FROM web_tickets WHERE digest = ? AND kind = ? RETURNING user_id, name, actor, expires_at"
        async with self._database.transaction() as transaction:
            row = await transaction.one(sql, digest, kind)
        if row is None or row["expires_at"] <= now.timestamp():
            return None
        return Ticket(user_id=row["user_id"], name=row["name"], actor=row["actor"])


def _new_id() -> int:
    """Return a user that no account ever had: what is kept of a removed one must not become another user's."""
    return -2 - secrets.randbits(62)
