import io
import json
import random
import zipfile

import pytest

from pastelbot.service.personal_data.exporting import Item, listed, packed, text_item, zipped


def contents(archive):
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        assert opened.testzip() is None
        return {name: opened.read(name) for name in opened.namelist()}


@pytest.mark.parametrize("seed", range(20))
def test_archives_are_never_over_the_limit_and_nothing_is_lost_or_reordered(seed):
    dice = random.Random(seed)
    limit = dice.randrange(5_000, 50_000)
    items = [
        Item(name=f"{'ü' * dice.randrange(30)}{number}.png", size=size, content=dice.randbytes(size))
        for number, size in enumerate(dice.choices(range(limit + 2000), k=60))
    ]
    archives = packed(items, limit=limit)

    assert all(len(zipped(archive)) <= limit for archive in archives)
    inside = [item for archive in archives for item in archive]
    assert inside == [item for item in items if item in inside]
    assert all(item.size + 600 > limit for item in items if item not in inside)


def test_files_come_out_as_they_went_in(tmp_path):
    (tmp_path / "a.png").write_bytes(b"picture")
    items = [
        text_item("a.txt", "ümläut 🎨 \ud800"),
        Item(name="a.png", size=7, path=tmp_path / "a.png"),
        Item(name="gone.png", size=7, path=tmp_path / "gone.png"),
    ]

    assert contents(zipped(items)) == {"a.txt": "ümläut 🎨 ?".encode(), "a.png": b"picture"}


def test_tables_are_json_and_long_ones_are_cut():
    rows = [{"id": number, "prompt": "ü" * 400_000} for number in range(7)]
    items = list(listed({"jobs": rows, "votes": []}))

    read = {item.name: json.loads(item.content) for item in items}
    assert read.pop("votes.json") == []
    assert list(read) == [f"jobs-{number}.json" for number in range(1, len(read) + 1)]
    assert rows == [row for part in read.values() for row in part]
    assert max(item.size for item in items) < 4 * 2**20
