"""Writer of jobs' messages in Discord: edits them, sends them, and knows their buttons, language and mentions.

Where the bot is not, it writes with the token of the interaction that asked, as long as Discord takes that.
"""

from collections.abc import Callable
from typing import Any

import discord
import structlog

from pastelbot.bot.attachments import FILE_BYTES
from pastelbot.bot.checks import is_outside
from pastelbot.bot.components.job_buttons import is_of_job, job_view
from pastelbot.bot.context import Interaction
from pastelbot.bot.localisation import translated
from pastelbot.bot.messages.search import custom_ids, find_own
from pastelbot.bot.messages.token_messages import TokenMessages
from pastelbot.bot.responses import UNSENT
from pastelbot.i18n.languages import Languages, Translate
from pastelbot.records import Job, ReplyTarget

_CLOSED = {50083, 160005}  # a thread that takes no message

log = structlog.get_logger(__name__)


class MessageWriter:
    """Writes what it is given; all errors of Discord reach the caller."""

    def __init__(
        self,
        client: discord.Client,
        languages: Languages,
        tokens: TokenMessages,
        *,
        waited_long: Callable[[Job], bool],
    ) -> None:
        self._client = client
        self._tokens = tokens
        self._languages = languages
        self._waited_long = waited_long

    async def answer(self, interaction: Interaction, job: Job, text: str) -> int | None:
        """Answer an interaction with the job's message; return its id."""
        translate = self._saying(job)
        self.show_outside(interaction, job)
        view = self._view(job, translate)
        answer = await interaction.response.send_message(translate(text), view=view)
        return answer.message_id

    def show_outside(self, interaction: Interaction, job: Job) -> None:
        """Write a job's message with the interaction's token, where the bot may not write there otherwise."""
        if is_outside(interaction) and not job.options.private:
            self._tokens.keep(job.id, interaction)

    def is_outside(self, job_id: str) -> bool:
        """Return whether a job's message is where the bot is not: nothing but the token leads to it."""
        return self._tokens.has(job_id)

    async def say_elsewhere(self, job: Job, message_id: int) -> None:
        """Say in a message outside that the job's message is from now on a direct message, and write that one."""
        text = (
            "⏳ This takes longer than Discord lets the bot answer here: the picture comes to you as a direct message."
        )
        try:
            await self._tokens.edit(job.id, message_id, content=self._saying(job)(text), attachments=[], view=None)
        except UNSENT as error:
            log.info("a message outside was not closed", job=job.id, error=str(error))
        self._tokens.drop(job.id)

    async def answered(self, interaction: Interaction, job: Job) -> int | None:
        """Return the id of the answer to an interaction, where Discord has one and it shows the job."""
        try:
            message = await interaction.original_response()
        except (*UNSENT, discord.ClientException):
            return None
        return message.id if any(is_of_job(custom_id, job.id) for custom_id in custom_ids(message)) else None

    async def find(self, job: Job) -> list[discord.Message]:
        """Return the bot's messages that show the job, the oldest first."""
        channel, bot = self._channel(reply_of(job)), self._client.user
        if bot is None:
            return []
        return await find_own(channel, bot.id, lambda custom_id: is_of_job(custom_id, job.id), after=job.interaction_id)

    async def edit(self, job: Job, message_id: int, text: str, files: list[discord.File]) -> None:
        """Replace what the job's message shows."""
        translate = self._saying(job)
        content: dict[str, Any] = {
            "content": translate(text),
            "attachments": _described(files, translate),
            "view": self._view(job, translate),
            "allowed_mentions": discord.AllowedMentions.none(),
        }
        if self._tokens.has(job.id):
            await self._tokens.edit(job.id, message_id, **content)
        else:
            await self._channel(reply_of(job)).get_partial_message(message_id).edit(**content)

    async def send(self, job: Job, text: str, files: list[discord.File]) -> int:
        """Send the job's message anew; return its id. The nonce keeps Discord from taking the same state twice."""
        mentions = _owner_alone(job) if self._waited_long(job) else discord.AllowedMentions.none()
        channel, nonce, translate = self._channel(reply_of(job)), f"{job.id}:{job.status}", self._saying(job)
        view, files = self._view(job, translate), _described(files, translate)
        if self._tokens.has(job.id):
            sent = await self._tokens.send(job.id, translate(text), files=files, view=view, allowed_mentions=mentions)
            if sent is not None:
                return sent
            view = self._view(job, translate)
            for file in files:
                file.reset()
        try:
            message = await channel.send(
                translate(text), files=files, view=view, allowed_mentions=mentions, nonce=nonce
            )
        except discord.HTTPException as error:
            if error.code in _CLOSED:
                raise discord.Forbidden(error.response, error.text) from error
            raise
        return message.id

    async def mention(self, job: Job, message_id: int) -> int | None:
        """Notify the owner that the picture is there, in a reply to it: Discord notifies users of new messages only.

        Return the reply's id; outside there is a message that nothing leads to later, and None.
        """
        if self._tokens.has(job.id):
            ready = self._saying(job)(f"<@{job.user_id}> Your picture is ready.")
            await self._tokens.send(job.id, ready, allowed_mentions=_owner_alone(job))
            return None
        channel = self._channel(reply_of(job))
        picture = channel.get_partial_message(message_id).to_reference(fail_if_not_exists=False)
        text, nonce = self._saying(job)(f"<@{job.user_id}> Your picture is ready."), f"{job.id}:ready"
        sent = await channel.send(text, reference=picture, allowed_mentions=_owner_alone(job), nonce=nonce)
        return sent.id

    def file_limit(self, job: Job) -> int:
        """Return how many bytes a file may have where the job is shown."""
        guild = self._client.get_guild(0 if job.options.private else reply_of(job).guild_id or 0)
        return guild.filesize_limit if guild is not None else FILE_BYTES

    def _view(self, job: Job, translate: Translate) -> discord.ui.View:
        return translated(job_view(job, outside=self._tokens.has(job.id)), translate)

    def _saying(self, job: Job) -> Translate:
        """Return what puts texts into the language of the job's message."""
        return self._languages.translator(job.options.locale)

    def _channel(self, reply: ReplyTarget) -> discord.PartialMessageable:
        return self._client.get_partial_messageable(reply.channel_id, guild_id=reply.guild_id)


def reply_of(job: Job) -> ReplyTarget:
    """Return where the job is shown."""
    if job.reply is None:
        raise ValueError(f"job {job.id} has no channel")
    return job.reply


def _described(files: list[discord.File], translate: Translate) -> list[discord.File]:
    """Return files whose alt texts are in another language."""
    for file in files:
        file.description = file.description and translate(file.description)
    return files


def _owner_alone(job: Job) -> discord.AllowedMentions:
    """Let a message notify only the job's owner."""
    return discord.AllowedMentions(everyone=False, roles=False, users=[discord.Object(job.user_id)], replied_user=False)
