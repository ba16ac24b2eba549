"""Wildcard files and tag lists that people met, as small files in `data`."""

from pathlib import Path

import pytest

from pastelbot.errors import PromptError, TagFileError
from pastelbot.options.wildcards import load_wildcards
from pastelbot.prompt.expansion import escape, expand
from pastelbot.prompt.tags.vocabulary import read_tag_file
from pastelbot.prompt.wildcard_lists import Wildcards

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


WILDCARDS = {
    "with blank.txt": ("__with blank__", b"red\n", "red"),
    "sub/colour.txt": ("__sub\\colour__", b"red\n", "red"),
    "words.yaml": ("__words__", b"- no\n", "no"),
    "dates.yaml": ("__dates__", b"- 2020-01-01\n", "2020-01-01"),
    "colons.yaml": ("__colons__", b"- red: hair\n", "red: hair"),
}


@pytest.mark.parametrize("name", WILDCARDS)
def test_every_line_of_a_wildcard_is_painted_as_it_is_written(name, tmp_path):
    prompt, content, expected = WILDCARDS[name]
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)

    assert [(expected,)] == expand(prompt, seeds=[1], wildcards=load_wildcards(tmp_path), limit=2)


@pytest.mark.parametrize(
    ("prompt", "painted"),
    [
        ("{2$${a|a}|{b|b}}", {"a, b", "b, a"}),
        ("{ 2 $$ a | b }", {"a, b", "b, a"}),
        ("a __ b __ c", {"a __ b __ c"}),
        ("{@_@|@_@}", {"@_@"}),
        ("(@__@)", {"(@__@)"}),
        ("{{1girl}}, {{ a b }}", {"{{1girl}}, {{ a b }}"}),
        ("o__o x__x, a__b__c", {"o__o x__x, a__b__c"}),
    ],
)
def test_dynamic_prompts_are_understood(prompt, painted):
    assert expand(prompt, seeds=[1], limit=2)[0][0] in painted


@pytest.mark.parametrize(
    "prompt",
    [
        *(
            "{~a|b}",
            "{@a|b}",
            "{!a|b}",
            "__!a__",
            "{-1::a|b}",
            "{a|-2::b}",
            "{r$$a|b}",
            "<[dress]>",
            "a ${x}",
            "${ x }",
        ),
        *("{% for a in b %}", "{%- if a %}", "{{ colour }}", "{{ colour|upper }}", "{{choice('a', 'b')}}", "{# why #}"),
        *("__~*__", "__@a*__", "x__~a__", "__${a}__", "__{a|b}__", "{$$a|b}", "{1000$$a|b}", "{1.5$$a|b}"),
    ],
)
def test_what_is_not_understood_is_said(prompt):
    with pytest.raises(PromptError, match="is not supported: there are no templates"):
        expand(prompt, seeds=[1], limit=2)


HAIR = Wildcards({"hair": ["red"], "clothes/hat": ["cap"]})


@pytest.mark.parametrize(
    ("prompt", "painted"),
    [
        ("__hair__s", "reds"),
        ("x__hair__", "xred"),
        ("a__hair__b", "aredb"),
        ("__ hair __", "red"),
        ("__hair__ed, __hair__ing", "reded, reding"),
        ("__hair__s and __clothes/hat__", "reds and cap"),
        ("(x__ hair __:1.2)", "(xred:1.2)"),
        ("____hair____, ___hair___", "red, red"),
    ],
)
def test_a_wildcard_against_words_or_with_blanks_is_one(prompt, painted):
    assert [(painted,)] == expand(prompt, seeds=[1], wildcards=HAIR, limit=1)
    assert [(prompt,)] == expand(escape(prompt), seeds=[1], wildcards=HAIR, limit=1)


@pytest.mark.parametrize("prompt", ["x__hiar__", "__hiar__s", "__ hiar __"])
def test_a_mistyped_one_is_said(prompt):
    with pytest.raises(PromptError, match=r"There is no wildcard `__hiar__`.*Did you mean hair"):
        expand(prompt, seeds=[1], wildcards=HAIR, limit=1)


@pytest.mark.parametrize("name", ["हिन्दी", "สี่", "தமிழ்", "cafe\u0301", "ソード・アート", "نمی\u200cخواهم", "sub/दो रंग"])
def test_a_wildcard_is_named_in_any_script(name):
    lists = Wildcards({name: ["red"]})

    for prompt in (f"__{name}__", f"x __ {name} __"):
        assert expand(prompt, seeds=[1], wildcards=lists, limit=1)[0][0].endswith("red")
        assert [(prompt,)] == expand(escape(prompt), seeds=[1], wildcards=lists, limit=1)


@pytest.mark.parametrize(
    "content",
    [b"\xef\xbb\xbfred\n\xef\xbb\xbfred\n", b"red\r\n\x1a", "\ufeff\ufeffred".encode("utf-16-be")],
)
def test_marks_of_joined_files_and_signs_of_dos_are_not_painted(content, tmp_path):
    (tmp_path / "a.txt").write_bytes(content)

    assert {"red"} == set(load_wildcards(tmp_path).lines("a", 0))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 12\n", "a pointer of Git LFS"),
        (b"\n<!DOCTYPE html>\n<html>", "a web page"),
        (b"PK\x03\x04\x14\0\0\0", "an archive"),
        (b"\x1f\x8b\x08\0\0\0", "an archive"),
        (b"\x89PNG\r\n", "a picture"),
    ],
)
def test_a_file_of_another_kind_is_named_and_not_painted(content, words, tmp_path):
    (tmp_path / "a.txt").write_bytes(content)

    with pytest.raises(PromptError, match=f"its file a.txt is {words}"):
        load_wildcards(tmp_path).lines("a", 0)


BROKEN = {
    "clothes.yaml": "clothes:\n  warm:\n    - coat\n    - [wool\n  cold: [silk]\n",
    "all.yml": "clothes: {warm: [coat}",
    "all.JSON": '{\n  "clothes": {\n    "warm": ["coat",,],\n    "cold": ["silk"]\n  }\n}',
    "more.yaml": "clothes:\n\twarm:\n\t- coat\n",
}


@pytest.mark.parametrize("asked", ["clothes/warm", "clothes/cold", "clothes"])
@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_named_under_each_list_that_it_should_have(name, asked, tmp_path):
    (tmp_path / name).write_text(BROKEN[name], encoding="utf-8")

    with pytest.raises(PromptError, match=rf"cannot be read: its file {name} is not valid \w+: see line \d"):
        load_wildcards(tmp_path).lines(asked, 0)
    with pytest.raises(PromptError, match="There is no wildcard"):
        load_wildcards(tmp_path).lines("hats", 0)


LISTS = {
    "UTF-16 without a mark": "1girl,0,100,\nsolo,0,5,\n".encode("utf-16-le"),
    "UTF-32": "1girl,0,100,\nsolo,0,5,\n".encode("utf-32"),
    "counts of pandas": b"1girl,0,100.0,\nsolo,0,5.0,\n",
    "two joined with headers": b"name,category,count\n1girl,0,100\ntag,category,count,aliases\nsolo,0,5,\n",
    "two joined with marks": "\ufeff1girl,0,100,\n\ufeffsolo,0,5,\n".encode(),
    "of a spreadsheet": b"sep=,\r\n1girl,0,100,\r\nsolo,0,5,\r\n\x1a",
}


@pytest.mark.parametrize("name", LISTS)
def test_more_tag_lists_are_read(name):
    assert [("1girl", 100), ("solo", 5)] == [(tag.name, tag.count) for tag in read_tag_file(LISTS[name], name).tags]


def test_aliases_may_be_a_list_of_python():
    tags = read_tag_file(b"1girl,0,5,\"['girl', 'sole female']\"\nsolo,0,5,[]\n:],0,4,[:\n", "a.csv").tags

    assert [("girl", "sole female"), (), ("[:",)] == [tag.aliases for tag in tags]


def test_a_tag_with_the_name_of_a_title_is_a_tag():
    assert ["solo", "tag", "name"] == [tag.name for tag in read_tag_file(b"solo,0,5\ntag,0,4\nname,0,3\n", "a").tags]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 12\n", "is a pointer of Git LFS"),
        (b"name,category,count,aliases\n", "is a header without tags"),
        (b"1girl\nsolo\n", "Line 1: it has 1 fields"),
        (b"1girl,general,5,\n", "the category 'general' is not a whole number"),
        (b"1girl,0,5k,\n", "the count '5k' is not a whole number"),
        (b'1girl,0,5,"a\nsolo,0,5,\n', "Line 1: its quotes are wrong"),
    ],
)
def test_other_tag_lists_are_refused_with_the_place(content, words):
    with pytest.raises(TagFileError, match=words):
        read_tag_file(content, "a.csv")
