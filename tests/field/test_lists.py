"""Wildcard files and tag lists that people met, as small files in `data`."""

from pathlib import Path

import pytest

from pastelbot.errors import PromptError
from pastelbot.options.wildcards import load_wildcards
from pastelbot.prompt.tags.vocabulary import read_tag_file

DATA = Path(__file__).parent / "data"


@pytest.mark.parametrize("name", ["bom", "utf16", "colors/warm"])
def test_a_wildcard_file_is_read_without_marks_and_comments(name):
    lines = list(load_wildcards(DATA / "wildcards").lines(name, 0))

    assert lines
    assert all(line.isascii() and line.isprintable() and "#" not in line for line in lines)


def test_a_comment_behind_a_mark_is_a_comment():
    with pytest.raises(PromptError, match="is empty: its file has no lines"):
        load_wildcards(DATA / "wildcards").lines("comment", 0)


@pytest.mark.parametrize(("name", "problems"), [("60-nocount.csv", 0), ("61-joined.csv", 1)])
def test_a_tag_list_is_read(name, problems):
    file = read_tag_file((DATA / name).read_bytes(), name)

    assert ["1girl", "solo", "red_hair"] == [tag.name for tag in file.tags]
    assert problems == len(file.problems)
