"""Similar spellings: the one rule for what a wrong name was probably meant for.

The distance is Damerau-Levenshtein, abandoned where it passes a limit: insertions, deletions, replacements and swapped
neighbours each count 1 ("optimal string alignment" in Boytsov, 2011).
"""

import re
from collections.abc import Iterable

_KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")  # where slips happen
_SHORT = 5  # letters: another letter in so short a word often makes another word
_MOST_SLIPS = 4
_IN_A_SLIP = 3  # letters of a name for each slip in it
_PART, _BEGINNING = 4, 3  # letters of a name by which it can be meant
_SIGNS = re.compile(r"[^\w+]+|_")


def similar(name: str, known: Iterable[str], *, most: int = 3) -> list[str]:
    """Return the names that a wrong one was probably meant for, the nearest first; none where nothing is near.

    Near is a slip for three letters, and a part of a name, or its nearly right beginning; case and signs do not count.
    This is for names from a list. A tag may be one that is not listed: `allowed_errors` is stricter.

    >>> similar("smapler", ["sampler", "steps"]), similar("karras", ["DPM++ 2M Karras"]), similar("nonsense", ["no"])
    (['sampler'], ['DPM++ 2M Karras'], [])
    """
    typed, names = _letters(name), dict[str, str]()
    for word in known:
        names.setdefault(_letters(word), word)
    away = {word: _away(typed, letters) for letters, word in names.items()}
    near = [word for word, slips in away.items() if slips is not None]
    return sorted(near, key=lambda word: away[word] or 0)[:most]


def _letters(name: str) -> str:
    return _SIGNS.sub("", name.casefold())


def _away(typed: str, other: str) -> int | None:
    """Return how far a known name is from a typed one, None where it is not near."""
    if not typed or not other:
        return None
    limit = min(_MOST_SLIPS, max(1, len(typed) // _IN_A_SLIP))
    slips = distance(typed, other, limit)
    if slips <= limit:
        return slips
    shorter, longer = sorted((typed, other), key=len)
    if (len(shorter) >= _PART and shorter in longer) or (len(typed) >= _BEGINNING and other.startswith(typed)):
        return limit + 1
    return limit + 2 if len(typed) >= _PART and distance(typed, other, 1, beginning=True) <= 1 else None


def allowed_errors(length: int) -> int:
    """Return how many typing errors a word of this length may have."""
    if length < 4:
        return 0
    return 1 if length < 12 else 2


def is_slip(typed: str, meant: str) -> bool:
    """Return whether a short word can be another one mistyped: a wrong letter is then one beside the right one.

    >>> is_slip("sharp", "shark"), is_slip("smole", "smile"), is_slip("hiar", "hair")
    (False, True, True)
    """
    wrong = [pair for pair in zip(typed, meant, strict=False) if pair[0] != pair[1]]
    if len(typed) != len(meant) or len(typed) > _SHORT or len(wrong) != 1:
        return True
    places = [
        (row, letters.index(letter)) for letter in wrong[0] for row, letters in enumerate(_KEYS) if letter in letters
    ]
    return len(places) < len(wrong[0]) or max(abs(a - b) for a, b in zip(*places, strict=True)) <= 1


def distance(typed: str, other: str, limit: int, *, beginning: bool = False) -> int:
    """Return the distance, or `limit + 1` where it is larger; with `beginning`, that to the best beginning of `other`.

    >>> distance("hiar", "hair", limit=2), distance("re hiar", "red hair clip", limit=2, beginning=True)
    (1, 2)
    """
    same = _same_beginning(typed, other)
    typed, other = typed[same:], other[same:]
    if beginning:
        other = other[: len(typed) + limit]
    else:
        same = _same_beginning(typed[::-1], other[::-1])
        typed, other = typed[: len(typed) - same], other[: len(other) - same]
    longer = len(other) - len(typed)
    if -longer > limit or (longer > limit and not beginning):
        return limit + 1
    above: list[int] = []
    row = list(range(len(other) + 1))
    for number in range(1, len(typed) + 1):
        above, row = row, _next_row(typed, number, other, row, above)
        if min(row) > limit:
            return limit + 1
    return min(limit + 1, min(row) if beginning else row[-1])


def _next_row(typed: str, number: int, other: str, above: list[int], two_above: list[int]) -> list[int]:
    """Return the distances of the first `number` letters of `typed` to every beginning of `other`."""
    letter, previous = typed[number - 1], typed[number - 2] if number > 1 else ""
    row, left, last = [number], number, ""
    for column, against in enumerate(other, start=1):
        if letter == against:
            left = above[column - 1]
        else:
            left = 1 + min(left, above[column], above[column - 1])
            if against == previous and last == letter:
                left = min(left, two_above[column - 2] + 1)
        last = against
        row.append(left)
    return row


def _same_beginning(typed: str, other: str) -> int:
    """Return how many letters two texts begin with alike."""
    length = 0
    for one, another in zip(typed, other, strict=False):
        if one != another:
            break
        length += 1
    return length
