"""Review messages to moderators: one per withheld job in the server's mod channel."""

from dataclasses import replace

import discord
import structlog

from pastelbot.bot import render
from pastelbot.bot.attachments import FILE_BYTES
from pastelbot.bot.components.review_buttons import is_review_of, review_view
from pastelbot.bot.localisation import language_of_guild, translated
from pastelbot.bot.messages.search import find_own
from pastelbot.bot.messages.uploads import TooLargeError, upload
from pastelbot.i18n.languages import Languages, Translate
from pastelbot.records import Job
from pastelbot.service.requests.submission import JobService
from pastelbot.service.reviews import Reviews, Verdict

_NO_WAY = (discord.Forbidden, discord.NotFound, TooLargeError)

log = structlog.get_logger(__name__)


class ReviewMessages:
    """Asks moderators, and closes the question when it has settled itself."""

    def __init__(self, client: discord.Client, service: JobService, reviews: Reviews, languages: Languages) -> None:
        self._client = client
        self._service = service
        self._reviews = reviews
        self._languages = languages

    async def judge(self, job: Job) -> Verdict:
        """Decide about a finished job's pictures."""
        return await self._reviews.judge(job)

    def previews_allowed(self, job: Job) -> bool:
        """Return whether half-done pictures of a job may be shown."""
        return self._reviews.previews_allowed(job)

    async def asked(self, job: Job) -> bool:
        """Return whether moderators have been asked about the job."""
        return (await self._reviews.review(job)).message_id is not None

    async def ask(self, job: Job, *, limit: int = FILE_BYTES) -> None:
        """Send the pictures to the mod channel, hidden; where that cannot be, the job is over and refunded."""
        channel_id = await self._reviews.mod_channel(job)
        if channel_id is None or job.reply is None:
            await self._reviews.end_unasked(job)
            return
        try:
            message = await self._asked_before(job, channel_id) or await self._send(job, channel_id, limit)
        except _NO_WAY as error:
            log.warning("mod channel cannot be used", job=job.id, channel=channel_id, error=str(error))
            await self._reviews.end_unasked(job)
        else:
            await self._reviews.asked(job, channel_id=channel_id, message_id=message.id)

    async def close(self, job: Job) -> None:
        """Take the pictures out of the question where the job has ended without an answer."""
        review = await self._reviews.review(job)
        if review.channel_id is None or review.message_id is None:
            return
        message = self._client.get_partial_messageable(review.channel_id).get_partial_message(review.message_id)
        text = f"🔞 Withdrawn: {job.reason or 'its owner has cancelled it'}.\n{render.quote_of(job.request)}"
        try:
            await message.edit(content=self._saying(job)(text)[:2000], attachments=[], view=None)
        except _NO_WAY:
            log.info("the question about a picture is gone", job=job.id)

    async def _asked_before(self, job: Job, channel_id: int) -> discord.Message | None:
        """Return the question that a kill or a lost answer kept from being recorded."""
        channel, bot = self._client.get_partial_messageable(channel_id), self._client.user
        if bot is None:
            return None
        found = await find_own(
            channel, bot.id, lambda custom_id: is_review_of(custom_id, job.id), after=job.interaction_id
        )
        return found[0] if found else None

    async def _send(self, job: Job, channel_id: int, limit: int) -> discord.Message:
        """Send the question, with smaller files where Discord finds them too large."""
        pictures = await self._service.pictures(job.id)
        channel = self._client.get_partial_messageable(channel_id)
        spoilered, translate = replace(job, options=replace(job.options, spoiler=True)), self._saying(job)

        async def send(files: list[discord.File]) -> discord.Message:
            for file in files:
                file.spoiler, file.description = True, file.description and translate(file.description)
            return await channel.send(
                translate(_question(job, [picture.rating for picture, _ in pictures])),
                files=files,
                view=translated(review_view(job.id), translate),
                nonce=f"{job.id}:review",
            )

        return await upload(spoilered, pictures, limit, send)

    def _saying(self, job: Job) -> Translate:
        """Return what puts texts into the language of the job's server."""
        guild_id = job.reply.guild_id if job.reply is not None else None
        return self._languages.translator(language_of_guild(self._client, guild_id))


def withheld_text(job: Job) -> str:
    """Say where the picture would be that a moderator looks at it first."""
    return (
        "🔞 **Withheld**: this picture was rated as adult, or could not be rated, and this channel is not "
        "age-restricted. A moderator looks at it; if they reject it, it costs nothing.\n"
        f"{render.quote_of(job.request)}"
    )


def _question(job: Job, ratings: list[str | None]) -> str:
    """Say who asked for what where, and how it was rated."""
    where = f"<#{job.reply.channel_id}>" if job.reply is not None else "a channel"
    rated = ", ".join(rating or "not rated" for rating in ratings)
    return (
        f"🔞 **Withheld** ({rated}): asked for by <@{job.user_id}> in {where}, which is not age-restricted.\n"
        f"{render.quote_of(job.request)}\n"
        "-# Approve shows it there. Reject deletes it and refunds its owner."
    )
