"""Plans of requests that wait for their user's confirmation; stored, so that the buttons work after a restart."""

import json
import secrets
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from pydantic import TypeAdapter

from pastelbot.records import GenerationRequest, InitImage, JobOptions
from pastelbot.store.database import Database

_LIFETIME = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Several requests that are queued together or not at all, under the rules of that server."""

    user_id: int
    guild_id: int | None
    requests: tuple[GenerationRequest, ...]
    options: JobOptions


@dataclass(frozen=True, kw_only=True)
class _Kept:
    """A plan as JSON: a picture that all requests start from is kept once, it may be large."""

    guild_id: int | None
    requests: tuple[GenerationRequest, ...]
    options: JobOptions
    init: InitImage | None = None


_KEPT = TypeAdapter(_Kept)


class ConfirmationStore:
    """All reading and writing of plans that wait to be confirmed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, plan: Plan, *, now: datetime) -> str:
        """Keep a plan and return its id; what has expired is dropped."""
        number = secrets.token_hex(6)
        async with self._database.transaction() as connection:
            await connection.execute("DELETE FROM confirmations WHERE asked_at < ?", (now - _LIFETIME).timestamp())
            await connection.execute(
                "INSERT INTO confirmations (id, user_id, plan, asked_at) VALUES (?, ?, ?, ?)",
                number,
                plan.user_id,
                json.dumps(asdict(_packed(plan))),
                now.timestamp(),
            )
        return number

    async def take(self, number: str, user_id: int, *, now: datetime) -> Plan | None:
        """Return a user's plan, once: a second call gets None, as for an expired one."""
        sql = "DELETE FROM confirmations WHERE id = ? AND user_id = ? RETURNING plan, asked_at"
        async with self._database.transaction() as connection:
            row = await connection.one(sql, number, user_id)
        if row is None or row["asked_at"] < (now - _LIFETIME).timestamp():
            return None
        return _unpacked(user_id, _KEPT.validate_json(row["plan"]))

    async def put_back(self, number: str, plan: Plan, *, now: datetime) -> None:
        """Keep a plan that was taken and could not be carried out under its old id."""
        async with self._database.transaction() as connection:
            await connection.execute(
                "INSERT OR IGNORE INTO confirmations (id, user_id, plan, asked_at) VALUES (?, ?, ?, ?)",
                number,
                plan.user_id,
                json.dumps(asdict(_packed(plan))),
                now.timestamp(),
            )


def _packed(plan: Plan) -> _Kept:
    inits = {request.init for request in plan.requests}
    if len(inits) != 1 or inits == {None}:
        return _Kept(guild_id=plan.guild_id, requests=plan.requests, options=plan.options)
    requests = tuple(request.replace(init=None) for request in plan.requests)
    return _Kept(guild_id=plan.guild_id, requests=requests, options=plan.options, init=inits.pop())


def _unpacked(user_id: int, kept: _Kept) -> Plan:
    requests = kept.requests
    if kept.init is not None:
        requests = tuple(request.replace(init=kept.init) for request in requests)
    return Plan(user_id=user_id, guild_id=kept.guild_id, requests=requests, options=kept.options)
