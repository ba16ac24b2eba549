"""A configuration file of November 2026, with every key there was: it still loads, and means the same."""

import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest
from pydantic import BaseModel

from pastelbot import config

RECORD = Path(__file__).parent / "data" / "config_2026_11.toml"
TABLES = ("checkpoints", "vaes", "sizes")  # of the operator's own names: no variables of the environment


def values():
    """Return what the file says: (section, key) to value."""
    tables = tomllib.loads(RECORD.read_text(encoding="utf-8"))
    return {(section, key): value for section, keys in tables.items() for key, value in keys.items()}


VALUES = values()


@pytest.fixture
def folder(tmp_path):
    """A folder with the recorded file as its configuration, and the token beside it."""
    (tmp_path / "config.toml").write_bytes(RECORD.read_bytes())
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "token.txt").write_text("a.b.c\n", encoding="utf-8")
    return tmp_path


def plain(value):
    """Return a setting as TOML has it."""
    if isinstance(value, BaseModel):
        return {key: plain(each) for key, each in value.model_dump(exclude_none=True).items()}
    return [plain(each) for each in value] if isinstance(value, tuple) else value


def setting(settings, section, key):
    table = getattr(settings, section)
    return plain(table[key] if isinstance(table, Mapping) else getattr(table, key))


def test_every_key_is_read(folder):
    settings = config.load(folder / "config.toml", environ={})

    for (section, key), value in VALUES.items():
        found = setting(settings, section, key)
        if isinstance(found, Path):
            assert found == folder / value
        else:
            assert found == value, f"{section}.{key}"
    assert settings.token.get_secret_value() == "a.b.c"


def test_paths_are_paths_beside_the_file(folder):
    settings = config.load(folder / "config.toml", environ={})

    paths = {(section, key) for section, key in VALUES if isinstance(setting(settings, section, key), Path)}
    assert paths == {
        ("discord", "token_file"),
        ("checkpoint", "taesd"),
        ("checkpoint", "upscalers"),
        ("checkpoint", "loras"),
        ("checkpoint", "embeddings"),
        ("checkpoint", "cache_dir"),
        ("storage", "database"),
        ("storage", "pictures"),
        ("prompts", "wildcards"),
        ("house", "adult_list"),
        ("tagger", "path"),
    }


def test_files_of_checkpoints_are_found_beside_the_file(folder):
    (folder / "counterfeit.safetensors").touch()
    (folder / "soft.vae.pt").touch()
    settings = config.load(folder / "config.toml", environ={})

    assert settings.checkpoints["counterfeit"].path == str(folder / "counterfeit.safetensors")
    assert settings.checkpoints["anything"].path == "someone/anything-v3"
    assert settings.checkpoints["anything"].vae == "soft"
    assert settings.vaes == {"soft": str(folder / "soft.vae.pt"), "sharp one": "someone/sharp-vae"}


def test_every_key_has_its_variable(folder):
    """What the file says is said by the environment as well, for containers without a file."""
    (folder / "tables.toml").write_text(
        "\n".join(part for part in RECORD.read_text(encoding="utf-8").split("\n\n") if part.startswith("[sizes]")),
        encoding="utf-8",
    )
    environ = {
        f"PASTELBOT_{section}__{key}".upper(): ",".join(map(str, value)) if isinstance(value, list) else str(value)
        for (section, key), value in VALUES.items()
        if section not in TABLES
    }
    from_file = config.load(folder / "config.toml", environ={})
    from_environment = config.load(folder / "tables.toml", environ=environ)

    for section, key in VALUES:
        if section not in TABLES:
            assert setting(from_environment, section, key) == setting(from_file, section, key)
