"""pastelbot db, from the command line."""

import pytest
from typer.testing import CliRunner

from pastelbot.cli.main import app
from pastelbot.errors import DatabaseError
from pastelbot.store.database import Database


@pytest.fixture
async def config(tmp_path):
    file = tmp_path / "config.toml"
    file.write_text('[storage]\ndatabase = "state/bot.sqlite3"\npictures = "state/pictures"\n', encoding="utf-8")
    await (await Database.open(tmp_path / "state/bot.sqlite3")).close()
    return file


def invoke(config, *words):
    result = CliRunner().invoke(app, ["db", *map(str, words), "--config", str(config)])
    if isinstance(result.exception, DatabaseError):
        raise result.exception
    return result.output


def test_check_backup_and_restore(config, tmp_path):
    assert "are sound" in invoke(config, "check")
    assert "0 picture files" in invoke(config, "backup", tmp_path / "copy")
    (tmp_path / "state/bot.sqlite3").write_bytes(b"\xff" * 9000)
    with pytest.raises(DatabaseError, match="1 problems"):
        invoke(config, "check")
    assert "which can be restored in the same way" in invoke(config, "restore", tmp_path / "copy")
    assert "are sound" in invoke(config, "check")


def test_a_backup_without_a_name_is_beside_the_database(config, tmp_path):
    invoke(config, "backup")

    assert len(list((tmp_path / "state").glob("backup-*"))) == 1


def test_what_is_no_backup_is_refused(config, tmp_path):
    with pytest.raises(DatabaseError, match="There is no database"):
        invoke(config, "restore", tmp_path)
