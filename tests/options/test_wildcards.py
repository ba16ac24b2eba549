"""Lists of texts in files."""

import random

from pastelbot.options.wildcards import load_wildcards
from pastelbot.prompt import check
from pastelbot.prompt.expansion import expand


def test_the_shipped_lists_can_be_painted():
    shipped = load_wildcards(None)

    assert {"hair_color", "hair_style", "eye_color", "expression", "background", "portrait"} <= set(shipped.names)
    draw = random.Random(1)
    for name in shipped.names:
        for _ in range(30):
            (text,) = expand(f"__{name}__", seed=draw.randrange(2**32), wildcards=shipped, limit=1)
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
    (tmp_path / "odd.txt").write_bytes(b"\xff\xfe\nfine\n")

    assert "fine" in load_wildcards(tmp_path).lines("odd", 0)
    assert load_wildcards(tmp_path / "missing").names == load_wildcards(None).names
