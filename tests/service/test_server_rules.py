import pytest

from pastelbot.config import LimitSettings
from pastelbot.service.server_rules import Caps, answers_in, combined

LIMITS = LimitSettings()
THREAD, CHANNEL, CATEGORY = 3, 2, 1
PLACES = (THREAD, CHANNEL, CATEGORY)


@pytest.mark.parametrize(
    ("channels", "answers"),
    [
        (None, True),
        ({}, True),
        ({"9": "deny"}, True),
        ({"9": "allow"}, False),
        ({"1": "allow"}, True),
        ({"1": "deny"}, False),
        ({"2": "allow", "1": "deny"}, True),
        ({"2": "deny", "1": "allow"}, False),
        ({"3": "allow", "2": "deny", "1": "deny"}, True),
        ({"3": "deny", "2": "allow"}, False),
        ({"9": "allow", "2": "deny"}, False),
    ],
)
def test_the_nearest_place_that_something_was_said_about_decides(channels, answers):
    assert answers_in(channels, PLACES) is answers


@pytest.mark.parametrize(
    ("server", "roles", "places", "steps"),
    [
        (None, [], [], 60),
        (20, [], [], 20),
        (20, [40], [], 40),  # a role loosens the server's cap
        (40, [20], [], 20),  # or tightens it
        (None, [20], [], 20),
        (20, [30, 50], [], 50),  # the most generous role counts
        (20, [None, 30], [], 30),
        (20, [50], [30], 30),  # the channel's cap holds for all users
        (None, [], [30, 25], 25),  # of channel and category the tighter one
        (20, [1000], [], 60),  # nothing is above the operator's limit
        (1000, [], [], 60),
    ],
)
def test_the_tightest_cap_holds_and_a_roles_stands_in_for_the_servers(server, roles, places, steps):
    limits = combined(
        Caps(steps=server), [Caps(steps=cap) for cap in roles], [Caps(steps=cap) for cap in places], LIMITS
    )

    assert limits.max_steps == steps
    assert limits.max_count == LIMITS.max_count


def test_caps_are_distinguished():
    limits = combined(Caps(size=512, hires=0), [Caps(count=2)], [Caps(steps=10)], LIMITS)

    assert (limits.max_side, limits.max_hires_side, limits.max_count, limits.max_steps) == (512, 0, 2, 10)
    assert limits.max_prompt == LIMITS.max_prompt


def test_caps_are_read_from_settings_as_they_were_written():
    caps = Caps(size=512, hires=0)

    assert Caps.of({name: value for name, value in caps.changes().items() if value is not None}) == caps
    assert Caps.of({"cap_steps": "many", "cap_count": True, "cap_size": None}) == Caps()
