"""What the simulator of Discord has no public switch for."""

import discord
import simcord.env


def settle_quickly(monkeypatch):
    """Let the simulator look for idleness often."""
    monkeypatch.setitem(simcord.env.Env._settle_internal.__kwdefaults__, "idle", 0.002)


def restrict_channels(monkeypatch, *, restricted=True):
    """Make all text channels age-restricted, or none; the simulator has no such channels."""
    monkeypatch.setattr(discord.TextChannel, "is_nsfw", lambda _channel: restricted)
