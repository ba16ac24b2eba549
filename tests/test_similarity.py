import itertools

import pytest

from pastelbot.similarity import allowed_errors, distance, similar


def reference(typed, other):
    """Return the last row of the textbook's table."""
    table = {(-1, column): column + 1 for column in range(-1, len(other))}
    for row, letter in enumerate(typed):
        table[row, -1] = row + 1
        for column, against in enumerate(other):
            best = min(table[row - 1, column] + 1, table[row, column - 1] + 1)
            best = min(best, table[row - 1, column - 1] + (letter != against))
            if row and column and (letter, typed[row - 1]) == (other[column - 1], against):
                best = min(best, table[row - 2, column - 2] + 1)
            table[row, column] = best
    return [table[len(typed) - 1, column] for column in range(-1, len(other))]


@pytest.mark.parametrize("limit", [1, 2])
def test_it_is_the_textbooks_distance_up_to_the_limit(limit):
    texts = ["".join(letters) for length in range(5) for letters in itertools.product("ab", repeat=length)]
    for typed, other in itertools.product(texts, repeat=2):
        row = reference(typed, other)
        assert min(limit + 1, row[-1]) == distance(typed, other, limit)
        assert min(limit + 1, *row) == distance(typed, other, limit, beginning=True)


def test_one_slip_is_one():
    assert [1, 1, 1, 1] == [
        distance("red hair", other, 2) for other in ("red hiar", "redhair", "red haair", "ted hair")
    ]


def test_short_words_are_not_guessed_at():
    assert [0, 1, 1, 2] == [allowed_errors(length) for length in (3, 4, 11, 12)]


COMMANDS = ["about", "gallery", "help", "imagine", "model use", "prompt save", "prompts", "settings set", "tags"]
FLAGS = ["--negative", "--no", "--ar", "--size", "--seed", "--sampler", "--hires", "--nohires"]


@pytest.mark.parametrize(
    ("typed", "known", "near"),
    [
        ("imgaine", COMMANDS, ["imagine"]),
        ("image", COMMANDS, ["imagine"]),
        ("setting", COMMANDS, ["settings set"]),
        ("Galery", COMMANDS, ["gallery"]),
        ("--smapler", FLAGS, ["--sampler"]),
        ("--neg", FLAGS, ["--negative"]),
        ("--hi-res", FLAGS, ["--hires", "--nohires"]),
        ("karras", ["Euler a", "DPM++ 2M Karras"], ["DPM++ 2M Karras"]),
        ("dpmpp 2m", ["Euler a", "DPM++ 2M"], ["DPM++ 2M"]),
        ("描", ["描く", "再現"], ["描く"]),
    ],
)
def test_what_was_probably_meant_is_near(typed, known, near):
    assert near == similar(typed, known)


@pytest.mark.parametrize(
    ("typed", "known"),
    [("nonsense", COMMANDS), ("foo", COMMANDS), ("--foo", FLAGS), ("--landscape", FLAGS), ("", FLAGS), ("--", FLAGS)],
)
def test_what_resembles_nothing_is_near_nothing(typed, known):
    assert [] == similar(typed, known)


def test_the_nearest_come_first_and_each_once():
    assert ["SAMPLER", "samplers"] == similar("sampelr", ["samplers", "SAMPLER", "sampler", "steps"])
    assert ["steps"] == similar("step", ["stops", "steps"], most=1)


def test_a_library_of_names_is_searched_in_a_moment():
    names = [f"style_{number:04}_{number % 7}" for number in range(5000)]
    assert [] == similar("something else entirely", names)
