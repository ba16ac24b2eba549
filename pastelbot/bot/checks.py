"""Permission checks from an interaction: the actor, and where the bot may post."""

from collections.abc import Callable
from functools import partial
from typing import Any

import discord

from pastelbot.bot.context import Interaction
from pastelbot.errors import RequestError
from pastelbot.records import Actor, ReplyTarget
from pastelbot.service.access import AccessPolicy

# Commands that are answered in every channel and in direct messages.
_EVERYWHERE = frozenset({"help", "about", "mydata"})

_NEEDED = {
    "view_channel": "View Channel",
    "send_messages": "Send Messages",
    "attach_files": "Attach Files",
}


def actor_of(interaction: Interaction) -> Actor:
    """Return who asks, and where; of a place that the bot is not in, nothing but its channel is known."""
    if is_outside(interaction):
        return Actor(user_id=interaction.user.id, channel_id=interaction.channel_id, outside=True)
    channel, inside = interaction.channel, interaction.guild_id is not None
    roles = interaction.user.roles if isinstance(interaction.user, discord.Member) else []
    return Actor(
        user_id=interaction.user.id,
        guild_id=interaction.guild_id,
        channel_id=channel.parent_id if isinstance(channel, discord.Thread) else interaction.channel_id,
        places=_places(interaction) if inside else (),
        role_ids=tuple(role.id for role in roles),
        manages_messages=inside and interaction.permissions.manage_messages,
        manages_server=inside and interaction.permissions.manage_guild,
        age_restricted=_age_restricted(channel),
        sees=sight_of(interaction.user),
    )


def is_outside(interaction: Interaction) -> bool:
    """Return whether the bot is not where it is used: the user has added it to their account (a user install).

    That is in servers without the bot, and in messages between users. There it may only answer interactions.
    """
    if interaction.guild_id is None:
        return interaction.context.private_channel is True
    known = interaction.is_guild_integration() or interaction.client.get_guild(interaction.guild_id) is not None
    return not known


def is_shared(interaction: Interaction) -> bool:
    """Return whether others can read the channel, so that what is private is sent elsewhere."""
    return interaction.guild_id is not None or is_outside(interaction)


def sight_of(user: discord.abc.User) -> Callable[[int], bool]:
    """Return what says whether a member of a server can read one of its channels or threads; others can read none."""
    return partial(_reads, user) if isinstance(user, discord.Member) else lambda _channel_id: False


def _reads(member: discord.Member, channel_id: int) -> bool:
    """Return whether a member can read a channel's history; of archived threads and foreign private ones: no."""
    channel = member.guild.get_channel_or_thread(channel_id)
    if channel is None:
        return False
    rights = channel.permissions_for(member)
    if not (rights.view_channel and rights.read_message_history):
        return False
    if not isinstance(channel, discord.Thread) or not channel.is_private():
        return True
    return rights.manage_threads or member.id in {each.id for each in channel.members}


async def check_command(interaction: Interaction, access: AccessPolicy) -> None:
    """Raise NotAllowedError where a command is not answered.

    That is one place for all commands: channels that the bot is kept out of, direct messages, and who may use `/admin`.
    Painting checks the access policy again, because buttons are not commands.
    """
    name = interaction.data.get("name") if interaction.data is not None else None
    if name == "admin":
        await access.check_admin(actor_of(interaction))
    elif name not in _EVERYWHERE:
        await access.check_channel(actor_of(interaction))


def _places(interaction: Interaction) -> tuple[int, ...]:
    """Return the thread (a forum's post is one), its channel, and that channel's category."""
    return places_of(interaction.channel, interaction.channel_id)


def places_of(channel: Any, channel_id: int | None) -> tuple[int, ...]:  # noqa: ANN401 - any kind of channel, or none
    """Return a thread, its channel, and that channel's category, as far as they are known."""
    ids = [channel_id]
    if isinstance(channel, discord.Thread):
        ids.append(channel.parent_id)
        channel = channel.parent
    ids.append(getattr(channel, "category_id", None))
    return tuple(place for place in ids if place is not None)


def _age_restricted(channel: object) -> bool:
    """Return whether Discord lets only adults in; a thread is what its parent is."""
    try:
        return bool(channel.is_nsfw())  # type: ignore[attr-defined]
    except (AttributeError, discord.ClientException):  # direct messages, and threads whose parent is not known
        return False


def reply_target(interaction: Interaction) -> ReplyTarget:
    """Return where the job's message will be; raise RequestError where the bot may not post."""
    if interaction.channel_id is None:
        raise RequestError("There is no channel here to post a picture in.")
    missing = _missing_rights(interaction)
    if missing:
        raise RequestError(f"The bot may not post pictures in this channel; it lacks: {', '.join(missing)}.")
    return ReplyTarget(channel_id=interaction.channel_id, guild_id=interaction.guild_id)


def _missing_rights(interaction: Interaction) -> list[str]:
    if interaction.guild_id is None:
        return []
    needed = dict(_NEEDED)
    if isinstance(interaction.channel, discord.Thread):
        needed["send_messages_in_threads"] = "Send Messages in Threads"
        del needed["send_messages"]
    rights = interaction.app_permissions
    return [name for right, name in needed.items() if not getattr(rights, right)]
