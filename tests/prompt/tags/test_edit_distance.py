import itertools

import pytest

from pastelbot.prompt.tags.edit_distance import allowed_errors, distance


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
