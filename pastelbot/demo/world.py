"""The demo's server, channels and members on the simulated Discord, and what one of them sees."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import discord

from pastelbot.errors import RequestError
from pastelbot.i18n.languages import Languages

ENGLISH = "en-US"  # as Discord calls it

_MESSAGES_SHOWN = 60
_SLASH, _MENU = 1, 3  # application command types
_GROUPS = {1, 2}  # option types: subcommand, subcommand group

# What the simulator hands out. It is an extra, so type checkers may not find its classes.
Environment: TypeAlias = Any
Guild: TypeAlias = Any
Member: TypeAlias = Any
Channel: TypeAlias = Any
Message: TypeAlias = Any


@dataclass(frozen=True, kw_only=True)
class World:
    """A simulated Discord with one server, and the members whom the page can act as.

    The server has one language for all members. What the demo itself has written there, the welcome and the channels'
    topics, is shown in each reader's.
    """

    env: Environment
    guild: Guild
    members: Mapping[str, Member]
    languages: Languages
    welcome_id: int
    language: str = ENGLISH  # of the server
    unlisted: frozenset[str] = frozenset()  # commands that cannot do anything here

    def member(self, name: str) -> Member:
        """Return a member; raises RequestError where there is none of that name."""
        if name not in self.members:
            raise RequestError(f"There is no member {name!r}: there are {', '.join(self.members)}.")
        return self.members[name]

    @property
    def version(self) -> int:
        """Return a number that grows with everything that happens."""
        return len(self.env.backend.transcript)

    def direct_channel(self, member: Member) -> Channel:
        """Return the channel of direct messages between a member and the bot."""
        return self.env.backend.get_dm_channel(member.id)

    def channels(self, member: Member, language: str) -> list[dict[str, Any]]:
        """Return the channels that a member sees, the direct messages last, with topics in a language."""
        backend = self.env.backend
        shown = [backend.channels[each] for each in backend.guilds[self.guild.id].channel_ids]
        seen = [channel for channel in shown if self.sees_channel(member, channel.id)]
        return [self._channel(channel, language) for channel in [*seen, self.direct_channel(member)]]

    def _channel(self, channel: Channel, language: str) -> dict[str, Any]:
        messages = self.env.backend.messages.get(channel.id, {})
        return {
            "id": str(channel.id),
            "name": channel.name,
            "topic": self.languages.translate(channel.topic or "", language),
            "direct": channel.guild_id is None,
            "last": str(max((key for key, each in messages.items() if not each.is_ephemeral), default=0)),
        }

    def sees_channel(self, member: Member, channel_id: int) -> bool:
        """Return whether a member sees a channel."""
        from simcord.backend.access import channel_accessible

        return bool(channel_accessible(self.env.backend, channel_id, member.id))

    def messages(self, member: Member, channel_id: int) -> list[Message]:
        """Return the newest messages of a channel that a member sees, the oldest first."""
        if not self.sees_channel(member, channel_id):
            return []
        stored = self.env.backend.messages.get(channel_id, {}).values()
        return [each for each in stored if each.visible_to(member.id)][-_MESSAGES_SHOWN:]

    def payload(self, message: Message) -> dict[str, Any]:
        """Return a message as Discord sends it."""
        from simcord.backend.serializers import message_payload

        return dict(message_payload(self.env.backend, message))

    def shown(self, message: Message, language: str) -> dict[str, Any]:
        """Return a message as a member reads it: the welcome is in their language."""
        payload = self.payload(message)
        if message.id == self.welcome_id:
            payload["content"] = self.languages.translate(payload["content"], language)
        return payload

    def message(self, member: Member, channel_id: int, message_id: int) -> Message:
        """Return a message that a member sees; raises RequestError where there is none."""
        for each in self.messages(member, channel_id):
            if each.id == message_id:
                return each
        raise RequestError("This message is gone.")

    def may_delete(self, member: Member, message: Message) -> bool:
        """Return whether a member may delete a message."""
        return message.author_id == member.id or bool(
            self.permissions(member, message.channel_id).manage_messages and not message.is_ephemeral
        )

    def permissions(self, member: Member, channel_id: int) -> discord.Permissions:
        """Return a member's permissions in a channel: none in direct messages."""
        channel = self.env.backend.channels[channel_id]
        if channel.guild_id is None:
            return discord.Permissions.none()
        return discord.Permissions(self.env.backend.compute_permissions(channel.guild_id, member.id, channel_id))

    def file(self, url: str) -> bytes | None:
        """Return an attachment's content by its address."""
        content: bytes | None = self.env.backend.cdn.get(url)
        return content

    def command(self, member: Member, channel_id: int, name: str, *, menu: bool = False) -> dict[str, Any]:
        """Return the root of a command that a member can use in a channel; raises RequestError where there is none."""
        for command in self._roots(member, channel_id, _MENU if menu else _SLASH):
            if command["name"] == (name if menu else name.split(" ", maxsplit=1)[0]):
                return command
        raise RequestError(f"There is no command {name!r} here.")

    def commands(self, member: Member, channel_id: int, language: str) -> list[dict[str, Any]]:
        """Return all commands that a member can use in a channel; labels and descriptions are in a language."""
        return [
            {
                "name": " ".join(node["name"] for node in path),
                "label": " ".join(_localised(node, "name", language) for node in path),
                "id": command["id"],
                "description": _localised(path[-1], "description", language),
                "options": [_option(option, language) for option in path[-1].get("options") or []],
            }
            for command in self._roots(member, channel_id, _SLASH)
            for path in _leaves(command)
        ]

    def elsewhere(self, member: Member, channel_id: int, language: str) -> list[str]:
        """Return the names, also in a language, of commands that work in the server but not in direct messages."""
        if self.env.backend.channels[channel_id].guild_id is not None:
            return []
        here = {command["name"] for command in self._roots(member, channel_id, _SLASH)}
        channels = [each.id for each in self.env.backend.channels.values() if each.guild_id is not None]
        there = {each["name"]: each for channel in channels for each in self._roots(member, channel, _SLASH)}
        missing = [command for name, command in there.items() if name not in here]
        return [name for each in missing for name in (each["name"], _localised(each, "name", language))]

    def menus(self, member: Member, channel_id: int, language: str) -> list[dict[str, str]]:
        """Return the entries of *Apps* in a message's menu."""
        roots = self._roots(member, channel_id, _MENU)
        return [{"name": each["name"], "label": _localised(each, "name", language)} for each in roots]

    def _roots(self, member: Member, channel_id: int, kind: int) -> list[dict[str, Any]]:
        if not self.sees_channel(member, channel_id):
            return []
        found = self.env.backend.visible_commands(user_id=member.id, channel_id=channel_id, type=kind)
        return [dict(command) for command in found if command["name"] not in self.unlisted]


def _leaves(node: Mapping[str, Any], above: tuple[Mapping[str, Any], ...] = ()) -> Iterator[list[Mapping[str, Any]]]:
    """Yield the way to each command that can be used, from the one that Discord lists to itself."""
    children = [option for option in node.get("options") or [] if option.get("type") in _GROUPS]
    if not children:
        yield [*above, node]
    for child in children:
        yield from _leaves(child, (*above, node))


def _option(option: Mapping[str, Any], language: str) -> dict[str, Any]:
    """Return an option with the texts of one language in place of those of all languages."""
    kept = {key: value for key, value in option.items() if not key.endswith("_localizations")}
    choices = [{**choice, "label": _localised(choice, "name", language)} for choice in option.get("choices") or []]
    texts = {"label": _localised(option, "name", language), "description": _localised(option, "description", language)}
    return {**kept, **texts, "choices": [{"name": each["label"], "value": each["value"]} for each in choices]}


def _localised(item: Mapping[str, Any], key: str, language: str) -> str:
    return str((item.get(f"{key}_localizations") or {}).get(language) or item.get(key) or "")
