"""Durations as users type them: 30m, 12h, 7d, 2w, 1d 12h."""

import re
from datetime import timedelta

from pastelbot.errors import RequestError

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_PART = re.compile(r"(\d{1,6})\s*(m|h|d|w)(?:in(?:ute)?s?|(?:ou)?rs?|ays?|eeks?)?(?![a-z])\s*,?\s*", re.ASCII)
_LONGEST = timedelta(days=3660)


def read_duration(text: str) -> timedelta:
    """Parse a duration; raises RequestError where it is invalid, zero or over ten years."""
    word, end, span = text.strip().lower(), 0, timedelta()
    while span <= _LONGEST and (match := _PART.match(word, end)):
        end = match.end()
        span += timedelta(**{_UNITS[match[2]]: int(match[1])})
    if not word or end != len(word) or not timedelta() < span <= _LONGEST:
        raise RequestError(f"{text[:40]!r} is not a valid duration: write for example 30m, 12h, 7d, 2w or 1d 12h.")
    return span
