"""Who may do what, and where the bot may post, as Discord says in the interaction."""

from typing import Any

import discord

from pastelbot.errors import RequestError
from pastelbot.records import ReplyTarget

_NEEDED = {
    "view_channel": "View Channel",
    "send_messages": "Send Messages",
    "attach_files": "Attach Files",
}


def is_moderator(interaction: discord.Interaction[Any]) -> bool:
    """Tell whether the person may manage messages here."""
    return interaction.guild_id is not None and interaction.permissions.manage_messages


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
