"""Alerts are sent once, seldom, and not doubled by restarts."""

import pytest

from pastelbot.errors import StorageFullError
from pastelbot.service.monitoring.alerts import Alert, AlertKind, Alerts

HOUR = 3600


class Notes(dict):
    """What outlives a restart; a full disk takes nothing."""

    full = False

    async def get(self, name):
        return super().get(name)

    async def set(self, name, value):
        if self.full:
            raise StorageFullError("The disk is full.")
        self[name] = value


class Channel:
    """Remembers what it was sent, and takes it or not."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.sent = []

    async def send(self, alert, nonce):
        self.sent.append((alert.kind, nonce))
        return self.answers.pop(0) if self.answers else True


@pytest.fixture
def notes():
    return Notes()


@pytest.fixture
def make(notes, clock):
    def make(channel):
        alerts = Alerts(notes, clock=clock, quiet_seconds=HOUR)
        alerts.send = channel.send
        return alerts

    return make


def alert(kind=AlertKind.DISK):
    return Alert(kind=kind, title="The disk is full", text="Make room.")


async def test_a_kind_is_quiet_after_an_alert_and_others_are_not(make, clock):
    channel = Channel()
    alerts = make(channel)
    taken = [await alerts.offer(alert()), await alerts.offer(alert()), await alerts.offer(alert(AlertKind.WORKER))]
    clock.advance(seconds=HOUR - 1)
    taken.append(await alerts.offer(alert()))
    clock.advance(seconds=1)
    taken.append(await alerts.offer(alert()))

    assert taken == [True, False, True, False, True]
    assert [kind for kind, _nonce in channel.sent] == ["disk", "worker", "disk"]


async def test_the_databases_size_is_named_once_a_day(make, clock):
    alerts = make(Channel())
    sent = 0
    for _ in range(48):
        sent += await alerts.offer(alert(AlertKind.SIZE))
        clock.advance(seconds=HOUR)

    assert sent == 2


async def test_a_restart_doubles_nothing(make):
    await make(Channel()).offer(alert())

    assert not await make(Channel()).offer(alert())


async def test_a_kill_while_it_is_sent_doubles_nothing(make):
    class KilledError(Exception):
        """Stands for the end of the process."""

    async def killed(_alert, _nonce):
        raise KilledError

    alerts = make(Channel())
    alerts.send = killed
    with pytest.raises(KilledError):
        await alerts.offer(alert())

    assert not await make(Channel()).offer(alert())


async def test_what_discord_did_not_take_is_sent_again_with_the_same_nonce_three_times_at_most(make, clock):
    channel = Channel(False, False, False)
    alerts = make(channel)
    for _ in range(6):
        assert not await alerts.offer(alert())
        clock.advance(seconds=30)
    assert len(channel.sent) == 3
    assert len({nonce for _kind, nonce in channel.sent}) == 1
    assert all(len(nonce) <= 25 for _kind, nonce in channel.sent)  # Discord takes no longer ones
    clock.advance(seconds=HOUR)
    assert await alerts.offer(alert())

    assert len({nonce for _kind, nonce in channel.sent}) == 2


async def test_a_full_disk_is_told_although_nothing_can_be_noted(make, notes):
    notes.full = True
    alerts = make(Channel())

    assert [await alerts.offer(alert()) for _ in range(3)] == [True, False, False]


async def test_a_wall_clock_that_was_set_back_silences_nothing(make, clock):
    alerts = make(Channel())
    await alerts.offer(alert())
    clock.jump(days=-400)

    assert await alerts.offer(alert())


async def test_without_a_channel_nothing_is_noted(notes, clock):
    assert not await Alerts(notes, clock=clock, quiet_seconds=HOUR).offer(alert())
    assert notes == {}
