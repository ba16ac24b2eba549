"""One message for each job: the one that is recorded, the one that is found in the channel, or else a new one."""

import contextlib
from collections.abc import Collection

import discord
import structlog

from pastelbot.bot.messages.message_slot import MessageSlot
from pastelbot.bot.messages.message_writer import MessageWriter, reply_of
from pastelbot.errors import NotFoundError, StorageError
from pastelbot.records import Job
from pastelbot.service.requests.submission import JobService

_UNEDITABLE = {30046, 50083}  # the message is too old; its thread is archived, which a new message ends

log = structlog.get_logger(__name__)


class SingleMessage:
    """Keeps every job to one message, whatever answers of Discord were lost and whenever the bot was killed."""

    def __init__(self, writer: MessageWriter, service: JobService) -> None:
        self._writer = writer
        self._service = service

    async def known(self, job: Job) -> int | None:
        """Return the id of the message that is recorded."""
        return reply_of(await self._service.job(job.id)).message_id

    async def record(self, job: Job, slot: MessageSlot) -> None:
        """Record which message shows the job. Where that fails the slot knows it, and after a restart it is found.

        While there may be another one, whose answer was lost, nothing is recorded: so both are found. Nor is a message
        outside, which nothing but its token leads to.
        """
        if slot.message_id is None or slot.is_unsure or self._writer.is_outside(job.id):
            return
        try:
            await self._service.set_message(job.id, slot.message_id)
        except StorageError as error:
            log.warning("message not recorded", job=job.id, message=slot.message_id, error=str(error))

    async def write(self, job: Job, slot: MessageSlot, text: str, files: list[discord.File], *, final: bool) -> int:
        """Edit the job's message, or send a new one where it is final and the old one cannot be had; return its id."""
        tried: set[int] = set()
        while (message_id := await self._to_edit(job, slot, tried, search=final)) is not None:
            try:
                await self._writer.edit(job, message_id, text, files)
            except discord.HTTPException as error:
                gone = isinstance(error, discord.NotFound) or error.code in _UNEDITABLE
                if not gone or not final:
                    raise
            else:
                return message_id
            tried.add(message_id)
            for file in files:
                file.reset()
        return await self._send(job, slot, text, files, tried) if final else 0

    async def find(self, job: Job, slot: MessageSlot, *, but: Collection[int] = ()) -> int | None:
        """Find the job's message in its channel and record it; delete others that were begun for the same job."""
        found = [message for message in await self._writer.find(job) if message.id not in but]
        slot.is_searched, slot.is_unsure = True, False
        if not found:
            return None
        kept = next((message for message in found if message.attachments), found[0])
        slot.message_id = kept.id
        await self.record(job, slot)
        log.info("message found", job=job.id, message=kept.id, others=len(found) - 1)
        for message in found:
            if message.id != kept.id:
                with contextlib.suppress(discord.NotFound):
                    await message.delete()
        return kept.id

    async def _to_edit(self, job: Job, slot: MessageSlot, tried: set[int], *, search: bool) -> int | None:
        """Return the message that shows the job and was not tried; None where there is none, as far as is known."""
        if slot.message_id is None:
            slot.message_id = await self.known(job)
        if slot.is_unsure and slot.message_id not in tried:
            slot.message_id = await self.find(job, slot, but=tried) or slot.message_id
        if slot.message_id in tried or (slot.message_id is None and (search or not slot.is_searched)):
            slot.message_id = await self.find(job, slot, but=tried)
        return slot.message_id

    async def _send(self, job: Job, slot: MessageSlot, text: str, files: list[discord.File], tried: set[int]) -> int:
        await self._service.job(job.id)  # a deleted job is no longer shown
        if slot.is_forgotten:
            raise NotFoundError("The job's message was deleted.")
        slot.is_unsure = not tried  # until Discord has answered: meanwhile others may send the first message
        sent = slot.message_id = await self._writer.send(job, text, files)
        slot.is_unsure = False
        await self.record(job, slot)
        if slot.failures:  # what seemed not to be sent may have been on its way
            await self.find(job, slot, but=tried)
        return slot.message_id or sent
