"""Sign-in: who uses the web page, by a local account's password or by a one-time link of the bot.

The page's users are actors like those of commands. Who comes by a link paints as in the channel where they asked
for it, with the rights that they had there, for as long as the session lasts; blocks, caps and the server's rules are
looked up anew for each request. Local accounts share a server of their own, `ON_PAGE`.
"""

import asyncio
import hashlib
import json
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pastelbot.config import Settings
from pastelbot.errors import NotAllowedError, NotFoundError, RequestError
from pastelbot.records import ON_PAGE, Actor
from pastelbot.service.page.passwords import FailedTries, hashed, matches
from pastelbot.store.web.sign_in import AccountLine, SignInStore, Ticket, TicketKind

_LINK_MINUTES = 10
_SHORTEST_PASSWORD, _LONGEST_PASSWORD = 8, 200
_NAME = re.compile(r"\w(?:[\w .-]{0,30}\w)?")
_LOCAL_USER = -1
_FIELDS = (
    *("user_id", "guild_id", "channel_id", "places", "role_ids"),
    *("manages_messages", "manages_server", "age_restricted"),
)


@dataclass(frozen=True, kw_only=True)
class Visitor:
    """A user of the page, by the name that it shows."""

    name: str
    actor: Actor


class SignIn:
    """Accounts, links and sessions. Tokens are random, and only their digests are stored."""

    def __init__(
        self,
        settings: Settings,
        store: SignInStore,
        *,
        clock: Callable[[], datetime],
        tries: FailedTries | None = None,
    ) -> None:
        self._settings = settings
        self._store = store
        self._clock = clock
        self._tries = tries or FailedTries()
        self._checking = asyncio.Semaphore(2)  # scrypt takes 64 MiB

    async def save_account(self, name: str, password: str) -> bool:
        """Add an account, or give it another password; return whether it is new. Raises RequestError."""
        name = " ".join(name.split())
        if _NAME.fullmatch(name) is None:
            raise RequestError(
                f"{name[:40]!r} is not a valid account name: use 1 to 32 letters and digits, with blanks, dots, "
                "hyphens or underscores between them."
            )
        if not _SHORTEST_PASSWORD <= len(password) <= _LONGEST_PASSWORD:
            raise RequestError(
                f"A password has {_SHORTEST_PASSWORD} to {_LONGEST_PASSWORD} characters, and this one has "
                f"{len(password)}."
            )
        return await self._store.save_account(name, await asyncio.to_thread(hashed, password), now=self._clock())

    async def has_accounts(self) -> bool:
        """Return whether there is a local account."""
        return await self._store.has_accounts()

    async def accounts(self) -> list[AccountLine]:
        """Return the local accounts by name."""
        return await self._store.accounts(now=self._clock())

    async def user_of(self, name: str) -> int:
        """Return an account's user; raises NotFoundError."""
        account = await self._store.account(" ".join(name.split()))
        if account is None:
            raise NotFoundError(f"There is no account {name[:40]!r}: `pastelbot web users` lists them.")
        return account.user_id

    async def remove_account(self, name: str) -> None:
        """Remove an account and sign it out everywhere; raises NotFoundError."""
        await self._store.remove_account(await self.user_of(name))

    def local_user(self) -> Visitor:
        """Return who uses a page that needs no sign-in."""
        return self._visitor(_LOCAL_USER, "local")

    async def by_password(self, name: str, password: str, *, address: str) -> Visitor:
        """Return the user of an account; raises NotAllowedError, and LimitError after ten wrong passwords."""
        keys = (f"name:{name.casefold()[:100]}", f"address:{address}")
        self._tries.check(*keys)
        account = await self._store.account(name.strip())
        async with self._checking:
            self._tries.check(*keys)  # others may have failed meanwhile
            stored = account.password if account is not None else await _never_matching()
            right = await asyncio.to_thread(matches, password[: _LONGEST_PASSWORD + 1], stored)
            if account is None or not right:
                self._tries.failed(*keys)
                raise NotAllowedError("The name or the password is wrong: try again.")
        self._tries.succeeded(keys[0])
        return self._visitor(account.user_id, account.name)

    async def new_link(self, visitor: Visitor) -> str:
        """Return a token that signs a user in once, within ten minutes."""
        return await self._issue(TicketKind.LINK, visitor, timedelta(minutes=_LINK_MINUTES))

    async def by_link(self, token: str) -> Visitor:
        """Return the user of a link, which works once; raises NotAllowedError."""
        ticket = await self._store.take(TicketKind.LINK, _digest(token), now=self._clock())
        if ticket is None:
            raise NotAllowedError("This link was used or has expired: ask for a new one with /web in Discord.")
        return _read(ticket)

    async def begin_session(self, visitor: Visitor) -> str:
        """Return the token of a browser that is signed in from now on."""
        return await self._issue(TicketKind.SESSION, visitor, timedelta(hours=self._settings.web.session_hours))

    async def visitor(self, token: str) -> Visitor | None:
        """Return who is signed in by a session's token."""
        ticket = await self._store.get(TicketKind.SESSION, _digest(token), now=self._clock()) if token else None
        return None if ticket is None else _read(ticket)

    async def end_session(self, token: str) -> None:
        """Sign a browser out."""
        await self._store.take(TicketKind.SESSION, _digest(token), now=self._clock())

    async def _issue(self, kind: TicketKind, visitor: Visitor, lifetime: timedelta) -> str:
        token, now = secrets.token_urlsafe(32), self._clock()
        ticket = Ticket(user_id=visitor.actor.user_id, name=visitor.name, actor=_plain(visitor.actor))
        await self._store.add(kind, _digest(token), ticket, expires_at=now + lifetime, now=now)
        return token

    def _visitor(self, user_id: int, name: str) -> Visitor:
        adult = self._settings.moderation.adult_in_direct_messages
        return Visitor(name=name, actor=Actor(user_id=user_id, guild_id=ON_PAGE, age_restricted=adult))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


async def _never_matching() -> str:
    """Return a hash of an unknown password, so that an unknown name takes as long as a known one."""
    return await asyncio.to_thread(hashed, secrets.token_urlsafe())


def _plain(actor: Actor) -> str:
    return json.dumps({name: getattr(actor, name) for name in _FIELDS})


def _read(ticket: Ticket) -> Visitor:
    # Any: each field of an actor has a type of its own.
    stored: dict[str, Any] = json.loads(ticket.actor)
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in stored.items()
    }
    return Visitor(name=ticket.name, actor=Actor(**values))
