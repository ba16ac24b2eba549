"""What the simulator of Discord has no public switch for."""

import discord
from simcord.env import Env


class QuickEnv(Env):
    """A simulated Discord that looks for idleness often, and has its whole time at the start too, not five seconds."""

    async def _settle_internal(self, *, idle=0.002, **options):
        await super()._settle_internal(idle=idle, **{**options, "timeout": None})


def restrict_channels(monkeypatch, *, restricted=True):
    """Make all text channels age-restricted, or none; the simulator has no such channels."""
    monkeypatch.setattr(discord.TextChannel, "is_nsfw", lambda _channel: restricted)
