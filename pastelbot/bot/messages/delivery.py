"""Delivery: the only writer of jobs' messages.

Every job has one message. Updates come faster than Discord takes edits, so each message is edited at most once in
`edit_seconds`, the newest state wins, and what is out of date is never sent. A picture is different: it is sent as
soon as it is there and again until Discord has it, in a new message where the old one is gone.
"""

import asyncio
from dataclasses import dataclass, replace
from time import monotonic

import aiohttp
import discord
import structlog

from pastelbot.bot import render
from pastelbot.bot.components.job_buttons import job_view
from pastelbot.bot.context import Interaction
from pastelbot.bot.files import FILE_BYTES, attachments, previews
from pastelbot.bot.localisation import translated
from pastelbot.bot.messages.review_messages import ReviewMessages, withheld_text
from pastelbot.bot.responses import respond_ephemeral
from pastelbot.errors import NotFoundError
from pastelbot.i18n.languages import Languages, Translate
from pastelbot.jobs.background import call_later, spawn
from pastelbot.records import BeingPainted, Ended, InLine, Job, JobStatus, Rendered, ReplyTarget, Update
from pastelbot.service.requests.submission import JobService, Queued
from pastelbot.service.reviews import Verdict

_UNEDITABLE = {30046, 50083}  # the message is too old; its thread is archived, which a new message ends
_CLOSED = {50083, 160005}  # a thread that takes no new message either
_TOO_LARGE = 413
_WRONG = 400
_MOST_WRONG = 8
_SMALLEST_LIMIT = 2**20
_FIRST_RETRY = 5.0
_LONGEST_RETRY = 300.0
_NO_WAY = (discord.Forbidden, discord.NotFound, NotFoundError)  # the last: the job itself is gone
_UNSENT = (discord.HTTPException, aiohttp.ClientError, OSError, TimeoutError)

log = structlog.get_logger(__name__)


@dataclass(kw_only=True)
class _Slot:
    """What one message shows, and what it should show next."""

    message_id: int | None = None
    next: Update | None = None
    text: str = ""
    preview: bytes | None = None
    busy: bool = False
    edited_at: float = float("-inf")
    timer: asyncio.TimerHandle | None = None
    failures: int = 0
    task: asyncio.Task[None] | None = None


class Delivery:
    """Shows what the dispatcher publishes."""

    def __init__(
        self,
        client: discord.Client,
        service: JobService,
        review_messages: ReviewMessages,
        languages: Languages,
        *,
        edit_seconds: float,
        mention_after: float,
    ) -> None:
        self._client = client
        self._service = service
        self._review_messages = review_messages
        self._languages = languages
        self._edit_seconds = edit_seconds
        self._mention_after = mention_after
        self._slots: dict[str, _Slot] = {}
        self._closed = False

    async def announce(self, interaction: Interaction, queued: Queued) -> None:
        """Answer an interaction with the job's message.

        Where the interaction has expired meanwhile, the message is sent to the channel instead: the job is durable.
        """
        job, text = queued.job, render.waiting_text(queued.job, queued.position, queued.ready_at)
        slot = self._slots.setdefault(job.id, _Slot())
        while slot.busy and slot.task is not None:  # what was published before is being shown
            await asyncio.wait([slot.task])
        slot.busy = True
        try:
            if await self._known_message(job) is not None:
                await respond_ephemeral(interaction, "Your picture is here already.")
                return
            slot.message_id = await self._answer(interaction, job, text)
            slot.text, slot.edited_at = text, monotonic()
            if slot.message_id is not None:
                await self._service.set_message(job.id, slot.message_id)
        finally:
            slot.busy = False
            self._schedule(job.id, slot)

    async def _answer(self, interaction: Interaction, job: Job, text: str) -> int | None:
        """Send the job's first message; None where Discord does not take one now, but will take the picture."""
        none, translate = discord.AllowedMentions.none(), self._saying(job)
        view = translated(job_view(job), translate)
        try:
            answer = await interaction.response.send_message(translate(text), view=view, allowed_mentions=none)
        except _UNSENT as error:
            log.warning("interaction not answered", job=job.id, error=str(error))
        else:
            return answer.message_id
        return await self._send_first(job, text)

    async def introduce(self, queued: Queued) -> None:
        """Show a job whose message answers nothing: send one, or fill that which was begun for it."""
        job, text = queued.job, render.waiting_text(queued.job, queued.position, queued.ready_at)
        slot = self._slots.setdefault(job.id, _Slot())
        while slot.busy and slot.task is not None:  # what was published before is being shown
            await asyncio.wait([slot.task])
        slot.busy = True
        try:
            current = await self._service.job(job.id)
            slot.message_id = _reply(current).message_id
            if slot.message_id is None:
                slot.message_id = await self._send_first(job, text)
                if slot.message_id is not None:
                    await self._service.set_message(job.id, slot.message_id)
            elif not slot.text and current.status in {JobStatus.QUEUED, JobStatus.LEASED}:
                await self._edit(job, slot.message_id, text, [])
            slot.text, slot.edited_at = text, monotonic()
        except _UNSENT as error:
            log.warning("message not written", job=job.id, error=str(error))
        finally:
            slot.busy = False
            self._schedule(job.id, slot)

    async def _send_first(self, job: Job, text: str) -> int | None:
        try:
            return (await self._send(job, text, [])).id
        except _NO_WAY:
            await self._service.undeliverable(job.id, "the bot may not post in this channel")
        except _UNSENT as error:
            log.warning("message not sent", job=job.id, error=str(error))
        return None

    def publish(self, update: Update) -> None:
        """Take an update; call it from the event loop's thread."""
        slot = self._slots.setdefault(update.job.id, _Slot())
        if isinstance(update, BeingPainted) and update.preview and self._review_messages.previews_allowed(update.job):
            slot.preview = update.preview
        if slot.next is None or not render.is_final(slot.next) or render.is_final(update):
            slot.next = update
        self._schedule(update.job.id, slot)

    @property
    def pending(self) -> frozenset[str]:
        """The ids of the jobs whose messages may still change."""
        return frozenset(self._slots)

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
        pause = 0.0 if render.is_final(slot.next) else slot.edited_at + self._edit_seconds - monotonic()
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
        except Exception as error:
            if not isinstance(error, (*_UNSENT, *_NO_WAY)):
                log.exception("unexpected error in writing a message", job=job_id)
            self._failed(job_id, slot, update, error)
        else:
            slot.failures = 0
            if render.is_final(update) and slot.next is None:
                self._slots.pop(job_id, None)
        slot.busy, slot.edited_at = False, monotonic()
        if not slot.failures:
            self._schedule(job_id, slot)

    def _failed(self, job_id: str, slot: _Slot, update: Update, error: Exception) -> None:
        """Keep a final update for another try; a newer progress replaces a lost one by itself."""
        log.warning("message not written", job=job_id, update=type(update).__name__, error=str(error))
        if not render.is_final(update) or self._closed:
            return
        if isinstance(error, _NO_WAY) or _hopeless(error, slot):
            self._slots.pop(job_id, None)
            return
        slot.next = slot.next or update
        pause = min(_FIRST_RETRY * 2**slot.failures, _LONGEST_RETRY)
        slot.failures += 1
        slot.timer = call_later(pause, lambda: self._start(job_id, slot))

    async def _show(self, update: Update, slot: _Slot) -> None:
        match update:
            case Rendered():
                await self._service.job(update.job.id)
                await self._deliver(update.job, slot)
            case InLine() | BeingPainted() | Ended():
                text = render.status_text(update)
                if text != slot.text:
                    files = previews(update, slot.preview)
                    await self._write(update.job, slot, text, files, final=isinstance(update, Ended))
                    slot.text = text
                if isinstance(update, Ended) and update.job.withheld:
                    await self._review_messages.close(update.job)

    async def _deliver(self, job: Job, slot: _Slot) -> None:
        """Post the pictures, or say that they are withheld and ask a moderator."""
        match await self._review_messages.judge(job):
            case Verdict.SHOW:
                await self._post(job, slot)
            case Verdict.WITHHOLD if not await self._review_messages.asked(job):
                held = replace(job, withheld=True)
                await self._write(held, slot, withheld_text(job), [], final=True)
                await self._review_messages.ask(held, limit=await self._file_limit(job))

    async def _post(self, job: Job, slot: _Slot) -> None:
        """Send the pictures; the job is settled only after Discord has answered with a message."""
        shown = slot.message_id or await self._known_message(job)
        try:
            message_id = await self._write_pictures(job, slot)
        except FileNotFoundError:
            await self._service.undeliverable(job.id, "its picture has vanished from the disk")
        except _NO_WAY:
            await self._service.undeliverable(job.id, "the bot may no longer post in this channel")
        except discord.HTTPException as error:
            if not _hopeless(error, slot):
                raise
            await self._service.undeliverable(job.id, "Discord does not take its message")
        else:
            await asyncio.shield(self._service.posted(job.id, message_id))
            if message_id == shown:  # an edit, which notifies no one; a new message mentions its owner itself
                await self._mention(job, message_id)

    def _waited_long(self, job: Job) -> bool:
        return self._service.waited(job) > self._mention_after

    async def _mention(self, job: Job, message_id: int) -> None:
        """Notify the owner after a long wait that the picture is there: Discord notifies users of new messages only."""
        if not self._waited_long(job):
            return
        channel = self._channel(_reply(job))
        picture = channel.get_partial_message(message_id).to_reference(fail_if_not_exists=False)
        text, nonce = self._saying(job)(f"<@{job.user_id}> Your picture is ready."), f"{job.id}:ready"
        try:
            await channel.send(text, reference=picture, allowed_mentions=_owner_alone(job), nonce=nonce)
        except _UNSENT as error:
            log.warning("owner not mentioned", job=job.id, error=str(error))

    async def _write_pictures(self, job: Job, slot: _Slot) -> int:
        """Write the message with its pictures, smaller ones where Discord finds them too large; return its id."""
        pictures = await self._service.pictures(job.id)
        text = render.result_text(job, [picture.seed for picture, _ in pictures])
        limit = await self._file_limit(job)
        while True:
            files = await asyncio.to_thread(attachments, job, pictures, limit=limit)
            try:
                return await self._write(job, slot, text, files, final=True)
            except discord.HTTPException as error:
                if error.status != _TOO_LARGE or limit <= _SMALLEST_LIMIT:
                    raise
                limit = min(limit, FILE_BYTES + 1) // 2
                log.warning("pictures too large", job=job.id, next_limit=limit)

    async def _write(self, job: Job, slot: _Slot, text: str, files: list[discord.File], *, final: bool) -> int:
        """Edit the job's message, or send a new one where it is final and the old one cannot be had; return its id."""
        if slot.message_id is None:
            slot.message_id = await self._known_message(job)
        if slot.message_id is not None:
            try:
                await self._edit(job, slot.message_id, text, files)
            except discord.HTTPException as error:
                gone = isinstance(error, discord.NotFound) or error.code in _UNEDITABLE
                if not gone or not final:
                    raise
                for file in files:
                    file.reset()
            else:
                return slot.message_id
        elif not final:
            return 0
        await self._service.job(job.id)  # a deleted job is no longer shown
        slot.message_id = (await self._send(job, text, files)).id
        return slot.message_id

    async def _known_message(self, job: Job) -> int | None:
        current = await self._service.job(job.id)
        return _reply(current).message_id

    async def _edit(self, job: Job, message_id: int, text: str, files: list[discord.File]) -> None:
        message, translate = self._channel(_reply(job)).get_partial_message(message_id), self._saying(job)
        view, none = translated(job_view(job), translate), discord.AllowedMentions.none()
        await message.edit(
            content=translate(text), attachments=_described(files, translate), view=view, allowed_mentions=none
        )

    async def _send(self, job: Job, text: str, files: list[discord.File]) -> discord.Message:
        """Send the job's message anew; the nonce keeps Discord from taking it twice in the same state."""
        mentions = _owner_alone(job) if self._waited_long(job) else discord.AllowedMentions.none()
        channel, nonce, translate = self._channel(_reply(job)), f"{job.id}:{job.status}", self._saying(job)
        view, files = translated(job_view(job), translate), _described(files, translate)
        try:
            return await channel.send(translate(text), files=files, view=view, allowed_mentions=mentions, nonce=nonce)
        except discord.HTTPException as error:
            if error.code in _CLOSED:
                raise discord.Forbidden(error.response, error.text) from error
            raise

    def _saying(self, job: Job) -> Translate:
        """Return what puts texts into the language of the job's message."""
        return self._languages.translator(job.options.locale)

    def _channel(self, reply: ReplyTarget) -> discord.PartialMessageable:
        return self._client.get_partial_messageable(reply.channel_id, guild_id=reply.guild_id)

    async def _file_limit(self, job: Job) -> int:
        guild = self._client.get_guild(0 if job.options.private else _reply(job).guild_id or 0)
        return guild.filesize_limit if guild is not None else FILE_BYTES


def _described(files: list[discord.File], translate: Translate) -> list[discord.File]:
    """Return files whose alt texts are in another language."""
    for file in files:
        file.description = file.description and translate(file.description)
    return files


def _hopeless(error: Exception, slot: _Slot) -> bool:
    """Return whether Discord has called the same message wrong so often that it will not take it at all."""
    return isinstance(error, discord.HTTPException) and error.status == _WRONG and slot.failures >= _MOST_WRONG


def _owner_alone(job: Job) -> discord.AllowedMentions:
    """Let a message notify only the job's owner."""
    return discord.AllowedMentions(everyone=False, roles=False, users=[discord.Object(job.user_id)], replied_user=False)


def _reply(job: Job) -> ReplyTarget:
    if job.reply is None:
        raise ValueError(f"job {job.id} has no channel")
    return job.reply
