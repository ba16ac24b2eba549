"""Plans of requests that wait for their user's confirmation; stored, so that the buttons work after a restart."""

import json
import secrets
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from pydantic import TypeAdapter

from pastelbot.records import GenerationRequest, InitImage, JobOptions
from pastelbot.store.database import Database, Transaction
from pastelbot.store.jobs.rows import init_name, plain_init, plain_request, read_stored_request
from pastelbot.store.picture_files import PictureFiles

_LIFETIME = timedelta(hours=1)
_PER_USER = 10  # a user's older questions no longer count


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

    def __init__(self, database: Database, files: PictureFiles) -> None:
        self._database = database
        self._files = files

    async def add(self, plan: Plan, *, now: datetime) -> str:
        """Keep a plan and return its id; what has expired is dropped, and a user's oldest where there are many."""
        number = secrets.token_hex(6)
        async with self._files.keeping_inits(plan.requests), self._database.transaction() as connection:
            await _insert(connection, number, plan, now)
            sql = (
                "DELETE FROM confirmations WHERE asked_at < ? OR user_id = ? AND id NOT IN (SELECT id"
                " FROM confirmations WHERE user_id = ? ORDER BY asked_at DESC, id = ? DESC LIMIT ?) RETURNING init_file"
            )
            expired = (now - _LIFETIME).timestamp()
            rows = await connection.all(sql, expired, plan.user_id, plan.user_id, number, _PER_USER)
        await self._files.drop([row[0] for row in rows if row[0] is not None])
        return number

    async def take(self, number: str, user_id: int, *, now: datetime) -> Plan | None:
        """Return a user's plan, once: a second call gets None, as for an expired one."""
        sql = "DELETE FROM confirmations WHERE id = ? AND user_id = ? RETURNING plan, asked_at"
        async with self._database.transaction() as connection:
            row = await connection.one(sql, number, user_id)
        if row is None or row["asked_at"] < (now - _LIFETIME).timestamp():
            return None
        return _unpacked(user_id, _read(row["plan"]))

    async def put_back(self, number: str, plan: Plan, *, now: datetime) -> None:
        """Keep a plan that was taken and could not be carried out under its old id."""
        async with self._files.keeping_inits(plan.requests), self._database.transaction() as connection:
            await _insert(connection, number, plan, now)


async def _insert(connection: Transaction, number: str, plan: Plan, now: datetime) -> None:
    """Keep a plan. All of its requests start from the same picture: braces change the prompt alone."""
    sql = "INSERT OR IGNORE INTO confirmations (id, user_id, plan, asked_at, init_file) VALUES (?, ?, ?, ?, ?)"
    text, init_file = json.dumps(_plain(_packed(plan))), init_name(plan.requests[0])
    await connection.execute(sql, number, plan.user_id, text, now.timestamp(), init_file)


def _plain(kept: _Kept) -> dict[str, Any]:
    """Return a plan as it is stored, for JSON. Any: each field has a type of its own."""
    plain = asdict(replace(kept, requests=(), init=None))
    init = plain_request(kept.requests[0].replace(init=kept.init))["init"] if kept.init is not None else None
    return {**plain, "requests": [plain_request(request) for request in kept.requests], "init": init}


def _read(text: str) -> _Kept:
    stored = json.loads(text)
    requests = [read_stored_request(json.dumps(request)) for request in stored.pop("requests")]
    if stored.get("init") is not None:
        stored["init"] = plain_init(stored["init"])
    return replace(_KEPT.validate_python({**stored, "requests": ()}), requests=tuple(requests))


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
