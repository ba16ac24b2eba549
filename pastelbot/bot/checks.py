"""Who may do what, and where the bot may post, as Discord says in the interaction."""

from typing import Any

import discord

from pastelbot.errors import RequestError
from pastelbot.records import Asker, ReplyTarget

_NEEDED = {
    "view_channel": "View Channel",
    "send_messages": "Send Messages",
    "attach_files": "Attach Files",
}


def asker_of(interaction: discord.Interaction[Any]) -> Asker:
    """Return who asks, and where."""
    channel, inside = interaction.channel, interaction.guild_id is not None
    roles = interaction.user.roles if isinstance(interaction.user, discord.Member) else []
    return Asker(
        user_id=interaction.user.id,
        guild_id=interaction.guild_id,
        channel_id=channel.parent_id if isinstance(channel, discord.Thread) else interaction.channel_id,
        role_ids=tuple(role.id for role in roles),
        manages_messages=inside and interaction.permissions.manage_messages,
        manages_server=inside and interaction.permissions.manage_guild,
        age_restricted=_age_restricted(channel),
    )


def _age_restricted(channel: object) -> bool:
    """Tell whether Discord lets only adults in; a thread is what its parent is."""
    try:
        return bool(channel.is_nsfw())  # type: ignore[attr-defined]
    except (AttributeError, discord.ClientException):  # direct messages, and threads whose parent is not known
        return False


def reply_target(interaction: discord.Interaction[Any]) -> ReplyTarget:
    """Return where the job's message will be; raise RequestError where the bot may not post."""
    if interaction.channel_id is None:
        raise RequestError("There is no channel here to post a picture in.")
    missing = _missing_rights(interaction)
    if missing:
        raise RequestError(f"The bot may not post pictures in this channel; it lacks: {', '.join(missing)}.")
    return ReplyTarget(channel_id=interaction.channel_id, guild_id=interaction.guild_id)


def _missing_rights(interaction: discord.Interaction[Any]) -> list[str]:
    if interaction.guild_id is None:
        return []
    needed = dict(_NEEDED)
    if isinstance(interaction.channel, discord.Thread):
        needed["send_messages_in_threads"] = "Send Messages in Threads"
        del needed["send_messages"]
    rights = interaction.app_permissions
    return [name for right, name in needed.items() if not getattr(rights, right)]
