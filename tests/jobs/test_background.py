import asyncio
from contextvars import ContextVar

from helpers.support import eventually
from structlog.testing import capture_logs

from pastelbot.errors import StorageFullError
from pastelbot.jobs.background import Mailbox, Periodic, finish_within, spawn

REQUEST = ContextVar("REQUEST", default="none")


async def test_items_are_handled_in_order_one_at_a_time():
    seen, busy = [], []

    async def handle(item):
        assert not busy
        busy.append(item)
        await asyncio.sleep(0)
        seen.append(busy.pop())

    mailbox = Mailbox(handle)
    for item in range(5):
        mailbox.put(item)
    while len(seen) < 5:
        await asyncio.sleep(0)

    assert seen == [0, 1, 2, 3, 4]


async def test_an_error_does_not_stop_what_is_behind_it():
    seen = []

    async def handle(item):
        seen.append(10 // item)

    with capture_logs() as logs:
        mailbox = Mailbox(handle)
        for item in (5, 0, 2):
            mailbox.put(item)
        while len(seen) < 2:
            await asyncio.sleep(0)

    assert seen == [2, 5]
    assert [entry["event"] for entry in logs] == ["background work failed"]


class Timers:
    """Timers that the test brings forward."""

    def __init__(self):
        self.pauses, self.callbacks = [], []

    def __call__(self, seconds, callback):
        self.pauses.append(seconds)
        self.callbacks.append(callback)
        return asyncio.get_running_loop().call_later(3600, callback)

    async def fire(self):
        self.callbacks[-1]()
        await eventually(lambda: asyncio.all_tasks() == {asyncio.current_task()})


class Unsteady:
    """A handler whose storage fails as long as `broken`."""

    def __init__(self):
        self.broken, self.tried, self.seen = True, [], []

    async def __call__(self, item):
        self.tried.append(item)
        if self.broken:
            raise StorageFullError("The disk is full.")
        self.seen.append(item)


async def test_an_item_whose_storage_fails_is_tried_again_before_those_behind_it():
    handle, timers = Unsteady(), Timers()
    mailbox = Mailbox(handle, later=timers)
    mailbox.put(1)
    mailbox.put(2)
    for _ in range(8):
        await eventually(lambda: asyncio.all_tasks() == {asyncio.current_task()})
        mailbox.put(3)  # starts nothing while the first one waits
        await timers.fire()
    tried = list(handle.tried)
    handle.broken = False
    await timers.fire()

    assert tried == [1] * 9
    assert handle.seen == [1, 2, *[3] * 8]
    assert timers.pauses == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]


async def test_a_closed_mailbox_tries_nothing_again():
    handle, timers = Unsteady(), Timers()
    mailbox = Mailbox(handle, later=timers)
    mailbox.put(1)
    await eventually(lambda: timers.pauses)
    await mailbox.close()

    assert handle.tried == [1]
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_finishing_tries_what_waits_once_more_without_a_pause():
    handle, timers = Unsteady(), Timers()
    mailbox = Mailbox(handle, later=timers)
    mailbox.put(1)
    mailbox.put(2)
    await eventually(lambda: timers.pauses)
    await mailbox.finish()

    assert handle.tried == [1, 1, 2]
    assert len(timers.pauses) == 1


async def test_an_idle_mailbox_has_no_task():
    """Nothing waits on a future while there is nothing to do."""

    async def handle(_item):
        pass

    mailbox = Mailbox(handle)
    mailbox.put(1)
    await eventually(lambda: len(asyncio.all_tasks()) == 1)

    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_finishing_handles_all_that_waits_and_takes_nothing_more():
    seen = []

    async def handle(item):
        await asyncio.sleep(0)
        seen.append(item)

    mailbox = Mailbox(handle)
    await mailbox.finish()
    mailbox = Mailbox(handle)
    for item in range(3):
        mailbox.put(item)
    finished = asyncio.create_task(mailbox.finish())
    await asyncio.sleep(0)
    mailbox.put(4)
    await finished

    assert seen == [0, 1, 2]


async def test_closing_finishes_the_item_in_hand_and_drops_the_rest():
    seen, gate = [], asyncio.Event()

    async def handle(item):
        await gate.wait()
        seen.append(item)

    mailbox = Mailbox(handle)
    mailbox.put(1)
    mailbox.put(2)
    await asyncio.sleep(0)
    closing = asyncio.ensure_future(mailbox.close())
    await asyncio.sleep(0)
    gate.set()
    await closing
    mailbox.put(3)
    await asyncio.sleep(0)

    assert seen == [1]


async def test_background_work_carries_nothing_of_the_request():
    REQUEST.set("a user's")
    seen = []

    async def look():
        seen.append(REQUEST.get())

    await spawn(look())

    assert seen == ["none"]


async def test_a_round_comes_again_and_again_until_closing():
    rounds = []

    async def work():
        rounds.append(1)

    periodic = Periodic(work, seconds=0.01)
    periodic.start(first=0.0)
    await eventually(lambda: len(rounds) >= 3)
    await periodic.close()
    done = len(rounds)
    await asyncio.sleep(0.03)

    assert done == len(rounds)


async def test_a_round_that_fails_does_not_end_the_rounds():
    rounds = []

    async def work():
        rounds.append(1)
        raise KeyError("a bug")

    periodic = Periodic(work, seconds=0.01)
    periodic.start(first=0.0)
    await eventually(lambda: len(rounds) >= 2)
    await periodic.close()


async def test_a_round_can_be_had_at_once():
    rounds = []

    async def work():
        rounds.append(1)

    periodic = Periodic(work, seconds=3600)
    periodic.start(first=3600)
    periodic.wake()
    await eventually(lambda: rounds)
    await periodic.close()


async def test_what_is_not_finished_in_time_is_cancelled_and_the_rest_is_done():
    done = []

    async def quick():
        done.append("quick")

    async def stuck():
        try:
            await asyncio.Event().wait()
        finally:
            done.append("cleaned up")

    async def failing():
        raise KeyError("a bug")

    await finish_within(0.01, stuck(), failing(), quick())

    assert sorted(done) == ["cleaned up", "quick"]


async def test_a_mailbox_that_is_not_closed_in_time_gives_up_the_item_in_hand():
    ended = []

    async def handle(_item):
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)  # a transaction rolls back
            ended.append(True)

    mailbox = Mailbox(handle)
    mailbox.put(1)
    await asyncio.sleep(0)
    await finish_within(0.01, mailbox.close())

    assert ended == [True]
