"""What the simulator of Discord has no public switch for."""

import simcord.env


def settle_quickly(monkeypatch):
    """Let the simulator look for idleness often."""
    monkeypatch.setitem(simcord.env.Env._settle_internal.__kwdefaults__, "idle", 0.002)
