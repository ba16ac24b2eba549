"""Faults of Discord that the simulator has no switch for: answers that get lost, events that come twice."""

import fnmatch

import discord.state
import simcord.http.router
from simcord.backend.errors import BackendError


def deliver_twice(monkeypatch):
    """Deliver every interaction twice to bots that are built from now on, as after a resumed connection."""
    once = discord.state.ConnectionState.parse_interaction_create

    def twice(state, data):
        once(state, data)
        once(state, data)

    monkeypatch.setattr(discord.state.ConnectionState, "parse_interaction_create", twice)


def lose_answers(monkeypatch, method, path, *, times=1, status=502, code=0):
    """Let Discord do what matching requests ask, and the bot hear of an error.

    With status 400 and code 40060 that is what discord.py's own retry hears after a lost answer.
    """
    dispatch, left = simcord.http.router.dispatch, [times]

    def losing(backend, requested, at, **details):
        answer = dispatch(backend, requested, at, **details)
        if left[0] and requested == method and fnmatch.fnmatch(at, path):
            left[0] -= 1
            raise BackendError(status, code, "the answer was lost")
        return answer

    monkeypatch.setattr(simcord.http.router, "dispatch", losing)
