"""Turns of what can wait: one message of a channel shows progress at a time, so results stand behind no others.

Discord limits edits by channel, and its client sends them in the order in which they were asked for. Where fifty
messages of a channel ask for an edit each time that something moves, a picture would be the fifty-first.
"""

import asyncio
from collections.abc import Callable

from pastelbot.jobs.background import CallLater, call_later

_LONGEST = 10.0  # seconds, after which the next one has its turn though the last one hangs


class Turns:
    """Gives each channel's messages their turns, in the order in which they ask."""

    def __init__(self, *, later: CallLater = call_later) -> None:
        self._later = later
        self._waiting: dict[int, dict[Turn, None]] = {}  # by channel, in order
        self._under_way: set[int] = set()

    def of(self, channel_id: int) -> "Turn":
        """Return what asks for turns in a channel, for one message."""
        return Turn(self, channel_id)

    def ask(self, turn: "Turn") -> None:
        """Begin a turn now, or when those that asked before had theirs."""
        waiting = self._waiting.setdefault(turn.channel_id, {})
        waiting[turn] = None
        if turn.channel_id not in self._under_way:
            self.pass_on(turn.channel_id)

    def leave(self, turn: "Turn") -> None:
        """Forget that it waits."""
        self._waiting.get(turn.channel_id, {}).pop(turn, None)

    def pass_on(self, channel_id: int) -> None:
        """Let the next one of a channel begin that has something to show."""
        waiting = self._waiting[channel_id]
        self._under_way.add(channel_id)
        while waiting:
            turn = next(iter(waiting))
            del waiting[turn]
            if turn.begin(self._later):
                return
        self._under_way.discard(channel_id)
        del self._waiting[channel_id]


class Turn:
    """The turns of one message in its channel; `channel_id` is that channel."""

    def __init__(self, turns: Turns, channel_id: int) -> None:
        self.channel_id = channel_id
        self._turns = turns
        self._start: Callable[[], bool] = lambda: False
        self._limit: asyncio.TimerHandle | None = None  # while it is under way

    def ask(self, start: Callable[[], bool]) -> None:
        """Call `start` in the turn; where it returns False, nothing was begun and the turn is over."""
        self._start = start
        if self._limit is None:
            self._turns.ask(self)

    def leave(self) -> None:
        """Ask no more; a turn under way goes on."""
        self._turns.leave(self)

    def end(self) -> None:
        """End the turn, if it is under way."""
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None
            self._turns.pass_on(self.channel_id)

    def begin(self, later: CallLater) -> bool:
        """Have the turn, for ten seconds at most; return whether there was something to begin."""
        if not self._start():
            return False
        self._limit = later(_LONGEST, self.end)
        return True
