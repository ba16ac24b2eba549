"""Turns of what can wait: one message of a channel shows progress at a time, so results stand behind no others.

Discord limits edits by channel, and its client sends them in the order in which they were asked for. Where fifty
messages of a channel ask for an edit each time that something moves, a picture would be the fifty-first. So progress
also leaves an edit to each picture that is expected soon, and one more: the client holds back the last one.
"""

import asyncio
from collections.abc import Callable
from weakref import WeakValueDictionary

from pastelbot.jobs.background import CallLater, call_later

_LONGEST = 10.0  # seconds, after which the next one has its turn though the last one hangs
_EDITS = 5 - 1  # that Discord takes of a channel's messages in a window, but for the last one
WINDOW = 5.0  # its seconds
_SOON, _OVERDUE = 2, 6  # windows before and after the time at which a result is expected, in which there is room for it


class Turns:
    """Gives each channel's messages their turns, in the order in which they ask; `window` 0: edits have no limit."""

    def __init__(self, *, window: float = WINDOW, later: CallLater = call_later) -> None:
        self._window = window
        self._later = later
        self._channels: WeakValueDictionary[int, _Channel] = WeakValueDictionary()

    def of(self, channel_id: int) -> "Turn":
        """Return what asks for turns in a channel, for one message."""
        channel = self._channels.get(channel_id)
        if channel is None:
            channel = self._channels[channel_id] = _Channel(self._window, self._later)
        return Turn(channel)


class _Channel:
    """The edits of a channel: who asks for one, how many there were in the window, and which results are expected."""

    def __init__(self, window: float, later: CallLater) -> None:
        self.later = later
        self.waiting: dict[Turn, None] = {}  # in order
        self.under_way: Turn | None = None
        self.results: dict[Turn, float] = {}  # when they are expected, by the loop's clock
        self._window = window
        self._edits = 0

    def pass_on(self) -> None:
        """Let the next one begin that has something to show, where there is room for it."""
        while self.under_way is None and self.waiting and self._has_room():
            turn = next(iter(self.waiting))
            del self.waiting[turn]
            if turn.begin():
                self.under_way = turn

    def edit_begins(self) -> None:
        """Count an edit."""
        self._edits += 1

    def edit_ends(self, *, asked: bool) -> None:
        """Count it until the window is over; at once no more where Discord was not asked."""
        if asked and self._window:
            self.later(self._window, self._free)
        else:
            self._free()

    def _free(self) -> None:
        self._edits -= 1
        self.pass_on()

    def _has_room(self) -> bool:
        now = asyncio.get_running_loop().time()
        expected = sum(-_SOON * self._window < now - at < _OVERDUE * self._window for at in self.results.values())
        return not self._window or self._edits + max(expected, 1) < _EDITS


class Turn:
    """The turns of one message in its channel."""

    def __init__(self, channel: _Channel) -> None:
        self._channel = channel
        self._start: Callable[[], bool] = lambda: False
        self._limit: asyncio.TimerHandle | None = None  # while it is under way

    def ask(self, start: Callable[[], bool]) -> None:
        """Call `start` in the turn; where it returns False, nothing was begun and the turn is over."""
        self._start = start
        if self._limit is None:
            self._channel.waiting[self] = None
            self._channel.pass_on()

    def leave(self) -> None:
        """Ask no more; a turn under way goes on."""
        self._channel.waiting.pop(self, None)

    def expect(self, seconds: float | None) -> None:
        """Leave room for a result in so many seconds; None: none is expected."""
        if seconds is None:
            self._channel.results.pop(self, None)
            self._channel.pass_on()
        else:
            self._channel.results[self] = asyncio.get_running_loop().time() + seconds

    def edit_begins(self) -> None:
        """Count an edit of the message, also one outside of a turn."""
        self._channel.edit_begins()

    def edit_ends(self, *, asked: bool) -> None:
        """End the edit, and the turn if one is under way; `asked`: Discord was asked for it."""
        self._channel.edit_ends(asked=asked)
        self._end()

    def begin(self) -> bool:
        """Have the turn, for ten seconds at most; return whether there was something to begin."""
        if not self._start():
            return False
        self._limit = self._channel.later(_LONGEST, self._end)
        return True

    def _end(self) -> None:
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None
            self._channel.under_way = None
            self._channel.pass_on()
