"""Sizes of groups by what was measured, with a clock that the test moves."""

import pytest
import torch

from pastelbot.diffusion.engine.group_sizes import GroupSizes

SHAPE = torch.Size((4, 16, 16))


class Machine:
    """A machine on which a call takes some seconds, and each row some more."""

    def __init__(self, *, call, row, wide=0.0):
        self.call, self.row, self.wide, self.now = call, row, wide, 0.0
        self.sizes = GroupSizes(16, measured=True, clock=lambda: self.now)

    def turn(self, wanted):
        """Take a turn, and return the rows of its calls."""
        rows = self.sizes.rows(SHAPE, wanted)
        with self.sizes.timed(SHAPE, rows, wanted):
            calls = -(-wanted // rows)
            self.now += calls * self.call + wanted * self.row + calls * self.wide * rows**2
        return rows


def settled(machine, wanted):
    return [machine.turn(wanted) for _ in range(20)][-1]


@pytest.mark.parametrize(
    ("machine", "rows"),
    [
        ({"call": 1.0, "row": 0.1}, 16),
        ({"call": 0.1, "row": 1.0, "wide": 0.5}, 2),
        ({"call": 4, "row": 1, "wide": 0.25}, 4),
    ],
)
def test_the_fastest_size_is_found_while_painting(machine, rows):
    assert rows == settled(Machine(**machine), 16)


def test_one_that_is_hardly_faster_is_not_worth_it():
    assert 16 == settled(Machine(call=0.0, row=1.0, wide=0.001), 16)


def test_what_has_become_slow_is_left_for_another():
    machine = Machine(call=0.0, row=1.0, wide=0.5)
    assert 2 == settled(machine, 16)
    machine.call, machine.wide = 50.0, 0.0

    assert 2 < settled(machine, 16)


@pytest.mark.parametrize("wanted", [1, 2])
def test_a_lone_picture_is_one_call_at_once(wanted):
    machine = Machine(call=0.0, row=1.0, wide=9.0)

    assert {16} == {machine.turn(wanted) for _ in range(20)}
    assert machine.now == pytest.approx(20 * (wanted + 9.0 * 256))


def test_nothing_is_tried_where_nothing_is_measured():
    sizes = GroupSizes(16)

    assert {16} == {sizes.rows(SHAPE, 16) for _ in range(20)}


def test_short_memory_bounds_what_is_tried():
    machine = Machine(call=1.0, row=0.1)
    assert machine.sizes.shorten(SHAPE, 16)

    assert {8, 4, 2} == {machine.turn(16) for _ in range(20)}
    assert 8 == machine.turn(16)


def test_one_row_that_is_too_much_cannot_be_shortened():
    sizes = GroupSizes(2)

    assert (True, False) == (sizes.shorten(SHAPE, 2), sizes.shorten(SHAPE, 2))
