"""Turns: how many edits of a channel may show progress, beside the results that are expected there."""

import asyncio

import pytest

from pastelbot.bot.messages.turns import Turns

NEVER = 3600.0


class Channel:
    """Messages of one channel that each show progress once; `free` lets Discord's limit forget the oldest edit."""

    def __init__(self):
        self.frees, self.begun = [], []
        self.turns = Turns(later=self._later)
        self._all = []

    def _later(self, seconds, callback):
        if seconds == 5.0:
            self.frees.append(callback)
        return asyncio.get_running_loop().call_later(NEVER, callback)

    def message(self, *, expected=None):
        turn = self.turns.of(1)
        self._all.append(turn)
        if expected is not None:
            turn.expect(expected)
        return turn

    def show_progress(self, *, asked=True, expected=None):
        """Ask for a turn; what begins, ends at once."""
        turn = self.message(expected=expected)

        def begin():
            self.begun.append(turn)
            asyncio.get_running_loop().call_soon(self._edit, turn, asked)
            return True

        turn.ask(begin)

    def _edit(self, turn, asked):
        turn.edit_begins()
        turn.edit_ends(asked=asked)

    async def settled(self):
        for _ in range(40):
            await asyncio.sleep(0)
        return len(self.begun)


@pytest.mark.parametrize(("results", "shown"), [(0, 3), (1, 3), (2, 2), (3, 1), (4, 0), (9, 0)])
async def test_progress_leaves_an_edit_to_each_result_that_is_expected_soon(results, shown):
    channel = Channel()
    for _ in range(results):
        channel.message(expected=7.0)
    for _ in range(6):
        channel.show_progress(expected=NEVER)

    assert await channel.settled() == shown


async def test_an_edit_counts_until_discord_forgets_it():
    channel = Channel()
    for _ in range(5):
        channel.show_progress()
    before = await channel.settled()
    channel.frees.pop(0)()

    assert (before, await channel.settled()) == (3, 4)


async def test_what_needed_no_request_does_not_count():
    channel = Channel()
    for _ in range(5):
        channel.show_progress(asked=False)

    assert await channel.settled() == 5


async def test_a_result_that_begins_makes_room_for_no_progress():
    """Its edit counts before it is no longer expected; otherwise progress would slip in just before it."""
    channel = Channel()
    results = [channel.message(expected=0.0) for _ in range(4)]
    channel.show_progress()
    for turn in results:
        turn.leave()
        turn.edit_begins()
        turn.expect(None)
    during = await channel.settled()
    for turn in results:
        turn.edit_ends(asked=True)
    after = await channel.settled()
    for free in channel.frees[:2]:
        free()

    assert (during, after, await channel.settled()) == (0, 0, 1)


async def test_a_result_long_overdue_is_no_longer_expected():
    channel = Channel()
    for _ in range(4):
        channel.message(expected=-31.0)
    channel.show_progress()

    assert await channel.settled() == 1


async def test_a_job_that_is_no_longer_painted_makes_room():
    channel = Channel()
    results = [channel.message(expected=1.0) for _ in range(4)]
    channel.show_progress()
    before = await channel.settled()
    results[0].expect(None)

    assert (before, await channel.settled()) == (0, 1)
