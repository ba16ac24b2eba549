"""Wildcard files and tag lists that people met, as small files in `data`."""

import os
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
    with pytest.raises(PromptError, match=r"There is no wildcard `__hiar__`.*Did you mean `__hair__`"):
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


# Names of files as people have them; only a slash cannot be in one.
NAMES = (
    *("a+b", "c++", "it's", "rock&roll", "50%", "x#y", "a;b", "a=b", "a@b", "a!b", "d.e", "$x", "~x", "naïve+", "a…c"),
    *("“q”", "😀", "_f_", "hair (red)", "a(b)", "髪(色)", "髪（色）z", "a[b]", "a{b}", "a,b", "a:b", "a|b", "a*b"),
    *("g__h", "sub+/in'n", "ｶﾅ", "Ｈａｉｒ"),
)


@pytest.mark.parametrize("name", NAMES)
def test_wildcards_have_any_signs_in_their_names(name):
    others = {each: ["wrong"] for each in NAMES}
    wildcards = Wildcards({**others, name: ["red"]})

    def painted(prompt):
        return expand(prompt, seeds=[1], wildcards=wildcards, limit=2)[0][0]

    assert painted(f"1girl, __{name}__, x") == "1girl, red, x"
    assert painted(f"(__{name}__:1.2), __{name}__") == "(red:1.2), red"
    assert painted("{" + f"__{name}__|__{name}__" + "}") == "red"
    assert painted(escape(f"1girl, __{name}__, x")) == f"1girl, __{name}__, x"


@pytest.mark.parametrize("name", ["c++", "it's", "rock&roll", "髪（色）"])
def test_a_wildcard_with_signs_that_is_not_there_is_refused(name):
    with pytest.raises(PromptError, match="There is no wildcard") as raised:
        expand(f"1girl, __{name}__", seeds=[1], wildcards=Wildcards({"hat": ["red"]}), limit=2)

    assert (f"`__{name}__`" in str(raised.value), raised.value.position) == (True, 7)


@pytest.mark.parametrize("text", [">__<, a", "^__^ b ^__^", "o__o, x__x", "__;__", "__, a __", "(__) (__)"])
def test_faces_stay_text(text):
    assert expand(text, seeds=[1], wildcards=Wildcards({"hat": ["red"]}), limit=2) == [(text,)]


@pytest.mark.parametrize("name", ["hair", "ｈａｉｒ", "HAIR", "Ｈａｉｒ"])
def test_full_width_letters_are_the_usual_ones(name):
    assert list(Wildcards({"Ｈａｉｒ": ["red"]}).lines(name, 0)) == ["red"]


@pytest.mark.parametrize("encoding", ["cp932", "euc_jp", "gb18030", "big5", "cp949"])
def test_lists_in_a_file_of_another_encoding_are_named_with_their_file(tmp_path, encoding):
    (tmp_path / "listen.yaml").write_bytes("warm:\n  - red\n文字:\n  - 文字\n".encode(encoding))
    wildcards = load_wildcards(tmp_path)

    for name in ("listen", "warm", "文字"):
        with pytest.raises(PromptError, match=r"its file listen.yaml \(line 3\) is not text .*: save it as UTF-8"):
            wildcards.lines(name, 0)


@pytest.mark.parametrize(
    ("content", "lists"),
    [
        ("a: [red]\na: [blue]\n", {"a": ["red", "blue"]}),
        ("a: red\na: blue\nb: x\n", {"a": ["red", "blue"], "b": ["x"]}),
        ("a: {b: [red]}\na: {b: [blue], c: [pink]}\n", {"a/b": ["red", "blue"], "a/c": ["pink"]}),
        ("x: &x {b: [red]}\na: {<<: *x, b: [blue]}\n", {"x/b": ["red"], "a/b": ["blue"]}),
        ("a: &a [red]\nb: *a\nb: *a\n", {"a": ["red"], "b": ["red", "red"]}),
    ],
)
def test_a_key_that_is_there_twice_has_the_lines_of_both(tmp_path, content, lists):
    (tmp_path / "file.yaml").write_text(content, encoding="utf-8")
    found = load_wildcards(tmp_path)

    assert {name: list(found.lines(name, 0)) for name in lists} == lists


def test_a_key_of_json_that_is_there_twice_has_the_lines_of_both(tmp_path):
    (tmp_path / "file.json").write_text(
        '{"a": ["red"], "a": "blue", "b": {"c": ["x"]}, "b": {"c": ["y"]}}', encoding="utf-8"
    )
    found = load_wildcards(tmp_path)

    assert {name: list(found.lines(name, 0)) for name in ("a", "b/c")} == {"a": ["red", "blue"], "b/c": ["x", "y"]}


def test_a_mapping_that_contains_itself_ends(tmp_path):
    (tmp_path / "file.yaml").write_text("a: &a\n  b: *a\n  b: *a\n  c: [red]\n", encoding="utf-8")

    assert list(load_wildcards(tmp_path).lines("a/c", 0)) == ["red"]


@pytest.mark.parametrize("name", ["file.yaml", "file.json"])
def test_a_key_that_has_lines_and_lists_is_named_with_its_file(tmp_path, name):
    (tmp_path / name).write_text('{"a": {"b": ["red"]},\n"a": ["blue"]}', encoding="utf-8")

    where = "YAML: see line 2" if name.endswith("yaml") else "JSON"
    with pytest.raises(PromptError, match=rf"its file {name} is not valid {where}\."):
        load_wildcards(tmp_path).lines("a", 0)


def test_what_is_no_file_is_named_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.txt")
    (tmp_path / "link.txt").symlink_to("nothing")

    for name in ("pipe", "link"):
        with pytest.raises(PromptError, match=rf"its file {name}\.txt cannot be opened"):
            load_wildcards(tmp_path).lines(name, 0)
