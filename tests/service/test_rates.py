"""Each user may ask so many things a minute, evenly, and what is remembered of them is bounded."""

import pytest

from pastelbot.config import LimitSettings
from pastelbot.errors import LimitError
from pastelbot.service.rates import Kind, Rates

LIMITS = LimitSettings(commands_per_minute=3, buttons_per_minute=6, completions_per_minute=60)


class Seconds:
    """A monotonic clock that the test moves."""

    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def seconds():
    return Seconds()


@pytest.fixture
def rates(seconds):
    return Rates(LIMITS, clock=seconds)


def test_a_minutes_worth_may_be_asked_at_once(rates):
    for _ in range(3):
        rates.spend(1, Kind.COMMAND)

    with pytest.raises(LimitError, match=r"takes 3 commands a minute from you: try again in 20 s\."):
        rates.spend(1, Kind.COMMAND)


def test_the_time_left_is_right(rates, seconds):
    for _ in range(3):
        rates.spend(1, Kind.COMMAND)
    seconds.now += 13
    with pytest.raises(LimitError, match="in 7 s"):
        rates.spend(1, Kind.COMMAND)
    seconds.now += 7
    rates.spend(1, Kind.COMMAND)

    with pytest.raises(LimitError, match="in 20 s"):
        rates.spend(1, Kind.COMMAND)


def test_nothing_is_saved_beyond_a_minutes_worth(rates, seconds):
    rates.spend(1, Kind.COMMAND)
    seconds.now += 3600
    for _ in range(3):
        rates.spend(1, Kind.COMMAND)

    with pytest.raises(LimitError):
        rates.spend(1, Kind.COMMAND)


def test_users_and_kinds_do_not_share(rates):
    for _ in range(3):
        rates.spend(1, Kind.COMMAND)
    rates.spend(2, Kind.COMMAND)
    for _ in range(6):
        rates.spend(1, Kind.BUTTON)

    with pytest.raises(LimitError, match="6 buttons"):
        rates.spend(1, Kind.BUTTON)


def test_an_interaction_is_new_once_and_those_of_long_ago_are_forgotten(rates):
    first = [rates.is_new(number) for number in range(20_000)]

    assert all(first)
    assert not rates.is_new(19_000)
    assert rates.is_new(1)


def test_what_is_remembered_is_bounded(seconds):
    rates = Rates(LIMITS, clock=seconds, most=100)
    for user_id in range(1000):
        rates.spend(user_id, Kind.COMMAND)

    assert len(rates) == 100
