"""What counts as too little space, and how large a database is."""

import pytest

from pastelbot.store.database import Database
from pastelbot.store.maintenance.disk_space import DiskSpace, database_bytes

MIB = 2**20


@pytest.mark.parametrize(
    ("free", "least", "short"),
    [
        ({"a": 600, "b": 900}, 512, False),
        ({"a": 900, "b": 511}, 512, True),
        ({"a": 512, "b": 512}, 512, False),
        ({"a": 0, "b": 0}, 0, False),
    ],
)
async def test_the_fullest_disk_decides(tmp_path, free, least, short):
    folders = [tmp_path / name for name in free]
    space = DiskSpace(folders, least=least * MIB, free_bytes=lambda folder: free[folder.name] * MIB)

    assert await space.is_short() is short


async def test_the_real_disk_is_measured_also_where_the_folder_is_not_there_yet(tmp_path):
    space = DiskSpace([tmp_path / "state" / "pictures"], least=1)

    assert space.free() > 0
    assert not await space.is_short()
    assert await DiskSpace([tmp_path], least=2**70).is_short()


async def test_a_disk_that_cannot_be_measured_stops_nothing(tmp_path):
    def broken(_folder):
        raise OSError("stale file handle")

    assert not await DiskSpace([tmp_path], least=2**70, free_bytes=broken).is_short()


async def test_a_database_is_as_large_as_its_files(tmp_path):
    path = tmp_path / "bot.sqlite3"
    database = await Database.open(path)

    assert database_bytes(path) == sum(file.stat().st_size for file in tmp_path.iterdir())
    await database.close()
    assert database_bytes(tmp_path / "none.sqlite3") == 0
