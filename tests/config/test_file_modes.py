"""Files that others can read or change are named at the start, with the cure."""

import os

import pytest
import structlog
from helpers.support import make_settings
from pydantic import SecretStr

from pastelbot import config, run

pytestmark = pytest.mark.skipif(os.name != "posix", reason="files have no modes here")


@pytest.fixture
def settings_of(tmp_path):
    """Return a function that loads a configuration with a token file, both of the given modes."""

    def settings_of(*, token_mode=0o600, config_mode=0o644):
        token, file = tmp_path / "token", tmp_path / "config.toml"
        token.write_text("abc", encoding="utf-8")
        file.write_text("[discord]\ntoken_file = 'token'\n", encoding="utf-8")
        token.chmod(token_mode)
        file.chmod(config_mode)
        return config.load(file, environ={})

    return settings_of


def test_modes_that_keep_others_out_are_fine(settings_of):
    assert list(config.open_files(settings_of())) == []
    assert list(config.open_files(config.load(environ={}))) == []


@pytest.mark.parametrize(("mode", "done"), [(0o604, "read"), (0o640, "read"), (0o602, "changed"), (0o620, "changed")])
def test_a_token_file_that_is_open_to_others_is_named(settings_of, tmp_path, mode, done):
    (warning,) = config.open_files(settings_of(token_mode=mode))

    assert f"The token file {tmp_path / 'token'} can be {done} by other users of this machine" in warning
    assert f"(mode {mode:04o})" in warning
    assert warning.endswith(f"chmod 600 {tmp_path / 'token'}")


@pytest.mark.parametrize("mode", [0o646, 0o664])
def test_a_configuration_that_others_can_change_is_named(settings_of, tmp_path, mode):
    (warning,) = config.open_files(settings_of(config_mode=mode))

    assert f"The configuration file {tmp_path / 'config.toml'} can be changed" in warning
    assert warning.endswith(f"chmod go-w {tmp_path / 'config.toml'}")


async def test_the_start_warns(settings_of, tmp_path):
    token_file = settings_of(token_mode=0o644).discord
    settings = make_settings(tmp_path).model_copy(update={"token": SecretStr("abc"), "discord": token_file})
    with structlog.testing.capture_logs() as logs:
        await run.check(settings)

    warnings = [entry["event"] for entry in logs if entry["log_level"] == "warning"]
    assert ["chmod 600" in warning for warning in warnings].count(True) == 1
