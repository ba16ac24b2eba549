"""What job rows hold, as records."""

import base64
import json
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from pydantic import TypeAdapter

from pastelbot.records import GenerationRequest, Job, JobOptions, JobStatus, ReplyTarget
from pastelbot.rules import cost
from pastelbot.store.database import Row
from pastelbot.store.quotas import Charge
from pastelbot.store.stored_pictures import content_name

_REQUEST = TypeAdapter(GenerationRequest)


@dataclass(frozen=True, kw_only=True)
class QueuedJob:
    """A queued job without its request, which may be large; `created_at` is in seconds since 1970."""

    id: str
    user_id: int
    created_at: float
    work: int
    count: int
    attempts: int = 0
    guild_id: int | None = None

    @classmethod
    def of(cls, job: Job) -> "QueuedJob":
        """Return what the queue keeps of a job."""
        return cls(
            id=job.id,
            user_id=job.user_id,
            created_at=job.created_at.timestamp(),
            work=cost.work(job.request),
            count=cost.pictures(job.request),
            attempts=job.attempts,
            guild_id=job.reply.guild_id if job.reply is not None else None,
        )


@dataclass(frozen=True, kw_only=True)
class Served:
    """Work that was dispatched for a user, and when, in seconds since 1970."""

    user_id: int
    at: float
    work: int
    count: int


def init_name(request: GenerationRequest) -> str | None:
    """Return the name of the file of the picture that a request starts from, or None."""
    init = request.init
    if init is None:
        return None
    return content_name(init.content) if init.content else init.name or None


def without_content(request: GenerationRequest) -> GenerationRequest:
    """Return the request with the name of the picture to start from in place of its content."""
    if request.init is None:
        return request
    return request.replace(init=replace(request.init, name=init_name(request) or "", content=b""))


def plain_request(request: GenerationRequest) -> dict[str, Any]:
    """Return a request as it is stored, for JSON. Any: each field has a type of its own."""
    plain = asdict(without_content(request))
    if plain["init"] is not None:
        del plain["init"]["content"]
        if plain["init"]["mask"] is not None:
            del plain["init"]["mask"]["content"]
    return plain


def plain_init(stored: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a stored picture to start from; up to version 11 the row held all of it, in base64."""
    file = stored.pop("file", None)
    if file is None:
        return stored
    content = base64.b64decode(file)
    return {**stored, "content": content, "upload": len(content)}


def read_stored_request(text: str) -> GenerationRequest:
    """Return the request of a row, whichever version wrote it."""
    stored = json.loads(text)
    if stored.get("init") is None:
        return _REQUEST.validate_json(text)
    return _REQUEST.validate_python({**stored, "init": plain_init(stored["init"])})


def _request_text(request: GenerationRequest) -> str:
    """Return a request as stored; raises where it could not be read back, which would stop all jobs."""
    text = json.dumps(plain_request(request))
    _REQUEST.validate_json(text)
    return text


def new_row(job: Job, charge: Charge) -> dict[str, object]:
    """Return the row of a job that is queued, by the names of its columns; `charge` is what it took of the quota."""
    reply = job.reply or ReplyTarget(channel_id=0)
    return {
        "id": job.id,
        "user_id": job.user_id,
        "request": _request_text(job.request),
        "status": job.status,
        "created_at": job.created_at.timestamp(),
        "guild_id": reply.guild_id,
        "channel_id": reply.channel_id,
        "interaction_id": job.interaction_id,
        "message_id": reply.message_id,
        "cost": cost.work(job.request),
        "count": cost.pictures(job.request),
        "from_rest": charge.rest,
        "from_extra": charge.extra,
        "init_file": init_name(job.request),
        "init_size": len(job.request.init.content) if job.request.init is not None else 0,
        **asdict(job.options),
    }


def job_of(row: Row) -> Job:
    """Return the job that a row has."""
    reply = None
    if row["channel_id"] is not None:
        reply = ReplyTarget(guild_id=row["guild_id"], channel_id=row["channel_id"], message_id=row["message_id"])
    return Job(
        id=row["id"],
        user_id=row["user_id"],
        request=read_stored_request(row["request"]),
        status=JobStatus(row["status"]),
        attempts=row["attempts"],
        created_at=datetime.fromtimestamp(row["created_at"], tz=UTC),
        reply=reply,
        options=JobOptions(
            spoiler=bool(row["spoiler"]),
            private=bool(row["private"]),
            origin=row["origin"],
            adult_allowed=bool(row["adult_allowed"]),
            home_channel_id=row["home_channel_id"],
            locale=row["locale"],
            made_with=row["made_with"],
        ),
        withheld=row["review"] == "open",
        reason=row["reason"],
        seconds=row["seconds"],
        interaction_id=row["interaction_id"],
        end_shown=bool(row["end_shown"]),
    )
