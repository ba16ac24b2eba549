"""The only writer of jobs' messages.

Every job has one message. Updates come faster than Discord takes edits, so each message is edited at most once in
`edit_seconds`, the newest state wins, and what is out of date is never sent. A picture is different: it is sent as
soon as it is there and again until Discord has it, in a new message where the old one is gone.
"""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import discord
import structlog

from pastelbot.bot import render
from pastelbot.bot.files import FILE_BYTES, attachments
from pastelbot.bot.views.buttons import job_view
from pastelbot.jobs.background import call_later, spawn
from pastelbot.records import BeingPainted, Ended, InLine, Job, Rendered, ReplyTarget, Update
from pastelbot.service import Queued, Service

_MESSAGE_TOO_OLD = 30046
_FIRST_RETRY = 5.0
_LONGEST_RETRY = 300.0

log = structlog.get_logger(__name__)


@dataclass(kw_only=True)
class _Slot:
    """What one message shows, and what it should show next."""

    message_id: int | None = None
    next: Update | None = None
    text: str = ""
    busy: bool = False
    edited_at: float = float("-inf")
    timer: asyncio.TimerHandle | None = None
    retry: float = _FIRST_RETRY
    task: asyncio.Task[None] | None = None


class Delivery:
    """Shows what the dispatcher publishes."""

    def __init__(self, client: discord.Client, service: Service, *, edit_seconds: float) -> None:
        self._client = client
        self._service = service
        self._edit_seconds = edit_seconds
        self._slots: dict[str, _Slot] = {}
        self._closed = False

    async def announce(self, interaction: discord.Interaction[Any], queued: Queued) -> None:
        """Answer an interaction with the job's message.

        Where the interaction has expired meanwhile, the message is sent to the channel instead: the job is durable.
        """
        job, text = queued.job, render.waiting_text(queued.job, queued.position)
        slot = self._slots.setdefault(job.id, _Slot())
        slot.busy = True
        try:
            try:
                answer = await interaction.response.send_message(
                    text, view=job_view(job), allowed_mentions=discord.AllowedMentions.none()
                )
                slot.message_id = answer.message_id
            except discord.HTTPException as error:
                log.warning("interaction not answered", job=job.id, error=str(error))
                slot.message_id = (await self._send(job, text, [])).id
            slot.text, slot.edited_at = text, time.monotonic()
            if slot.message_id is not None:
                await self._service.set_message(job.id, slot.message_id)
        finally:
            slot.busy = False
            self._schedule(job.id, slot)

    def publish(self, update: Update) -> None:
        """Take an update; call it from the event loop's thread."""
        slot = self._slots.setdefault(update.job.id, _Slot())
        if slot.next is None or not render.is_final(slot.next) or render.is_final(update):
            slot.next = update
        self._schedule(update.job.id, slot)

    def forget(self, job_id: str) -> None:
        """Show nothing more of a job whose message was deleted."""
        slot = self._slots.pop(job_id, None)
        if slot is not None and slot.timer is not None:
            slot.timer.cancel()

    async def close(self) -> None:
        """Drop what waits, and return when edits under way are finished."""
        self._closed = True
        for slot in self._slots.values():
            if slot.timer is not None:
                slot.timer.cancel()
        tasks = [slot.task for slot in self._slots.values() if slot.task is not None and not slot.task.done()]
        if tasks:
            await asyncio.wait(tasks, timeout=10)

    def _schedule(self, job_id: str, slot: _Slot) -> None:
        if self._closed or slot.busy or slot.next is None or self._slots.get(job_id) is not slot:
            return
        if slot.timer is not None:
            slot.timer.cancel()
        pause = 0.0 if render.is_final(slot.next) else slot.edited_at + self._edit_seconds - time.monotonic()
        if pause <= 0:
            self._start(job_id, slot)
        else:
            slot.timer = call_later(pause, lambda: self._start(job_id, slot))

    def _start(self, job_id: str, slot: _Slot) -> None:
        if not slot.busy and not self._closed:
            slot.busy = True
            slot.task = spawn(self._run(job_id, slot))

    async def _run(self, job_id: str, slot: _Slot) -> None:
        update, slot.next = slot.next, None
        if update is None:
            slot.busy = False
            return
        try:
            await self._show(update, slot)
        except (discord.HTTPException, OSError, TimeoutError) as error:
            self._failed(job_id, slot, update, error)
        except Exception:
            log.exception("a message could not be written", job=job_id)
        else:
            slot.retry = _FIRST_RETRY
            if render.is_final(update) and slot.next is None:
                self._slots.pop(job_id, None)
        slot.busy, slot.edited_at = False, time.monotonic()
        if slot.retry == _FIRST_RETRY:
            self._schedule(job_id, slot)

    def _failed(self, job_id: str, slot: _Slot, update: Update, error: Exception) -> None:
        """Keep a final update for another try; a newer progress replaces a lost one by itself."""
        log.warning("message not written", job=job_id, update=type(update).__name__, error=str(error))
        if not render.is_final(update) or self._closed:
            return
        slot.next = slot.next or update
        slot.timer = call_later(slot.retry, lambda: self._start(job_id, slot))
        slot.retry = min(2 * slot.retry, _LONGEST_RETRY)

    async def _show(self, update: Update, slot: _Slot) -> None:
        match update:
            case Rendered():
                await self._post(update.job, slot)
            case InLine() | BeingPainted() | Ended():
                text = render.status_text(update)
                if text != slot.text:
                    await self._write(update.job, slot, text, [], final=isinstance(update, Ended))
                    slot.text = text

    async def _post(self, job: Job, slot: _Slot) -> None:
        """Send the pictures; the job is settled only after Discord has answered with a message."""
        pictures = await self._service.pictures(job.id)
        limit = await self._file_limit(job)
        try:
            files = await asyncio.to_thread(attachments, job, pictures, limit=limit)
        except FileNotFoundError:
            await self._give_up(job, slot, "its picture has vanished from the disk")
            return
        text = render.result_text(job, [picture.seed for picture, _ in pictures])
        try:
            message_id = await self._write(job, slot, text, files, final=True)
        except discord.Forbidden:
            await self._give_up(job, slot, "the bot may not post in this channel any more")
            return
        await asyncio.shield(self._service.posted(job.id, message_id))

    async def _give_up(self, job: Job, slot: _Slot, reason: str) -> None:
        await self._service.undeliverable(job.id, reason)
        ended = await self._service.job(job.id)
        with suppress(discord.HTTPException):
            await self._write(ended, slot, render.status_text(Ended(job=ended)), [], final=True)

    async def _write(self, job: Job, slot: _Slot, text: str, files: list[discord.File], *, final: bool) -> int:
        """Edit the job's message, or send a new one where it is final and the old one cannot be had; return its id."""
        if slot.message_id is None:
            current = await self._service.job(job.id)
            slot.message_id = current.reply.message_id if current.reply is not None else None
        if slot.message_id is not None:
            try:
                await self._edit(job, slot.message_id, text, files)
            except discord.HTTPException as error:
                gone = isinstance(error, discord.NotFound) or error.code == _MESSAGE_TOO_OLD
                if not gone or not final:
                    raise
                for file in files:
                    file.reset()
            else:
                return slot.message_id
        elif not final:
            return 0
        slot.message_id = (await self._send(job, text, files)).id
        return slot.message_id

    async def _edit(self, job: Job, message_id: int, text: str, files: list[discord.File]) -> None:
        message = self._channel(_reply(job)).get_partial_message(message_id)
        await message.edit(
            content=text, attachments=files, view=job_view(job), allowed_mentions=discord.AllowedMentions.none()
        )

    async def _send(self, job: Job, text: str, files: list[discord.File]) -> discord.Message:
        """Send the job's message anew; the nonce keeps Discord from taking it twice."""
        mentions = discord.AllowedMentions(everyone=False, roles=False, users=[discord.Object(job.user_id)])
        channel = self._channel(_reply(job))
        return await channel.send(text, files=files, view=job_view(job), allowed_mentions=mentions, nonce=job.id)

    def _channel(self, reply: ReplyTarget) -> discord.PartialMessageable:
        return self._client.get_partial_messageable(reply.channel_id, guild_id=reply.guild_id)

    async def _file_limit(self, job: Job) -> int:
        guild = self._client.get_guild(_reply(job).guild_id or 0)
        return guild.filesize_limit if guild is not None else FILE_BYTES


def _reply(job: Job) -> ReplyTarget:
    if job.reply is None:
        raise ValueError(f"job {job.id} has no channel")
    return job.reply
