"""A message's desired state: the newest, seldom, one at a time, and the end of a job until it is shown."""

import asyncio
from datetime import UTC, datetime

import pytest
from helpers.support import eventually

from pastelbot.bot.messages.message_slot import MessageSlot, NotWrittenError, Pace
from pastelbot.bot.messages.turns import Turns
from pastelbot.jobs.background import call_later
from pastelbot.records import BeingPainted, Ended, GenerationRequest, InLine, Job, JobStatus, Rendered

JOB = Job(
    id="0" * 12,
    user_id=1,
    request=GenerationRequest(prompt="1girl", width=64, height=64, seed=1),
    status=JobStatus.LEASED,
    created_at=datetime(2026, 11, 28, tzinfo=UTC),
)
WAITING, RENDERED, ENDED = InLine(job=JOB, position=1), Rendered(job=JOB), Ended(job=JOB)
NEVER = 3600.0


def painting(step):
    return BeingPainted(job=JOB, step=step, steps=40)


class Message:
    """Takes what a slot shows; the first `errors` are raised instead, and while it is held, writing waits."""

    def __init__(self, *errors, later=call_later, turns=None, **pace):
        self.errors = list(errors)
        self.tried, self.shown, self.settled = [], [], 0
        self.free = asyncio.Event()
        self.free.set()
        pace = {"edit_seconds": 0.0, "first_retry": 0.0, **pace}
        turn = (turns or Turns(window=0.0)).of(1)
        self.slot = MessageSlot(self.show, pace=Pace(**pace), turn=turn, on_settled=self.settle, later=later)

    async def show(self, slot, update):
        assert slot is self.slot
        self.tried.append(update)
        await self.free.wait()
        if self.errors:
            raise self.errors.pop(0)
        self.shown.append(update)

    def settle(self):
        self.settled += 1


async def test_what_comes_while_another_is_written_is_merged_into_the_newest():
    message = Message()
    message.free.clear()
    message.slot.publish(WAITING)
    await eventually(lambda: message.tried)
    for step in range(40):
        message.slot.publish(painting(step))
    message.free.set()
    await eventually(lambda: len(message.shown) == 2)

    assert message.shown == [WAITING, painting(39)]
    assert message.settled == 0


async def test_a_second_edit_waits_and_the_end_of_the_job_does_not():
    message = Message(edit_seconds=NEVER)
    message.slot.publish(painting(1))
    await eventually(lambda: message.shown)
    message.slot.publish(painting(2))
    message.slot.publish(ENDED)
    await eventually(lambda: message.settled)

    assert message.shown == [painting(1), ENDED]


@pytest.mark.parametrize("late", [WAITING, painting(20)])
@pytest.mark.parametrize("final", [RENDERED, ENDED])
async def test_late_progress_never_replaces_what_is_final(final, late):
    """V5: neither while that waits, nor while it is written, nor afterwards."""
    message = Message()
    message.free.clear()
    message.slot.publish(final)
    message.slot.publish(late)
    await eventually(lambda: message.tried)
    message.slot.publish(late)
    message.free.set()
    await eventually(lambda: message.settled)
    message.slot.publish(late)
    await asyncio.sleep(0.02)

    assert message.tried == [final]


async def test_pictures_never_replace_the_end_of_their_job():
    message = Message()
    message.slot.publish(ENDED)
    message.slot.publish(RENDERED)
    await eventually(lambda: message.settled)

    assert message.tried == [ENDED]


async def test_a_job_whose_worker_died_is_shown_waiting_again():
    message = Message()
    for update in (painting(20), WAITING):
        message.slot.publish(update)
        await eventually(lambda update=update: update in message.shown)

    assert message.shown == [painting(20), WAITING]


async def test_what_is_final_is_tried_until_it_is_shown():
    message = Message(NotWrittenError("no"), KeyError("unexpected"), NotWrittenError("no"))
    message.slot.publish(RENDERED)
    await eventually(lambda: message.settled)

    assert message.tried == [RENDERED] * 4
    assert message.slot.failures == 0


async def test_lost_progress_is_not_tried_again():
    message = Message(NotWrittenError("no"))
    message.slot.publish(painting(1))
    await eventually(lambda: message.tried)
    message.slot.publish(painting(2))
    await eventually(lambda: message.shown)

    assert message.tried == [painting(1), painting(2)]


async def test_the_end_of_a_job_does_not_wait_for_the_next_try_of_its_pictures():
    message = Message(NotWrittenError("no"), first_retry=NEVER, longest_retry=NEVER)
    message.slot.publish(RENDERED)
    await eventually(lambda: message.slot.failures == 1)
    message.slot.publish(ENDED)
    await eventually(lambda: message.settled)

    assert message.shown == [ENDED]


async def test_tries_are_twice_as_far_apart_each_time_up_to_the_longest():
    pauses = []

    def call_soon(seconds, callback):
        pauses.append(round(seconds))
        return asyncio.get_running_loop().call_soon(callback)

    message = Message(*[NotWrittenError("no")] * 5, later=call_soon, first_retry=100.0, longest_retry=700.0)
    message.slot.publish(ENDED)
    await eventually(lambda: message.settled)

    assert pauses == [100, 200, 400, 700, 700]


async def test_who_writes_the_message_does_so_alone():
    message = Message()
    message.free.clear()
    message.slot.publish(WAITING)
    await eventually(lambda: message.tried)
    order = []

    async def write():
        async with message.slot.writing():
            order.append(list(message.shown))
            message.slot.publish(ENDED)
            await asyncio.sleep(0.01)
            order.append(list(message.shown))

    writing = asyncio.create_task(write())
    await asyncio.sleep(0)
    message.free.set()
    await writing
    await eventually(lambda: message.settled)

    assert order == [[WAITING], [WAITING]]
    assert message.shown == [WAITING, ENDED]


async def test_what_is_published_while_others_fail_to_write_is_shown():
    """As an answer that Discord does not take, nor lets the bot look for, while the picture is painted."""
    message = Message()

    async def write():
        async with message.slot.writing():
            message.slot.publish(ENDED)
            raise NotWrittenError("Discord is away.")

    with pytest.raises(NotWrittenError):
        await write()
    await eventually(lambda: message.settled)

    assert message.shown == [ENDED]


async def test_a_closed_slot_finishes_what_it_writes_and_shows_nothing_more():
    message = Message()
    message.free.clear()
    message.slot.publish(painting(1))
    await eventually(lambda: message.tried)
    message.slot.publish(ENDED)
    message.slot.close()
    task = message.slot.task
    message.free.set()
    await task

    assert message.shown == [painting(1)]
    assert message.slot.task is None


async def test_one_message_of_a_channel_shows_progress_at_a_time_and_results_wait_for_none():
    """A picture behind fifty other edits of its channel, of which Discord takes one a second, came a minute later."""
    turns = Turns(window=0.0)
    messages = [Message(turns=turns) for _number in range(50)]
    for message in messages:
        message.free.clear()
        message.slot.publish(painting(1))
    await eventually(lambda: messages[0].tried)
    messages[-1].slot.publish(RENDERED)
    await eventually(lambda: messages[-1].tried)
    tried = [list(message.tried) for message in messages]
    for message in messages:  # or the end of those under way would begin others
        message.slot.close()
        message.free.set()
    await eventually(lambda: messages[0].slot.task is None and messages[-1].slot.task is None)

    assert tried == [[painting(1)], *[[]] * 48, [RENDERED]]


async def test_turns_come_in_order_with_the_newest_state_and_what_is_closed_has_none():
    turns = Turns(window=0.0)
    messages = [Message(turns=turns) for _number in range(4)]
    messages[0].free.clear()
    for message in messages:
        message.slot.publish(painting(1))
    await eventually(lambda: messages[0].tried)
    messages[1].slot.close()
    messages[2].slot.publish(painting(2))
    messages[0].free.set()
    await eventually(lambda: messages[3].shown)

    assert [message.shown for message in messages] == [[painting(1)], [], [painting(2)], [painting(1)]]


async def test_another_channel_and_a_message_behind_one_that_hangs_have_their_turns():
    limits = []

    def after(_seconds, callback):
        limits.append(callback)
        return asyncio.get_running_loop().call_later(NEVER, callback)

    turns, elsewhere = Turns(window=0.0, later=after), Message()
    hanging, other = Message(turns=turns), Message(turns=turns)
    hanging.free.clear()
    for message in (hanging, other, elsewhere):
        message.slot.publish(painting(1))
    await eventually(lambda: hanging.tried and elsewhere.shown)
    before = list(other.shown)
    limits.pop(0)()
    await eventually(lambda: other.shown)
    hanging.free.set()
    await eventually(lambda: hanging.shown)

    assert before == []


async def test_a_turn_in_which_nothing_is_to_be_shown_goes_to_the_next():
    turns = Turns(window=0.0)
    first, second = Message(turns=turns), Message(turns=turns)
    first.free.clear()
    first.slot.publish(painting(1))
    second.slot.publish(painting(1))
    async with second.slot.writing():
        first.free.set()
        await eventually(lambda: first.shown)
    await eventually(lambda: second.shown)

    assert second.shown == [painting(1)]
