"""`/admin quota`: allowances and grants of a server."""

import discord
from discord import app_commands

from pastelbot.bot.checks import actor_of
from pastelbot.bot.context import Interaction
from pastelbot.bot.features.quota.texts import allowance_text, pictures_text, quota_text
from pastelbot.bot.responses import answers_errors, respond_ephemeral
from pastelbot.errors import LimitError
from pastelbot.records import Actor
from pastelbot.rules import cost
from pastelbot.service.access import AccessPolicy
from pastelbot.service.quotas import MOST, Quotas
from pastelbot.service.server_rules import LONGEST_REASON

_CLEAR = "clear"


class QuotaGroup(app_commands.Group):
    """Subcommands of `/admin`; each checks the user's permission."""

    def __init__(self, quotas: Quotas, access: AccessPolicy) -> None:
        super().__init__(name="quota", description="How much people may paint here.")
        self._quotas = quotas
        self._access = access

    @app_commands.command(name="show")
    @app_commands.describe(member="Whose quota; left out, your own")
    @answers_errors
    async def show(self, interaction: Interaction, member: discord.Member | None = None) -> None:
        """Show a user's quota, and what was granted to them."""
        actor = await self._admin(interaction)
        about = actor if member is None else _actor(member)
        text = quota_text(await self._quotas.state(about))
        await respond_ephemeral(interaction, f"<@{about.user_id}>\n{text}")

    @app_commands.command(name="server")
    @app_commands.describe(work_per_day="Megapixel-steps for everybody here a day; 0: no limit")
    @answers_errors
    async def server(self, interaction: Interaction, work_per_day: app_commands.Range[float, 0, MOST]) -> None:
        """Set how much everybody here may paint a day."""
        actor = await self._admin(interaction)
        allowance = await self._quotas.set_server(actor, work_per_day)
        await respond_ephemeral(interaction, f"Everybody here has {allowance_text(allowance)} now.")

    @app_commands.command(name="role")
    @app_commands.describe(
        role="Its people get this instead of the server's number",
        work_per_day="Megapixel-steps a day, 0 for no limit, or: clear",
    )
    @answers_errors
    async def role(self, interaction: Interaction, role: discord.Role, work_per_day: str) -> None:
        """Set how much the people of a role may paint a day, or clear that."""
        actor = await self._admin(interaction)
        number = _read(work_per_day)
        allowance = await self._quotas.set_role(actor, role.id, number)
        if number is None:
            await respond_ephemeral(interaction, f"{role.mention} no longer has an allowance of its own.")
        else:
            await respond_ephemeral(interaction, f"{role.mention} has {allowance_text(allowance)} now.")

    @app_commands.command(name="grant")
    @app_commands.describe(
        member="Who gets it",
        work="Megapixel-steps, once; used when the day's allowance is used up",
        reason="Why; the person can read it",
    )
    @answers_errors
    async def grant(
        self,
        interaction: Interaction,
        member: discord.Member,
        work: app_commands.Range[float, 0, MOST],
        reason: app_commands.Range[str, 0, LONGEST_REASON] | None = None,
    ) -> None:
        """Give a user extra work, once."""
        actor = await self._admin(interaction)
        quota = await self._quotas.grant(_actor(member), work, by=actor, reason=reason)
        granted, pictures = cost.text(cost.pixel_steps(work)), pictures_text(quota.pictures)
        text = f"{granted} more for {member.mention}. They have no limit now; it counts when they have one."
        if quota.limited:
            text = f"{granted} more for {member.mention}. They can paint about {pictures} like the default now."
        await respond_ephemeral(interaction, text)

    async def _admin(self, interaction: Interaction) -> Actor:
        actor = actor_of(interaction)
        await self._access.check_admin(actor)
        return actor


def _actor(member: discord.Member) -> Actor:
    return Actor(user_id=member.id, guild_id=member.guild.id, role_ids=tuple(role.id for role in member.roles))


def _read(text: str) -> float | None:
    """Read a number, or None for "clear"; raise LimitError for anything else."""
    word = text.strip().lower().replace(",", "")
    if word == _CLEAR:
        return None
    try:
        number = float(word)
    except ValueError:
        number = -1.0
    if not 0 <= number <= MOST:
        raise LimitError(f"{text[:40]!r} is not a valid amount of work: type a number from 0 to {MOST:,}, or {_CLEAR}.")
    return number
