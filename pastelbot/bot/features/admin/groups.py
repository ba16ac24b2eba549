"""`/admin channels`, `caps`, `words`, `adult_tags` and `gallery`: settings of a server."""

import io
from typing import Any

import discord
from discord import app_commands

from pastelbot.bot.checks import actor_of
from pastelbot.bot.components.direct_messages import notify_author
from pastelbot.bot.context import GalleryMessages, Interaction
from pastelbot.bot.features.admin.texts import caps_text, words_text
from pastelbot.bot.responses import answers_errors, respond_ephemeral
from pastelbot.errors import RequestError, quoted
from pastelbot.service import server_rules
from pastelbot.service.admin import Admin
from pastelbot.service.gallery import Gallery
from pastelbot.store.settings import Scope

AnyPlace = app_commands.AppCommandChannel | app_commands.AppCommandThread


class _PlaceTransformer(app_commands.Transformer):
    """Takes a channel of any kind, a category or a thread."""

    @property
    def type(self) -> discord.AppCommandOptionType:
        """Return what Discord offers: every kind of channel."""
        return discord.AppCommandOptionType.channel

    async def transform(self, _interaction: discord.Interaction[Any], value: AnyPlace, /) -> AnyPlace:
        """Take it as it is: its id and its name are all that is needed."""
        return value


Place = app_commands.Transform[AnyPlace, _PlaceTransformer]
# The largest that Discord's menu offers; the operator's limits are told where they are lower.
_MOST = 4096


class ChannelsGroup(app_commands.Group):
    """Where the bot answers."""

    def __init__(self, admin: Admin) -> None:
        super().__init__(name="channels", description="Where the bot answers.")
        self._admin = admin

    @app_commands.command(name="allow")
    @app_commands.describe(channel="A channel, category or thread; with any allowed, the bot answers nowhere else")
    @answers_errors
    async def allow(self, interaction: Interaction, channel: Place) -> None:
        """Let the bot answer here, and only where it is allowed."""
        await self._admin.set_place(actor_of(interaction), channel.id, "allow")
        await respond_ephemeral(interaction, f"The bot answers in {channel.mention}, and nowhere that is not allowed.")

    @app_commands.command(name="deny")
    @app_commands.describe(channel="A channel, category or thread; threads and channels inside follow")
    @answers_errors
    async def deny(self, interaction: Interaction, channel: Place) -> None:
        """Keep the bot out of a channel."""
        await self._admin.set_place(actor_of(interaction), channel.id, "deny")
        await respond_ephemeral(interaction, f"The bot no longer answers in {channel.mention}.")

    @app_commands.command(name="remove")
    @app_commands.describe(channel="What was allowed or denied")
    @answers_errors
    async def remove(self, interaction: Interaction, channel: Place) -> None:
        """Remove the rule for a channel."""
        await self._admin.set_place(actor_of(interaction), channel.id, None)
        await respond_ephemeral(interaction, f"There is no rule for {channel.mention} now.")


class CapsGroup(app_commands.Group):
    """How much may be asked for at once."""

    def __init__(self, admin: Admin) -> None:
        super().__init__(name="caps", description="How much may be asked for at once.")
        self._admin = admin

    @app_commands.command(name="set")
    @app_commands.describe(
        channel="For this channel, category or thread; left out with role, for the server",
        role="For the people of this role, in place of the server's caps",
        size="Pixels of the longer side, first pass",
        steps="Sampling steps",
        count="Pictures a request",
        hires="Pixels of the longer side after the hires fix; 0 switches it off",
    )
    @answers_errors
    async def set(
        self,
        interaction: Interaction,
        channel: Place | None = None,
        role: discord.Role | None = None,
        size: app_commands.Range[int, 64, _MOST] | None = None,
        steps: app_commands.Range[int, 1, 150] | None = None,
        count: app_commands.Range[int, 1, 10] | None = None,
        hires: app_commands.Range[int, 0, _MOST] | None = None,
    ) -> None:
        """Cap what may be asked for."""
        scope, owner_id, whose = _owner(interaction, channel, role)
        caps = server_rules.Caps(size=size, steps=steps, count=count, hires=hires)
        now = await self._admin.set_caps(actor_of(interaction), scope, owner_id, caps)
        await respond_ephemeral(interaction, f"The caps of {whose} are now: {caps_text(now)}.")

    @app_commands.command(name="clear")
    @app_commands.describe(channel="Of this channel, category or thread", role="Of this role; left out, the server's")
    @answers_errors
    async def clear(
        self,
        interaction: Interaction,
        channel: Place | None = None,
        role: discord.Role | None = None,
    ) -> None:
        """Forget caps."""
        scope, owner_id, whose = _owner(interaction, channel, role)
        await self._admin.clear_caps(actor_of(interaction), scope, owner_id)
        await respond_ephemeral(interaction, f"There are no caps for {whose} now.")


class _ListGroup(app_commands.Group):
    """One of a server's two lists of words: what both commands do."""

    def __init__(self, admin: Admin, name: str, setting: str, description: str) -> None:
        super().__init__(name=name, description=description)
        self._admin = admin
        self._setting = setting

    async def _add(self, interaction: Interaction, words: str) -> None:
        fresh = await self._admin.add_words(actor_of(interaction), self._setting, words)
        await respond_ephemeral(interaction, f"Added: {', '.join(map(quoted, fresh))}")

    async def _remove(self, interaction: Interaction, words: str) -> None:
        gone = await self._admin.remove_words(actor_of(interaction), self._setting, words)
        await respond_ephemeral(interaction, f"Removed: {', '.join(map(quoted, gone))}")

    async def _list(self, interaction: Interaction) -> None:
        entries = await self._admin.words(actor_of(interaction), self._setting)
        text = words_text(self.name, entries)
        if len(text) <= 2000:
            await respond_ephemeral(interaction, text)
        else:
            file = discord.File(io.BytesIO("\n".join(entries).encode()), filename=f"{self.name}.txt")
            await respond_ephemeral(interaction, f"{len(entries)} entries", file=file)

    async def _test(self, interaction: Interaction, prompt: str) -> None:
        refusals = await self._admin.test_words(actor_of(interaction), prompt)
        if refusals:
            await respond_ephemeral(interaction, "\n".join([f"🚫 {refusal}" for refusal in refusals]))
        else:
            await respond_ephemeral(interaction, "✅ That would be painted here.")


class WordsGroup(_ListGroup):
    """The words that are not painted in a server."""

    def __init__(self, admin: Admin) -> None:
        super().__init__(admin, "words", server_rules.WORDS, "Words that are not painted here.")

    @app_commands.command(name="add")
    @app_commands.describe(words="Words or tags, separated by commas; only whole ones are found")
    @answers_errors
    async def add(self, interaction: Interaction, words: str) -> None:
        """Add words that are not painted here."""
        await self._add(interaction, words)

    @app_commands.command(name="remove")
    @app_commands.describe(words="Words or tags, separated by commas")
    @answers_errors
    async def remove(self, interaction: Interaction, words: str) -> None:
        """Allow words here again."""
        await self._remove(interaction, words)

    @app_commands.command(name="list")
    @answers_errors
    async def list(self, interaction: Interaction) -> None:
        """Show the words that are not painted here."""
        await self._list(interaction)

    @app_commands.command(name="test")
    @app_commands.describe(prompt="A prompt; nothing is painted")
    @answers_errors
    async def test(self, interaction: Interaction, prompt: str) -> None:
        """Try a prompt against all that holds in this channel."""
        await self._test(interaction, prompt)


class AdultTagsGroup(_ListGroup):
    """A server's own tags for age-restricted channels."""

    def __init__(self, admin: Admin) -> None:
        super().__init__(admin, "adult_tags", server_rules.ADULT_TAGS, "Own tags for age-restricted channels only.")

    @app_commands.command(name="add")
    @app_commands.describe(words="Tags, separated by commas; only whole ones are found")
    @answers_errors
    async def add(self, interaction: Interaction, words: str) -> None:
        """Add tags that are for age-restricted channels only."""
        await self._add(interaction, words)

    @app_commands.command(name="remove")
    @app_commands.describe(words="Tags, separated by commas")
    @answers_errors
    async def remove(self, interaction: Interaction, words: str) -> None:
        """Allow own adult tags in every channel again."""
        await self._remove(interaction, words)

    @app_commands.command(name="list")
    @answers_errors
    async def list(self, interaction: Interaction) -> None:
        """Show the own tags for age-restricted channels only."""
        await self._list(interaction)

    @app_commands.command(name="test")
    @app_commands.describe(prompt="A prompt; nothing is painted")
    @answers_errors
    async def test(self, interaction: Interaction, prompt: str) -> None:
        """Try a prompt against all that holds in this channel."""
        await self._test(interaction, prompt)


class GalleryGroup(app_commands.Group):
    """The server's gallery."""

    def __init__(self, admin: Admin, gallery: Gallery, posts: GalleryMessages) -> None:
        super().__init__(name="gallery", description="The server's gallery.")
        self._admin = admin
        self._gallery = gallery
        self._posts = posts

    @app_commands.command(name="channel")
    @app_commands.describe(channel="Where shared pictures are posted; left out, nowhere")
    @answers_errors
    async def channel(self, interaction: Interaction, channel: discord.TextChannel | None = None) -> None:
        """Choose where shared pictures are posted."""
        if channel is not None:
            check_can_post(channel)
        value, name = (None, "nowhere") if channel is None else (channel.id, channel.mention)
        await self._admin.set_value(actor_of(interaction), server_rules.GALLERY_CHANNEL, value, shown=name)
        if channel is None:
            await respond_ephemeral(interaction, "Shared pictures are posted nowhere: `/gallery` alone shows them.")
        else:
            await respond_ephemeral(interaction, f"Shared pictures are posted in {name}.")

    @app_commands.command(name="best_of")
    @app_commands.describe(on="Post the week's best pictures in the gallery's channel")
    @answers_errors
    async def best_of(self, interaction: Interaction, *, on: bool) -> None:
        """Switch the weekly best-of on or off."""
        await self._admin.set_value(
            actor_of(interaction), server_rules.BEST_OF, on or None, shown="on" if on else "off"
        )
        if on and await self._gallery.channel(interaction.guild_id or 0) is None:
            text = (
                "The weekly best-of is on, but the gallery has no channel yet: choose one with /admin gallery channel."
            )
            await respond_ephemeral(interaction, text)
        else:
            await respond_ephemeral(interaction, f"The weekly best-of is {'on' if on else 'off'}.")

    @app_commands.command(name="remove")
    @app_commands.describe(number="The number in front of the picture in the gallery")
    @answers_errors
    async def remove(self, interaction: Interaction, number: app_commands.Range[int, 1]) -> None:
        """Take a picture out of the gallery."""
        actor = actor_of(interaction)
        job = await self._admin.remove_from_gallery(actor, self._gallery, number)
        self._posts.wake()
        await respond_ephemeral(interaction, f"The picture of <@{job.user_id}> is no longer in the gallery.")
        await notify_author(interaction, job, "took your picture out of the gallery")


def check_can_post(channel: discord.TextChannel) -> None:
    """Raise RequestError where the bot could not post pictures in a channel."""
    rights = channel.permissions_for(channel.guild.me)
    needed = {"view_channel": "View Channel", "send_messages": "Send Messages", "attach_files": "Attach Files"}
    missing = [name for right, name in needed.items() if not getattr(rights, right)]
    if missing:
        raise RequestError(f"The bot may not post pictures in {channel.mention}; it lacks: {', '.join(missing)}.")


def _owner(interaction: Interaction, channel: AnyPlace | None, role: discord.Role | None) -> tuple[Scope, int, str]:
    """Return whose caps are meant; those of @everyone are the server's."""
    if channel is not None and role is not None:
        raise RequestError("Give a channel or a role, not both.")
    if channel is not None:
        return Scope.CHANNEL, channel.id, channel.mention
    if role is not None and not role.is_default():
        return Scope.ROLE, role.id, role.mention
    return Scope.GUILD, interaction.guild_id or 0, "the server"
