"""Paths as people write them: one function looks at each, and says what is wrong with those that no file can have."""

import os
import socket
from pathlib import Path

import pytest
import typer

from pastelbot import config
from pastelbot.cli.main import app, main
from pastelbot.errors import CheckpointError, ConfigError, PathError, RecipeError, TagFileError
from pastelbot.formats.hub import locate
from pastelbot.formats.precheck import check_reference, is_missing
from pastelbot.paths import expanded_path, is_there, local_path
from pastelbot.service.tags.source import read_source
from pastelbot.workshop.recipes.recipe import read_recipe, single_step

PACKAGE = Path(__file__).parent.parent / "pastelbot"
BAD = {
    "a" * 300 + ".safetensors": "is too long for a file's name (312 bytes, of 255 at most)",
    "絵" * 90: "is too long for a file's name (270 bytes, of 255 at most)",
    "~no-such-user/x": "the home folder ~no-such-user is not known",
    "file/x": "file is a file, not a folder",
    "file/x/y": "file is a file, not a folder",
    "loop": "it is a link that leads back to itself",
    "loop/x": "it is a link that leads back to itself",
    "a\0b": "a\\x00b cannot be read: it has a character that no path can have",
    "/dev/zero": "/dev/zero is a device, not a file: name a file or a folder.",
    "pipe.safetensors": "pipe.safetensors is a pipe, which has no end of its own, not a file",
    "to-a-pipe.yaml": "to-a-pipe.yaml is a pipe",
    "sock": "sock is a socket, not a file",
}
bad = pytest.mark.parametrize(("written", "reason"), BAD.items(), ids=lambda text: text[:12].replace("\0", "0"))


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("x", encoding="utf-8")
    Path("loop").symlink_to("loop")
    os.mkfifo("pipe.safetensors")
    Path("to-a-pipe.yaml").symlink_to("pipe.safetensors")
    with socket.socket(socket.AF_UNIX) as opened:
        opened.bind("sock")


@bad
def test_what_no_file_can_be_is_said(written, reason):
    with pytest.raises(PathError) as raised:
        local_path(written)

    assert reason in str(raised.value)
    assert "\0" not in str(raised.value)
    assert len(str(raised.value)) < 400
    assert not is_there(written)


@bad
def test_references_of_all_kinds_are_looked_at(written, reason):
    for look in (locate, check_reference, is_missing):
        with pytest.raises(CheckpointError) as raised:
            look(written)
        assert reason in str(raised.value)
    with pytest.raises(TagFileError) as refused:
        read_source(written)
    assert reason in str(refused.value)


@bad
def test_a_recipe_names_the_key(written, reason):
    with pytest.raises(RecipeError) as raised:
        single_step("convert", {"operation": "convert", "source": written, "ema": "drop"}, Path("out.safetensors"))

    assert "key 'source': " in str(raised.value)
    assert reason in str(raised.value)


def test_a_recipe_names_the_key_of_its_output():
    Path("mix.toml").write_text(
        '[steps.mix]\noperation = "convert"\nsource = "file"\noutput = "file/x.safetensors"\n', encoding="utf-8"
    )

    with pytest.raises(RecipeError, match=r"key .output.: .* is a file, not a folder"):
        read_recipe(Path("mix.toml"))


def path_keys():
    """Yield the section and key of each path and each reference of the configuration."""
    yield from (("checkpoint", "path"), ("checkpoint", "vae"), ("checkpoints.other", "path"), ("vaes", "other"))
    for section, field in config.Settings.model_fields.items():
        for key, inner in getattr(field.annotation, "model_fields", {}).items():
            if "Path" in str(inner.annotation):
                yield section, key


@pytest.mark.parametrize(("section", "key"), list(path_keys()))
@bad
def test_the_configuration_names_the_key(section, key, written, reason):
    text = written.replace("\0", "\\u0000")
    Path("config.toml").write_text(f'[{section}]\n{key} = "{text}"\n', encoding="utf-8")

    with pytest.raises(ConfigError) as raised:
        config.load("config.toml", environ={})

    assert str(raised.value).startswith(f"{section}.{key} in config.toml: ")
    assert reason in str(raised.value)


def test_paths_of_the_configuration_may_begin_with_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    Path("config.toml").write_text('[checkpoint]\nloras = "~/loras"\nembeddings = "words"\n', encoding="utf-8")

    checkpoint = config.load("config.toml", environ={}).checkpoint

    assert checkpoint.loras == tmp_path / "home" / "loras"
    assert checkpoint.embeddings == tmp_path / "words"


def test_a_file_whose_name_begins_like_a_home_folder_is_itself():
    Path("~draft of mine").write_text("x", encoding="utf-8")

    assert local_path("~draft of mine").exists()
    assert expanded_path("~no-such-user/x") == Path("~no-such-user/x")


def test_what_is_not_there_yet_and_a_link_that_leads_nowhere_are_paths():
    Path("link").symlink_to("nothing")

    assert [local_path("new/x.png"), local_path("link")] == [Path("new/x.png"), Path("link")]


@pytest.mark.parametrize("path", ["/dev/null", "/dev/stdin", "/dev/fd/0"])
def test_what_a_shell_opens_is_a_path(path):
    assert local_path(path) == Path(path)


def test_a_file_that_may_not_be_read(monkeypatch):
    monkeypatch.setattr(os, "access", lambda _path, _mode: False)

    with pytest.raises(PathError, match=r"^file may not be read by this user"):
        local_path("file")


def test_a_folder_that_may_not_be_entered(monkeypatch, tmp_path):
    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "stat", refuse)
    monkeypatch.setattr(os, "access", lambda path, _mode: Path(path) != tmp_path)

    with pytest.raises(PathError) as raised:
        local_path(tmp_path / "x")

    assert f"this user may not enter the folder {tmp_path}." in str(raised.value)


def commands(command, *names):
    """Yield all commands with their names."""
    yield " ".join(names), command
    for name, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, *names, name)


def test_every_path_of_the_command_line_is_looked_at():
    tried = 0
    for names, command in commands(typer.main.get_command(app)):
        for parameter in command.params:
            descriptor = getattr(parameter, "type_descriptor", None)
            if descriptor is not None and "Path" in str(descriptor.annotation):
                tried += 1
                found = getattr(parameter.callback, "__name__", None)
                assert found == "_checked_path", f"{names} {parameter.name} needs callback=_checked_path"
    assert tried > 40


def test_the_command_line_names_the_parameter(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["pastelbot", "inspect", "file/x"])
    with pytest.raises(SystemExit) as ended:
        main()

    assert ended.value.code == 2
    assert capsys.readouterr().err == (
        "pastelbot: PATH: file/x cannot be there: file is a file, not a folder. Name that, or correct the path.\n"
    )


def test_home_folders_are_found_in_one_place():
    users = [path.name for path in PACKAGE.rglob("*.py") if ".expanduser()" in path.read_text(encoding="utf-8")]

    assert users == ["paths.py"]
