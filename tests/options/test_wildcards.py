"""Lists of texts in files."""

import random

import pytest

from pastelbot.errors import PromptError
from pastelbot.options.wildcards import load_wildcards
from pastelbot.prompt import check
from pastelbot.prompt.expansion import expand


def test_the_shipped_lists_can_be_painted():
    shipped = load_wildcards(None)

    assert {"hair_color", "hair_style", "eye_color", "expression", "background", "portrait"} <= set(shipped.names)
    draw = random.Random(1)
    for name in shipped.names:
        for _ in range(30):
            ((text,),) = expand(f"__{name}__", seeds=[draw.randrange(2**32)], wildcards=shipped, limit=1)
            check(text)
            assert text
            assert "__" not in text


def test_the_operators_files_win_and_folders_are_part_of_the_name(tmp_path):
    (tmp_path / "animals" / "big").mkdir(parents=True)
    (tmp_path / "animals" / "big" / "cat.txt").write_text("# cats\n\nlion # a big one\n  tiger  \n", encoding="utf-8")
    (tmp_path / "HairColor.txt").write_text("pink hair", encoding="utf-8")
    (tmp_path / "notes.md").write_text("no list", encoding="utf-8")
    found = load_wildcards(tmp_path)

    assert ["lion", "tiger"] == list(found.lines("animals/big/cat", 0))
    assert ["pink hair"] == list(found.lines("hair_color", 0))
    assert "notes" not in found.names


def test_damaged_and_missing_files_break_nothing(tmp_path):
    (tmp_path / "odd.txt").write_bytes("赤\nfine\n".encode("cp932"))
    found = load_wildcards(tmp_path)

    with pytest.raises(
        PromptError,
        match=r"cannot be read: its file odd\.txt \(line 1\) is not text in UTF-8 or UTF-16: save it as UTF-8\.",
    ):
        found.lines("odd", 0)
    assert set(load_wildcards(None).names) <= set(found.names)
    assert load_wildcards(tmp_path / "missing").names == load_wildcards(None).names


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("name", ["colours", "色", "ü", "Цвет"])
def test_a_list_is_read_in_every_encoding_of_unicode_and_under_any_name(tmp_path, name, encoding):
    (tmp_path / f"{name}.txt").write_bytes("# all\r\nred hair\r\n赤い髪\r\n".encode(encoding))

    assert ["red hair", "赤い髪"] == list(load_wildcards(tmp_path).lines(name, 0))
    assert expand(f"__{name}__, 1girl", seeds=[1], wildcards=load_wildcards(tmp_path), limit=1) in (
        [("red hair, 1girl",)],
        [("赤い髪, 1girl",)],
    )


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("colors.yaml", "colors:\n  warm:\n    - red\n    - orange\n  cold: blue\n"),
        ("colors.yml", "colors: {warm: [red, orange], cold: [blue]}"),
        ("COLORS.YAML", "\ufeffcolors:\n  warm: [red, orange]\n  cold: [blue]\n"),
        ("colors.json", '{"colors": {"warm": ["red", "orange"], "cold": ["blue"]}}'),
        ("any.json", '{"colors/warm": ["red", "orange"], "colors/cold": "blue"}'),
    ],
)
def test_a_file_of_yaml_or_json_holds_several_lists(tmp_path, file, content):
    (tmp_path / file).write_text(content, encoding="utf-8")
    found = load_wildcards(tmp_path)

    assert ["red", "orange"] == list(found.lines("colors/warm", 0))
    assert ["blue"] == list(found.lines("colors/cold", 0))


@pytest.mark.parametrize("content", ["[red, 5, {a: b}, ~]", '["red", 5, {"a": "b"}, null]'])
def test_a_list_without_a_name_has_the_files(tmp_path, content):
    (tmp_path / "colors.yaml").write_text(content, encoding="utf-8")

    assert ["red", "5", "a: b"] == list(load_wildcards(tmp_path).lines("colors", 0))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("a: [b", "is not valid YAML"),
        ("a: !!python/object/apply:os.system [ls]", "is not valid YAML"),
        ("a: " + "[" * 5000, "is not valid YAML"),
        ("a: &a [x]\nb: &b {" + ", ".join(f"k{n}: *a" for n in range(500)) + "}\nc: {" + ", ".join(
            f"k{n}: *b" for n in range(500)) + "}", "has more than 200,000 lines"),
    ],
    ids=["open", "code", "deep", "many"],
)  # fmt: skip
def test_a_file_that_is_not_a_list_is_named_to_who_asks_for_it(tmp_path, content, reason):
    (tmp_path / "bad.yaml").write_text(content, encoding="utf-8")

    with pytest.raises(PromptError, match=rf"cannot be read: its file bad\.yaml {reason}"):
        load_wildcards(tmp_path).lines("bad", 0)
