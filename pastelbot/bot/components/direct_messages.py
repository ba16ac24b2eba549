"""Private jobs: shown in a direct message, under the rules of the server where they were requested."""

from dataclasses import replace

import discord
import structlog

from pastelbot.bot import render
from pastelbot.bot.checks import actor_of, places_of, reply_target, sight_of
from pastelbot.bot.context import Interaction
from pastelbot.bot.localisation import localised
from pastelbot.bot.plain_text import plain_line
from pastelbot.bot.responses import UNSENT, is_outage
from pastelbot.errors import NotAllowedError, RequestError
from pastelbot.records import Actor, Job, ReplyTarget
from pastelbot.service.access import AccessPolicy

log = structlog.get_logger(__name__)


async def actor_for(interaction: Interaction, job: Job) -> Actor:
    """Return who presses a job's button, and where: for a private job that is the server where it was asked for."""
    home = job.reply.guild_id if job.reply is not None and job.options.private else None
    return await actor_at(interaction, home, job.options.home_channel_id)


async def actor_at(interaction: Interaction, guild_id: int | None, channel_id: int | None) -> Actor:
    """Return who asks; in a direct message, as if they asked in that channel of that server, where there is one."""
    if interaction.guild_id is not None or guild_id is None:
        return actor_of(interaction)
    guild = interaction.client.get_guild(guild_id)
    if guild is None:
        raise NotAllowedError("The bot has left the server where this was painted: ask in another one.")
    try:
        member = await guild.fetch_member(interaction.user.id)
    except discord.NotFound as error:
        raise NotAllowedError("You have left the server where this was painted: ask in another one.") from error
    actor = Actor(
        user_id=member.id,
        guild_id=guild.id,
        channel_id=channel_id,
        places=places_of(guild.get_channel_or_thread(channel_id or 0), channel_id),
        role_ids=tuple(role.id for role in member.roles),
        manages_messages=member.guild_permissions.manage_messages,
        manages_server=member.guild_permissions.manage_guild,
        sees=sight_of(member),
    )
    access: AccessPolicy = interaction.client.services.access
    return access.in_messages(actor)


async def reply_target_for(interaction: Interaction, actor: Actor) -> ReplyTarget:
    """Return where the job's message will be; raises RequestError where the bot may not post.

    Where the bot is not, the message answers the interaction while Discord allows that, and is then a direct message.
    """
    if not actor.outside:
        return replace(reply_target(interaction), guild_id=actor.guild_id)
    channel = await interaction.client.create_dm(interaction.user)
    return ReplyTarget(channel_id=channel.id)


async def begin_message(interaction: Interaction, actor: Actor) -> ReplyTarget:
    """Begin the direct message of a job; raises RequestError where the person takes none.

    Whether a user accepts messages shows only when one is sent, so this comes before anything is queued.
    """
    try:
        target = await interaction.client.begun.begin(
            interaction.user, localised(interaction, "⏳ One moment …"), interaction_id=interaction.id
        )
    except discord.HTTPException as error:
        if is_outage(error):
            raise
        raise RequestError(
            "A private picture comes as a direct message, and Discord does not let the bot write to you: allow direct "
            "messages in this server's privacy settings, or leave private out."
        ) from error
    return replace(target, guild_id=actor.guild_id)


async def withdraw_message(interaction: Interaction, target: ReplyTarget) -> None:
    """Take back the direct message of a job that was not queued."""
    await interaction.client.begun.withdraw(target)


async def notify_author(interaction: Interaction, job: Job, what: str) -> None:
    """Tell the author of a job, by a direct message, what a moderator has done with it; not themselves."""
    if job.user_id == interaction.user.id or interaction.guild is None:
        return
    translate = interaction.client.languages.translator(job.options.locale)
    text = f"A moderator of {plain_line(interaction.guild.name)} {what}.\n{render.quote_of(job.request)}"
    try:
        channel = await interaction.client.create_dm(discord.Object(job.user_id))
        await channel.send(translate(text))
    except UNSENT as error:  # they take no messages from the bot
        log.info("an author was not told", job=job.id, error=str(error))


def link(job: Job) -> str:
    """Return the address of the direct message that shows a job."""
    if job.reply is None:
        raise ValueError(f"job {job.id} has no channel")
    return f"https://discord.com/channels/@me/{job.reply.channel_id}/{job.reply.message_id}"
