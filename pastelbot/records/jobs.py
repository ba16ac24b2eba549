"""Jobs: a request in the queue, whose it is, and where it is shown."""

import dataclasses
import enum
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from pastelbot.records.requests import GenerationRequest

# The web page, where the id of a server or a channel would be: Discord's are positive.
ON_PAGE = -1


class JobStatus(enum.StrEnum):
    """A job's state. Each transition is durable before it is announced."""

    QUEUED = "queued"  # waiting for its turn
    LEASED = "leased"  # handed to a worker
    RENDERED = "rendered"  # pictures are on disk, not yet posted
    POSTED = "posted"  # Discord answered with the message's id
    DONE = "done"  # settled
    FAILED = "failed"  # refunded, with a reason
    CANCELLED = "cancelled"  # refunded

    @property
    def ended(self) -> bool:
        """Return whether nothing more will happen to the job."""
        return self in (JobStatus.DONE, JobStatus.FAILED, JobStatus.CANCELLED)


@dataclass(frozen=True, kw_only=True)
class ReplyTarget:
    """The message that shows a job: the bot's own, edited through the channel. None: not sent yet."""

    channel_id: int
    message_id: int | None = None
    guild_id: int | None = None


def _sees_nothing(_channel_id: int) -> bool:
    return False


@dataclass(frozen=True, kw_only=True)
class Actor:
    """The user who acts, and where, according to Discord. In a thread, `channel_id` is the parent channel's.

    `places` are the thread, its channel and the channel's category, where they exist, the nearest first. `sees` says
    whether the user can read another channel or thread of the server. `outside` are places that the bot is not in:
    the user has added it to their own account, and uses it in another server or in messages with others.
    """

    user_id: int
    guild_id: int | None = None
    channel_id: int | None = None
    places: tuple[int, ...] = ()
    role_ids: tuple[int, ...] = ()
    manages_messages: bool = False
    manages_server: bool = False
    age_restricted: bool = False
    outside: bool = False
    sees: Callable[[int], bool] = dataclasses.field(default=_sees_nothing, repr=False, compare=False)


@dataclass(frozen=True, kw_only=True)
class JobOptions:
    """Options of a job that do not change its pixels. `origin` is the job that this one was made from.

    `made_with` is the verb of the button that made it; "" for a command.

    `adult_allowed` says whether adult pictures may be shown where the job was requested. A private job is shown in a
    direct message, under the rules of its reply's server and of the channel `home_channel_id` there. `locale` is the
    language of its message: the server's in a channel, the user's in direct messages; "" is English.
    """

    spoiler: bool = False
    private: bool = False
    origin: str | None = None
    adult_allowed: bool = False
    home_channel_id: int | None = None
    locale: str = ""
    made_with: str = ""


@dataclass(frozen=True, kw_only=True)
class Job:
    """A request in the queue, as stored; where it is `withheld`, a moderator must review its pictures.

    `interaction_id` is Discord's number of what asked for it; messages have greater numbers than what was before them.
    `end_shown`: its message says that it failed or was cancelled, or cannot.
    """

    id: str
    user_id: int
    request: GenerationRequest
    status: JobStatus
    created_at: datetime
    attempts: int = 0
    reply: ReplyTarget | None = None
    options: JobOptions = JobOptions()
    reason: str | None = None
    seconds: float | None = None
    withheld: bool = False
    interaction_id: int | None = None
    end_shown: bool = False

    @property
    def on_page(self) -> bool:
        """Return whether the web page shows the job, instead of a message in Discord."""
        return self.reply is not None and self.reply.channel_id == ON_PAGE
