"""`pastelbot setup`: the first run, further runs, and without a terminal."""

import os
import stat
import tomllib

import pytest
from typer.testing import CliRunner

from pastelbot import config
from pastelbot.cli.main import app
from pastelbot.cli.setup import Assistant
from pastelbot.doctor.finding import Finding, Level
from pastelbot.errors import CheckpointError, ConfigError

TOKEN = "MTIzNDU2Nzg5MDEyMzQ1Njc4.GabcDe.abcdefghijklmnopqrstuvwxyz01234567890"  # noqa: S105 - a made-up one
OTHER = "ODc2NTQzMjEwOTg3NjU0MzIx.GabcDe.abcdefghijklmnopqrstuvwxyz01234567890"
GPU = Finding(level=Level.OK, what="device", text="cuda:0 (a card)")
NO_GPU = Finding(level=Level.WARN, what="device", text="cpu: no GPU, a card picture takes about 50 minutes here")
ABSENT = Finding(level=Level.FAIL, what="device", text="The device 'cuda:9' is not available on this machine")


@pytest.fixture
def setup(tmp_path):
    """Return a function that runs the assistant with answers, on a machine with a finding; returns what it said."""

    def setup(*answers, finding=GPU, token="", token_file=None, checkpoint=None, device=None):
        waiting, said = list(answers), []

        def ask(question, *, default, hidden=False):
            assert hidden == ("token" in question)
            return waiting.pop(0) or default

        def look(settings):
            return [ABSENT if settings.checkpoint.device == "cuda:9" else finding]

        assistant = Assistant(tmp_path / "config.toml", ask=ask if answers else None, say=said.append, look=look)
        assistant.set_token(token, token_file)
        assistant.set_device(device)
        assistant.set_checkpoint(checkpoint)
        assistant.write()
        assert not waiting
        return said

    return setup


@pytest.fixture
def settings(tmp_path):
    """Return a function that loads what was written."""
    return lambda: config.load(tmp_path / "config.toml", environ={})


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_the_first_run_writes_what_a_bot_needs(setup, settings, tmp_path):
    said = setup(TOKEN, "", "bundled")

    assert settings().token.get_secret_value() == TOKEN
    assert settings().checkpoint.path == "bundled"
    assert "Application 123456789012345678. " in said[0]
    assert "client_id=123456789012345678" in said[1]
    assert not any(TOKEN in each for each in said)
    assert TOKEN not in (tmp_path / "config.toml").read_text(encoding="utf-8")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.toml", "token.txt"]


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX's")
def test_only_the_owner_can_read_the_token(setup, tmp_path):
    setup(token=TOKEN)
    (tmp_path / "token.txt").chmod(0o644)
    setup(token=OTHER)

    assert mode(tmp_path / "token.txt") == 0o600


def test_a_token_file_that_was_there_keeps_its_mode_and_nothing_else_is_said(setup, tmp_path):
    """It may be readable for the group of a service on purpose."""
    file = tmp_path / "token.txt"
    file.write_text(TOKEN)
    file.chmod(0o640)
    said = setup(token_file=file, checkpoint="bundled")

    assert mode(file) == 0o640
    assert said[-2].endswith(f"The token is in {file}, as before.")
    assert "which only you can read" in setup(token=OTHER)[-2]


def test_what_is_wrong_is_asked_again(setup, settings, tmp_path):
    (tmp_path / "lora.safetensors").write_bytes(b"x" * 100)
    said = setup("my password", TOKEN, "cuda:9", "auto", "nowhere.safetensors", "lora.safetensors", "bundled")

    assert settings().checkpoint.path == "bundled"
    for words in ("does not look like a bot's token", "is not available", "is not a file or folder", "is a text"):
        assert any(words in each for each in said), words
    assert not any("my password" in each for each in said)


def test_further_runs_keep_what_is_there(setup, settings, tmp_path):
    text = '# mine\n[limits]\nmax_steps = 30  # enough\n\n[checkpoint]\npath = "bundled"\n# device = "auto"  # or cpu\n'
    (tmp_path / "config.toml").write_text(text, encoding="utf-8")
    setup(TOKEN, "cpu", "")
    first = (tmp_path / "config.toml").read_text(encoding="utf-8")
    setup("", "", "")

    assert first == text.replace('# device = "auto"', 'device = "cpu"') + '\n[discord]\ntoken_file = "token.txt"\n'
    assert (tmp_path / "config.toml").read_text(encoding="utf-8") == first
    assert settings().token.get_secret_value() == TOKEN


WHOLE = [
    "model_index.json",
    "text_encoder/model.safetensors",
    "unet/diffusion_pytorch_model.safetensors",
    "vae/diffusion_pytorch_model.safetensors",
]


def test_a_folder_that_is_not_whole_is_refused(setup, tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "model_index.json").touch()

    with pytest.raises(CheckpointError, match="has no folder"):
        setup(token=TOKEN, checkpoint="models")


def test_a_checkpoint_beside_the_file_stays_relative(setup, tmp_path):
    for name in WHOLE:
        (tmp_path / "models" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "models" / name).touch()
    setup(token=TOKEN, checkpoint="models")
    setup("", "", "")

    written = tomllib.loads((tmp_path / "config.toml").read_text(encoding="utf-8"))
    assert written["checkpoint"]["path"] == "models"


@pytest.mark.parametrize(("finding", "path"), [(GPU, "andite/pastel-mix"), (NO_GPU, "bundled")])
def test_without_a_gpu_a_new_bot_begins_with_the_bundled_checkpoint(setup, settings, finding, path):
    said = setup(token=TOKEN, finding=finding)

    assert settings().checkpoint.path == path
    assert str(finding) in said


def test_a_token_file_of_ones_own_is_used(setup, settings, tmp_path):
    (tmp_path / "secret").write_text(f"{TOKEN}\n", encoding="utf-8")
    setup(token_file=tmp_path / "secret")

    assert settings().discord.token_file == tmp_path / "secret"
    assert settings().token.get_secret_value() == TOKEN


def test_a_token_file_that_was_lost_is_written_again(setup, settings, tmp_path):
    setup(token=TOKEN)
    (tmp_path / "token.txt").unlink()
    setup(token=OTHER)

    assert settings().token.get_secret_value() == OTHER


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({}, ConfigError),
        ({"token": "abc"}, ConfigError),
        ({"token": TOKEN, "device": "cuda:9"}, ConfigError),
        ({"token": TOKEN, "checkpoint": "./nowhere"}, CheckpointError),
    ],
)
def test_where_nothing_may_be_asked_a_mistake_is_an_error_and_nothing_is_written(setup, tmp_path, given, error):
    with pytest.raises(error):
        setup(**given)

    assert not list(tmp_path.iterdir())


def test_a_configuration_with_mistakes_is_left_to_the_operator(setup, tmp_path):
    (tmp_path / "config.toml").write_text("[limit]\n", encoding="utf-8")

    with pytest.raises(ConfigError, match="Unknown section limit"):
        setup(token=TOKEN)


def test_the_command_asks_without_showing_the_token(tmp_path, monkeypatch):
    """The device is really looked at."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PASTELBOT_TOKEN", raising=False)
    done = CliRunner().invoke(app, ["setup"], input=f"{TOKEN}\ncpu\nbundled\n")

    assert done.exit_code == 0, done.output
    assert TOKEN not in done.output
    assert "cpu (" in done.output
    assert config.load(tmp_path / "config.toml", environ={}).checkpoint.device == "cpu"


def test_the_command_asks_nothing_with_flags(tmp_path, monkeypatch):
    monkeypatch.setenv("PASTELBOT_TOKEN", TOKEN)
    path = tmp_path / "bot" / "config.toml"
    arguments = ["setup", "--yes", "--device", "cpu", "--checkpoint", "bundled", "--config", str(path)]
    done = CliRunner().invoke(app, arguments)

    assert done.exit_code == 0, done.output
    assert config.load(path, environ={}).token.get_secret_value() == TOKEN
    assert "PASTELBOT_TOKEN" not in os.environ
