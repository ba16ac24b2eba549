"""Compiled networks on disk: what was written comes back, and whatever is wrong costs a compilation only."""

import os

import pytest

from pastelbot.diffusion.backends.blob_cache import BlobCache

KEY = ("1.0", "a processor", "abc")


@pytest.fixture
def cache(tmp_path):
    return BlobCache(tmp_path / "compiled")


def files(tmp_path):
    return sorted((tmp_path / "compiled").iterdir())


def test_what_was_written_comes_back_under_its_key_alone(cache):
    cache.write(KEY, b"compiled")

    assert (cache.has(KEY), cache.read(KEY)) == (True, b"compiled")
    assert (cache.has((*KEY, "more")), cache.read((*KEY, "more"))) == (False, None)


@pytest.mark.parametrize("damage", [b"", b"short", bytes(32) + b"compiled"])
def test_a_damaged_file_is_as_none(cache, tmp_path, damage):
    cache.write(KEY, b"compiled")
    files(tmp_path)[0].write_bytes(damage)

    assert cache.read(KEY) is None
    cache.write(KEY, b"again")
    assert cache.read(KEY) == b"again"


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path):
    (tmp_path / "compiled").write_text("a file, not a folder")
    cache = BlobCache(tmp_path / "compiled")

    cache.write(KEY, b"compiled")

    assert cache.read(KEY) is None


def test_a_file_that_could_not_be_finished_leaves_nothing(cache, tmp_path):
    cache.write(KEY, b"compiled")
    (kept,) = files(tmp_path)
    kept.unlink()
    kept.mkdir()  # nothing can be put in its place

    cache.write(KEY, b"again")

    assert files(tmp_path) == [kept]


def test_the_oldest_leave_where_all_take_too_much(tmp_path):
    cache = BlobCache(tmp_path / "compiled", max_bytes=250)
    for number in range(3):
        cache.write((str(number),), bytes(80))
        for path in files(tmp_path):  # a file system's clock may be coarse
            os.utime(path, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns - 10**9))

    assert [cache.has((str(number),)) for number in range(3)] == [False, True, True]
