import gzip
import json
import re
from importlib.resources import files
from pathlib import Path

import pytest
from helpers.support import png

from pastelbot.config import Settings
from pastelbot.errors import TagFileError
from pastelbot.prompt.tags.names import tag_key, tags_in
from pastelbot.prompt.tags.vocabulary import CATEGORIES, Tag, combine, read_tag_file, spellings

ROOT = Path(__file__).parents[3]
GOOD = 'long_hair,0,4350743,"/lh,longhair"\n'


@pytest.mark.parametrize(
    "content",
    [
        GOOD.encode(),
        b"\xef\xbb\xbf" + GOOD.encode(),
        GOOD.replace("\n", "\r\n").encode(),
        GOOD.encode("utf-16"),
        ("name,category,count,aliases\n\n" + GOOD).encode(),
        GOOD.rstrip().encode(),
    ],
)
def test_a_tag_completion_file_is_read(content):
    file = read_tag_file(content, "tags.csv")

    assert (Tag(name="long_hair", category=0, count=4350743, aliases=("/lh", "longhair")),) == file.tags
    assert file.problems == ()


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("only_a_name", "it has 1 fields"),
        ("a,0,1,b,c", "it has 5 fields"),
        (",0,1,", "the name is empty"),
        ("a,x,1,", "the category 'x' is not a whole number"),
        ("a,99,1,", "the category '99'"),
        ("a,0,-1,", "the count '-1'"),
        ("a,0,1e9,", "the count '1e9'"),
        ("a,0," + "9" * 5000 + ",", "the count"),
        ('a,0,1,"b', "its quotes are wrong"),
        ('"a,b",0,1,', "has a comma or a control character"),
        ("a\x07,0,1,", "has a comma or a control character"),
        ("a" * 201 + ",0,1,", "the name has 201 characters"),
        ("a,0,1," + "b" * 20_000, "more than 20,000"),
    ],
)
def test_bad_lines_are_reported_with_their_numbers(line, problem):
    good = "".join(f"tag_{number},0,{number},\n" for number in range(20))
    file = read_tag_file(f"{good}{line}\ntag_20,0,1,\n".encode(), "tags.csv")

    assert len(file.tags) == 21
    (said,) = file.problems
    assert said.startswith("Line 21: ")
    assert problem in said


@pytest.mark.parametrize(
    ("content", "tags"),
    [
        ("1girl,0,,\nsolo,0,,alone\n", [("1girl", 0, 0, ()), ("solo", 0, 0, ("alone",))]),
        ("1girl,0\nsolo,5\n", [("1girl", 0, 0, ()), ("solo", 5, 0, ())]),
        ("1girl,,7\n", [("1girl", 0, 7, ())]),
        ("tag,category,count\n1girl,0,7\n", [("1girl", 0, 7, ())]),
        ("id,name,category,post_count\n12,wolf,5,7\n13,1girl,0,\n", [("wolf", 5, 7, ()), ("1girl", 0, 0, ())]),
        ("id,tag,count,aliases\n12,wolf,7,dog\n", [("wolf", 0, 7, ("dog",))]),
        ("wolf,8,7,\ncat,7,6,\n", [("wolf", 8, 7, ()), ("cat", 7, 6, ())]),
    ],
)
def test_lists_with_other_columns_are_read(content, tags):
    file = read_tag_file(content.encode(), "tags.csv")

    assert tags == [(tag.name, tag.category, tag.count, tag.aliases) for tag in file.tags]
    assert () == file.problems


def test_a_tag_that_comes_twice_is_taken_once_and_said_once():
    lines = "".join(f"tag_{number},0,{number},\n" for number in range(20))
    file = read_tag_file((lines + lines).encode(), "tags.csv")

    assert 20 == len(file.tags)
    assert ("20 lines repeat a tag: the first line of each counts.",) == file.problems


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (png(), "is a PNG picture"),
        (b"\xff\xd8\xff\xe0JFIF", "is a JPEG picture"),
        (gzip.compress(GOOD.encode(), mtime=0), "is a gzip archive"),
        (b"<!DOCTYPE html><html>", "is a web page"),
        (b"\n <html lang=en>", "is a web page"),
        (json.dumps([1]).encode(), "is JSON"),
        (b"[true]", "is JSON"),
        (b"[checkpoint]\npath = 1\n", "is TOML"),
        (b"long_hair,0,1,\nl\xe4nge,0,1,\n", "is not UTF-8 text: see line 2"),
        (b"a,0,1,\nb\0,0,1,\n", "line 2 has a zero byte"),
        (b"once upon a time\nthere was a girl\n", "2 of 2 lines cannot be read. Line 1: it has 1 fields"),
        (b"name,category,count,aliases\n", "is a header without tags"),
    ],
)
def test_what_is_no_list_of_tags_is_refused(content, words):
    with pytest.raises(TagFileError, match=re.escape(words)) as raised:
        read_tag_file(content, "somewhere/tags.csv")

    assert str(raised.value).startswith("somewhere/tags.csv is ")


def test_later_vocabularies_lie_on_top_and_aliases_are_joined():
    under = [Tag(name="a", count=1, aliases=("x",)), Tag(name="b")]
    combined = combine([under, [Tag(name="a", count=9, category=4, aliases=("y", "x"))]])

    assert list(combined.values()) == [Tag(name="a", count=9, category=4, aliases=("y", "x")), Tag(name="b")]


def test_a_tag_is_found_by_its_name_and_every_other_spelling_once():
    tag = Tag(name="long_hair", aliases=("long hair", "Longhair", "longhair", "/lh"))

    assert ["long hair", "longhair", "/lh"] == list(spellings(tag))


@pytest.fixture(scope="module")
def shipped():
    file = read_tag_file(files("pastelbot").joinpath("data", "tags.csv").read_bytes(), "tags.csv")
    assert file.problems == ()
    return file.tags


def test_the_shipped_vocabulary_is_small_and_sound(shipped):
    assert 500 <= len(shipped) <= 1500
    assert {tag.category for tag in shipped} <= set(CATEGORIES)
    assert all(tag.count > 0 for tag in shipped)


def test_no_alias_of_the_shipped_vocabulary_has_two_meanings(shipped):
    meanings = {}
    for tag in shipped:
        for key in spellings(tag):
            assert meanings.setdefault(key, tag.name) == tag.name


def test_the_shipped_vocabulary_has_all_that_the_bundled_checkpoint_understands(shipped):
    known = {key for tag in shipped for key in spellings(tag)}
    table = (
        (ROOT / "docs" / "bundled-checkpoint.md").read_text(encoding="utf-8").split("|---|---|\n")[1].split("\n\n")[0]
    )

    for row in table.splitlines():
        for part in row.split(";"):
            *quoted, last = [] if "`" not in part else re.findall("`([^`]+)`", part)
            tags = [f"{word} {last}" for word in quoted] if f"+ `{last}`" in part else [*quoted, last]
            assert {tag_key(tag) for tag in tags} <= known


def test_the_shipped_vocabulary_has_the_tags_of_the_card(shipped):
    known = {key for tag in shipped for key in spellings(tag)}
    card = (
        "masterpiece, best quality, upper body, 1girl, looking at viewer, red hair, medium hair, purple eyes, "
        "demon horns, black coat, indoors, dimly lit, ultra-detailed, illustration, portrait, hakurei reimu, "
        "throne room, witch hat, close-up, straight on, yellow eyes, red roses, chains, face focus, golden eyes, "
        "halo, angel wings, "
        "serene expression, dragons, chaos, purple beam, hatsune_miku, mksks style"
    )

    assert [] == [tag for tag in tags_in(f"{card}, {Settings().defaults.negative_prompt}") if tag_key(tag) not in known]
