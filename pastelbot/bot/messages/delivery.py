"""Delivery: decides what jobs' messages show, and settles jobs whose pictures Discord has.

Every job has one message, with a `MessageSlot` while it may change. A picture is sent as soon as it is there and again
until Discord has it, in a new message where the old one is gone.
"""

import asyncio
from dataclasses import replace

import discord
import structlog

from pastelbot.bot import render
from pastelbot.bot.attachments import previews
from pastelbot.bot.context import Interaction
from pastelbot.bot.messages.message_slot import MessageSlot, NotWrittenError, Pace, is_final
from pastelbot.bot.messages.message_writer import MessageWriter, reply_of
from pastelbot.bot.messages.review_messages import ReviewMessages, withheld_text
from pastelbot.bot.messages.single_message import SingleMessage
from pastelbot.bot.messages.token_messages import TokenMessages
from pastelbot.bot.messages.turns import WINDOW, Turns
from pastelbot.bot.messages.uploads import TooLargeError, upload
from pastelbot.bot.responses import UNSENT, respond_ephemeral
from pastelbot.errors import NotFoundError, StorageError
from pastelbot.i18n.languages import Languages
from pastelbot.jobs.background import CallLater, Mailbox, call_later, finished
from pastelbot.records import BeingPainted, Ended, InLine, Job, JobStatus, Rendered, Update
from pastelbot.service.requests.submission import JobService, Queued
from pastelbot.service.reviews import Verdict

_WRONG = 400
_MOST_WRONG = 8
_WINDOWS = 5 / 3  # of Discord's limit, by the seconds between edits: less than three are for a Discord that takes more
_NO_WAY = (discord.Forbidden, discord.NotFound, NotFoundError)  # the last: the job itself is gone
_LATER = (*UNSENT, StorageError)  # what may succeed when it is tried again

log = structlog.get_logger(__name__)


class Delivery:
    """Shows what the dispatcher publishes."""

    def __init__(
        self,
        client: discord.Client,
        service: JobService,
        review_messages: ReviewMessages,
        languages: Languages,
        *,
        pace: Pace,
        mention_after: float,
        usual: render.Usual,
        later: CallLater = call_later,
    ) -> None:
        self._service = service
        self._review_messages = review_messages
        self._pace = pace
        self._mention_after = mention_after
        self._usual = usual
        self._moves: Mailbox[str] = Mailbox(self._move)
        self._tokens = TokenMessages(self.token_ends, later=later)
        self._writer = MessageWriter(client, languages, self._tokens, waited_long=self._waited_long)
        self._single = SingleMessage(self._writer, service)
        self._slots: dict[str, MessageSlot] = {}
        self._turns = Turns(window=min(WINDOW, pace.edit_seconds * _WINDOWS))
        self._closed = False

    async def recover(self) -> None:
        """Show the ends of jobs that were not shown before the bot stopped."""
        for job in await self._service.ends_not_shown():
            self.publish(Ended(job=job))

    async def announce(self, interaction: Interaction, queued: Queued) -> None:
        """Answer an interaction with the job's message.

        Where the interaction has expired meanwhile, the message is sent to the channel instead: the job is durable.
        """
        job, text = queued.job, render.announcement(queued, self._usual)
        slot = self._slot(job)
        async with slot.writing():
            if await self._single.known(job) is not None:
                await respond_ephemeral(interaction, "Your picture is here already.")
                return
            slot.message_id = await self._answer(interaction, job, slot, text)
            slot.text = text
            await self._single.record(job, slot)

    async def _answer(self, interaction: Interaction, job: Job, slot: MessageSlot, text: str) -> int | None:
        """Send the job's first message; None where Discord does not take one now, but will take the picture."""
        try:
            return await self._writer.answer(interaction, job, text)
        except _LATER as error:
            log.warning("interaction not answered", job=job.id, error=str(error))
        slot.is_unsure = True
        taken = await self._writer.answered(interaction, job)
        if taken is not None:
            slot.is_unsure = False
            return taken
        return await self._single.find(job, slot) or await self._send_first(job, slot, text)

    async def introduce(self, queued: Queued, interaction: Interaction | None = None) -> None:
        """Show a job whose message answers nothing: send one, or fill that which was begun for it.

        The message is sent with the token of the interaction where the bot may not send it otherwise.
        """
        job, text = queued.job, render.announcement(queued, self._usual)
        if interaction is not None:
            self._writer.show_outside(interaction, job)
        slot = self._slot(job)
        async with slot.writing():
            try:
                await self._introduce(job, slot, text)
            except _LATER as error:
                log.warning("message not written", job=job.id, error=str(error))

    async def _introduce(self, job: Job, slot: MessageSlot, text: str) -> None:
        current = await self._service.job(job.id)
        slot.message_id = slot.message_id or reply_of(current).message_id  # the slot knows what was not recorded
        if slot.is_unsure:
            slot.message_id = await self._single.find(job, slot)
        if slot.message_id is None:
            slot.message_id = await self._send_first(job, slot, text)
            await self._single.record(job, slot)
        elif not slot.text and current.status in {JobStatus.QUEUED, JobStatus.LEASED}:
            await self._writer.edit(job, slot.message_id, text, [])
        slot.text = text

    async def _send_first(self, job: Job, slot: MessageSlot, text: str) -> int | None:
        slot.is_unsure = True  # until Discord has answered
        try:
            sent = await self._writer.send(job, text, [])
        except _NO_WAY:
            slot.is_unsure = False
            await self._service.undeliverable(job.id, "the bot may not post in this channel")
        except _LATER as error:
            log.warning("message not sent", job=job.id, error=str(error))
        else:
            slot.is_unsure = False
            return sent
        return None

    def token_ends(self, job_id: str) -> None:
        """Show a job that is not painted by a direct message from now on: its token ends soon."""
        self._moves.put(job_id)

    async def _move(self, job_id: str) -> None:
        slot = self._slots.get(job_id)
        if slot is None:
            return
        async with slot.writing():
            job = await self._service.job(job_id)
            if job.status in {JobStatus.QUEUED, JobStatus.LEASED} and slot.message_id is not None:
                await self._writer.say_elsewhere(job, slot.message_id)
                slot.message_id = await self._send_first(job, slot, slot.text)
                await self._single.record(job, slot)

    def publish(self, update: Update) -> None:
        """Take an update; call it from the event loop's thread."""
        slot = self._slot(update.job)
        if isinstance(update, BeingPainted) and update.preview and self._review_messages.previews_allowed(update.job):
            slot.preview = update.preview
        slot.publish(update)

    @property
    def pending(self) -> frozenset[str]:
        """The ids of the jobs whose messages may still change."""
        return frozenset(self._slots)

    def forget(self, job_id: str) -> None:
        """Show nothing more of a job whose message was deleted."""
        slot = self._slots.pop(job_id, None)
        self._tokens.drop(job_id)
        if slot is not None:
            slot.is_forgotten = True
            slot.close()

    async def close(self) -> None:
        """Drop what waits, and return when edits under way are finished; where this is cancelled, they are too."""
        self._closed = True
        self._tokens.close()
        await self._moves.close()
        for slot in self._slots.values():
            slot.close()
        await finished([slot.task for slot in self._slots.values() if slot.task is not None])

    def _slot(self, job: Job) -> MessageSlot:
        slot = self._slots.get(job.id)
        if slot is None:
            turn = self._turns.of(job.reply.channel_id if job.reply is not None else 0)
            slot = MessageSlot(self._show, pace=self._pace, turn=turn, on_settled=lambda: self._settled(job.id))
            self._slots[job.id] = slot
            if self._closed:
                slot.close()
        return slot

    def _settled(self, job_id: str) -> None:
        self._slots.pop(job_id, None)
        self._tokens.drop(job_id)

    async def _show(self, slot: MessageSlot, update: Update) -> bool:
        """Write an update; return False where it is there. Raises NotWrittenError where it should be tried again."""
        try:
            asked = await self._try_to_show(slot, update)
            if isinstance(update, Ended):
                await self._service.end_shown(update.job.id)
        except _LATER as error:
            raise NotWrittenError(str(error)) from error
        return asked

    async def _try_to_show(self, slot: MessageSlot, update: Update) -> bool:
        """Write an update, or give up what Discord will not take at all."""
        try:
            return await self._write_update(slot, update)
        except _NO_WAY as error:
            log.warning("message cannot be written", job=update.job.id, error=str(error))
        except discord.HTTPException as error:
            if not (_hopeless(error, slot) and is_final(update)):
                raise
            log.warning("message given up", job=update.job.id, error=str(error))
        return True

    async def _write_update(self, slot: MessageSlot, update: Update) -> bool:
        """Write an update; return False where nothing was to be written."""
        current = await self._service.job(update.job.id)
        match update:
            case Rendered():
                if current.status in {JobStatus.RENDERED, JobStatus.POSTED}:  # neither ended nor painted again
                    await self._deliver(update.job, slot)
            case InLine() | BeingPainted():
                late = current.status not in {JobStatus.QUEUED, JobStatus.LEASED}  # it never replaces an end
                return not late and await self._write_state(slot, update)
            case Ended():
                if not current.end_shown:
                    await self._write_state(slot, update)
                if update.job.withheld:
                    await self._review_messages.close(update.job)
        return True

    async def _write_state(self, slot: MessageSlot, update: InLine | BeingPainted | Ended) -> bool:
        """Write a state; return False where the message shows it."""
        text = render.status_text(update, self._usual)
        if text == slot.text:
            return False
        files = previews(update, slot.preview)
        await self._single.write(update.job, slot, text, files, final=isinstance(update, Ended))
        slot.text = text
        return True

    async def _deliver(self, job: Job, slot: MessageSlot) -> None:
        """Post the pictures, or ask a moderator about them; those that are lost on the disk are painted again."""
        try:
            await self._judge(job, slot)
        except FileNotFoundError as error:
            log.warning("a picture file is lost", job=job.id, file=str(error))
            await self._service.pictures_lost(job.id)

    async def _judge(self, job: Job, slot: MessageSlot) -> None:
        match await self._review_messages.judge(job):
            case Verdict.SHOW:
                await self._post(job, slot)
            case Verdict.WITHHOLD if not await self._review_messages.asked(job):
                held = replace(job, withheld=True)
                await self._single.write(held, slot, withheld_text(job), [], final=True)
                await self._review_messages.ask(held, limit=self._writer.file_limit(job))

    async def _post(self, job: Job, slot: MessageSlot) -> None:
        """Send the pictures; the job is settled only after Discord has answered with a message."""
        shown = slot.message_id or await self._single.known(job)
        try:
            message_id = await self._write_pictures(job, slot)
        except TooLargeError:
            await self._service.undeliverable(job.id, "Discord finds its picture too large, as small as it can be made")
        except _NO_WAY:
            await self._service.undeliverable(job.id, "the bot may no longer post in this channel")
        except discord.HTTPException as error:
            if not _hopeless(error, slot):
                raise
            await self._service.undeliverable(job.id, "Discord does not take its message")
        else:
            kept = None if self._writer.is_outside(job.id) else message_id  # nothing leads to a message outside later
            await asyncio.shield(self._service.posted(job.id, kept))
            if message_id == shown:  # an edit, which notifies no one; a new message mentions its owner itself
                await self._mention(job, message_id)

    def _waited_long(self, job: Job) -> bool:
        return self._service.waited(job) > self._mention_after

    async def _mention(self, job: Job, message_id: int) -> None:
        """Notify the owner after a long wait that the picture is there: once, at the last of several."""
        if not self._waited_long(job) or not await self._service.is_last(job):
            return
        try:
            ready = await self._writer.mention(job, message_id)
            if ready is not None:
                await self._service.set_ready_message(job.id, ready)
        except _LATER as error:
            log.warning("owner not mentioned", job=job.id, error=str(error))

    async def _write_pictures(self, job: Job, slot: MessageSlot) -> int:
        """Write the message with its pictures, smaller ones where Discord finds them too large; return its id."""
        pictures = await self._service.pictures(job.id)
        text = render.result_text(job, [picture.seed for picture, _ in pictures], self._usual)

        async def send(files: list[discord.File]) -> int:
            return await self._single.write(job, slot, text, files, final=True)

        return await upload(job, pictures, self._writer.file_limit(job), send)


def _hopeless(error: Exception, slot: MessageSlot) -> bool:
    """Return whether Discord has called the same message wrong so often that it will not take it at all."""
    return isinstance(error, discord.HTTPException) and error.status == _WRONG and slot.failures >= _MOST_WRONG
