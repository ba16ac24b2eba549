"""`/admin`: moderation of a server. Discord shows it to users with Manage Server; the access policy checks again."""

import discord
from discord import app_commands

from pastelbot.bot.checks import actor_of
from pastelbot.bot.context import Interaction
from pastelbot.bot.features.admin.groups import check_can_post
from pastelbot.bot.features.admin.texts import block_text, log_text, overview_text, stats_text
from pastelbot.bot.responses import answers_errors, respond_ephemeral
from pastelbot.errors import RequestError
from pastelbot.service import server_rules
from pastelbot.service.admin import Admin
from pastelbot.service.server_rules import LONGEST_REASON


class AdminGroup(app_commands.Group):
    """What only those who look after a server may do."""

    def __init__(self, admin: Admin) -> None:
        super().__init__(
            name="admin",
            description="Look after the bot in this server.",
            default_permissions=discord.Permissions(manage_guild=True),
            guild_only=True,
            allowed_installs=app_commands.AppInstallationType(guild=True, user=False),
        )
        self._admin = admin

    @app_commands.command(name="block")
    @app_commands.describe(
        member="Who shall not paint here",
        duration="How long: 30m, 12h, 7d, 2w; left out, until they are unblocked",
        reason="Why; they can read it",
    )
    @answers_errors
    async def block(
        self,
        interaction: Interaction,
        member: discord.User,
        duration: str | None = None,
        reason: app_commands.Range[str, 0, LONGEST_REASON] = "",
    ) -> None:
        """Keep a user from painting for a while."""
        trusted = member.bot or (isinstance(member, discord.Member) and member.guild_permissions.manage_guild)
        block = await self._admin.block(
            actor_of(interaction), member.id, duration=duration, reason=reason, trusted=trusted
        )
        await respond_ephemeral(interaction, f"Blocked: {block_text(block)}. Their queued pictures are cancelled.")

    @app_commands.command(name="unblock")
    @app_commands.describe(member="Who may paint again")
    @answers_errors
    async def unblock(self, interaction: Interaction, member: discord.User) -> None:
        """Let a user paint again."""
        await self._admin.unblock(actor_of(interaction), member.id)
        await respond_ephemeral(interaction, f"{member.mention} may paint again.")

    @app_commands.command(name="drain")
    @app_commands.describe(everywhere="In all servers; only for the bot's operators")
    @answers_errors
    async def drain(
        self,
        interaction: Interaction,
        *,
        everywhere: bool = False,
    ) -> None:
        """Take no new pictures; queued ones wait, those being painted are finished."""
        changed = await self._admin.drain(actor_of(interaction), everywhere=everywhere, drained=True)
        what = "nothing new is taken, and what is queued waits, also over restarts. /admin resume goes on."
        await respond_ephemeral(interaction, f"Drained: {what}" if changed else f"It was drained already: {what}")

    @app_commands.command(name="resume")
    @app_commands.describe(everywhere="In all servers; only for the bot's operators")
    @answers_errors
    async def resume(
        self,
        interaction: Interaction,
        *,
        everywhere: bool = False,
    ) -> None:
        """Go on after a drain."""
        changed = await self._admin.drain(actor_of(interaction), everywhere=everywhere, drained=False)
        await respond_ephemeral(interaction, "The bot is at work again." if changed else "It was not drained.")

    @app_commands.command(name="stats")
    @answers_errors
    async def stats(self, interaction: Interaction) -> None:
        """Show what was painted here, the queue, the speed and the disk."""
        actor = actor_of(interaction)
        await interaction.response.defer(ephemeral=True, thinking=True)
        await respond_ephemeral(interaction, stats_text(await self._admin.stats(actor)))

    @app_commands.command(name="show")
    @answers_errors
    async def show(self, interaction: Interaction) -> None:
        """Show everything that is set here."""
        guild = interaction.guild
        if guild is None:
            raise RequestError("This is about a server: use it in one.")
        overview = await self._admin.overview(
            actor_of(interaction),
            channel_ids=[*(channel.id for channel in guild.channels), *(thread.id for thread in guild.threads)],
            role_ids=[role.id for role in guild.roles],
        )
        await respond_ephemeral(interaction, overview_text(overview))

    @app_commands.command(name="log")
    @app_commands.describe(member="Only what they did, or what was done to them", page="1 has the newest")
    @answers_errors
    async def log(
        self,
        interaction: Interaction,
        member: discord.User | None = None,
        page: app_commands.Range[int, 1, 10_000] = 1,
    ) -> None:
        """Show who did what here."""
        user_id = member.id if member is not None else None
        entries = await self._admin.log(actor_of(interaction), user_id=user_id, page=page)
        await respond_ephemeral(interaction, log_text(entries, page))

    @app_commands.command(name="mod_channel")
    @app_commands.describe(channel="Where moderators are asked about withheld pictures; left out, they are refused")
    @answers_errors
    async def mod_channel(self, interaction: Interaction, channel: discord.TextChannel | None = None) -> None:
        """Choose where moderators are asked about pictures rated as adult."""
        if channel is None:
            await self._admin.set_value(actor_of(interaction), server_rules.MOD_CHANNEL, None, shown="none")
            await respond_ephemeral(
                interaction, "Pictures rated as adult are refused at once outside age-restricted channels."
            )
            return
        check_can_post(channel)
        await self._admin.set_value(actor_of(interaction), server_rules.MOD_CHANNEL, channel.id, shown=channel.mention)
        text = f"Moderators are asked about withheld pictures in {channel.mention}."
        if channel.permissions_for(channel.guild.default_role).view_channel:
            text = (
                f"Moderators are asked about withheld pictures in {channel.mention}. "
                "⚠️ Everybody can see that channel: close it for members, and make it age-restricted."
            )
        await respond_ephemeral(interaction, text)

    @app_commands.command(name="admin_role")
    @app_commands.describe(role="Who may use /admin besides those with Manage Server; left out, none")
    @answers_errors
    async def admin_role(self, interaction: Interaction, role: discord.Role | None = None) -> None:
        """Choose a role that may use these commands too."""
        if role is not None and role.is_default():
            raise RequestError("That would be everybody: choose a role that only your moderators have.")
        name = "no one" if role is None else role.mention
        value = None if role is None else role.id
        await self._admin.set_value(actor_of(interaction), server_rules.ADMIN_ROLE, value, shown=name)
        text = f"Besides people with Manage Server, /admin is for: {name}."
        if role is not None:
            text = (
                f"Besides people with Manage Server, /admin is for: {name}. "
                "Show them the command, too: Server Settings > Integrations > this bot > /admin."
            )
        await respond_ephemeral(interaction, text)
