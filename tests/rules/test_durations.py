from datetime import timedelta

import pytest

from pastelbot.errors import RequestError
from pastelbot.rules.timing.durations import read_duration


@pytest.mark.parametrize(
    ("text", "hours"),
    [("30m", 0.5), ("12h", 12), (" 7D ", 168), ("2w", 336), ("1d12h", 36), ("1 day, 2 hrs", 26), ("90 minutes", 1.5)],
)
def test_spans_are_read_as_people_type_them(text, hours):
    assert timedelta(hours=hours) == read_duration(text)


@pytest.mark.parametrize(
    "text", ["", "0m", "5", "h", "-3d", "1x", "1d foo", "999999w", "٣d", "1.5h", "d" * 5000, "999999w" * 500]
)
def test_anything_else_is_refused(text):
    with pytest.raises(RequestError, match="is not a valid duration"):
        read_duration(text)
