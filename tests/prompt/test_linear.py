"""What people send is read in time that grows with its length, not with its square: else one text stops the bot."""

import contextlib
import gc
import time

import pytest
from helpers.option_flags import SYNTAX

from pastelbot.bot.plain_text import plain
from pastelbot.errors import PastelError
from pastelbot.infotext import read_request, with_line_breaks
from pastelbot.prompt import check
from pastelbot.prompt.expansion import escape, expand
from pastelbot.prompt.flags import escape_flags, read_flags
from pastelbot.prompt.word_list import painted_texts, read_all, wanted_of_negative

READERS = {
    "check": check,
    "expand": lambda text: expand(text, seed=1, limit=10),
    "escape": escape,
    "read_flags": lambda text: read_flags(text, SYNTAX),
    "escape_flags": escape_flags,
    "painted_texts": lambda text: painted_texts(text, steps=3),
    "wanted_of_negative": lambda text: wanted_of_negative(text, steps=3),
    "read_all": lambda text: read_all([text]),
    "read_request": read_request,
    "with_line_breaks": with_line_breaks,
    "plain": plain,
}
SHAPES = [" ", "\n", "[)", "(a", "[a:", "<lora:", "-__a", "(a) --no b ", "[a|b]", 'ab: "', " Steps: 1", "é", "\\"]
SHORT = 4000


def seconds(read, text):
    """Return the lesser of two times that a reader takes; what others do on the machine only ever adds to it."""
    times = []
    for _ in range(2):
        start = time.process_time()
        with contextlib.suppress(PastelError):
            read(text)
        times.append(time.process_time() - start)
    return min(times)


def ratio(read, shape):
    """Return how much longer a text of twice the length takes; what takes no time takes twice as long."""
    short, long = (shape * (length // len(shape)) for length in (SHORT, 2 * SHORT))
    before, after = seconds(read, short), seconds(read, long)
    return after / before if after > 0.01 else 2


@pytest.mark.parametrize("name", READERS)
def test_twice_the_length_takes_about_twice_the_time(name):
    gc.disable()
    try:
        slow = [shape for shape in SHAPES if min(ratio(READERS[name], shape) for _try in range(3)) > 2.5]
    finally:
        gc.enable()

    assert slow == []


@pytest.mark.parametrize("text", ["[a:b:" * 5000, "(a" * 5000 + ")" * 5000, "[a|" * 5000 + "]" * 5000])
def test_no_depth_is_too_deep(text):
    check(text)

    assert list(painted_texts(text, steps=3))
