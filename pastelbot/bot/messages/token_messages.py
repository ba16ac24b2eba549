"""Messages of jobs outside: where the bot is not, it writes with the token of the interaction that asked for the job.

Discord takes a token for 15 minutes. It is kept in memory alone: after that, and after a restart, a job's message is a
direct message to its owner.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import discord
import structlog

from pastelbot.bot.context import Interaction
from pastelbot.jobs.background import CallLater, call_later

_RESERVE_SECONDS = 60.0  # of the token's life, for saying where the picture comes
_REFUSED = {401, 403, 404}

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class _Token:
    webhook: discord.Webhook
    timer: Any  # has `cancel`


class TokenMessages:
    """Knows which jobs are shown by a token. `on_late` is called with a job's id a minute before its token ends."""

    def __init__(self, on_late: Callable[[str], None], *, later: CallLater = call_later) -> None:
        self._on_late = on_late
        self._later = later
        self._tokens: dict[str, _Token] = {}

    def keep(self, job_id: str, interaction: Interaction) -> None:
        """Write a job's message with the token of an interaction from now on."""
        self.drop(job_id)
        left = (interaction.expires_at - discord.utils.utcnow()).total_seconds() - _RESERVE_SECONDS
        timer = self._later(max(left, 0), lambda: self._on_late(job_id))
        self._tokens[job_id] = _Token(webhook=interaction.followup, timer=timer)

    def has(self, job_id: str) -> bool:
        """Return whether a job's message is written with a token."""
        return job_id in self._tokens

    def drop(self, job_id: str) -> None:
        """Write a job's message as the bot from now on."""
        token = self._tokens.pop(job_id, None)
        if token is not None:
            token.timer.cancel()

    def close(self) -> None:
        """Drop all tokens."""
        for job_id in tuple(self._tokens):
            self.drop(job_id)

    async def edit(self, job_id: str, message_id: int, **content: Any) -> None:  # noqa: ANN401 - the library's own
        """Edit a job's message; raises NotFound where that is gone, and where the token is no longer taken."""
        try:
            await self._tokens[job_id].webhook.edit_message(message_id, **content)
        except discord.HTTPException as error:
            if error.status not in _REFUSED:
                raise
            self._end(job_id, error)
            raise discord.NotFound(error.response, error.text) from error

    async def send(self, job_id: str, text: str, **content: Any) -> int | None:  # noqa: ANN401 - the same
        """Send another message with a job's token; return its id, None where the token is no longer taken."""
        try:
            message = await self._tokens[job_id].webhook.send(text, wait=True, **content)
        except discord.HTTPException as error:
            if error.status not in _REFUSED:
                raise
            self._end(job_id, error)
            return None
        return message.id

    def _end(self, job_id: str, error: discord.HTTPException) -> None:
        log.info("a job's message continues as a direct message", job=job_id, error=str(error))
        self.drop(job_id)
