"""`pastelbot web`: what cannot start says so in one sentence; accounts are added."""

import socket
import subprocess
import sys

import pytest
from helpers.support import make_settings

from pastelbot.errors import StartupError
from pastelbot.run import run_page
from pastelbot.service.page.passwords import matches
from pastelbot.store.database import Database
from pastelbot.store.web.sign_in import SignInStore


def web(tmp_path, *arguments, given="", code="from pastelbot.cli.main import main; main()"):
    config = tmp_path / "config.toml"
    if not config.exists():
        config.write_text('[checkpoint]\npath = "bundled"\n[monitoring]\nport = 0\n', encoding="utf-8")
    command = [sys.executable, "-c", code, "web", *arguments, "--config", str(config)]
    return subprocess.run(command, input=given, capture_output=True, text=True, check=False, cwd=tmp_path)


async def test_an_account_is_added_and_given_another_password(tmp_path):
    first = web(tmp_path, "adduser", "hana", given="correct horse\n")
    second = web(tmp_path, "adduser", "Hana", given="battery staple\n")

    assert "hana can sign in now." in first.stdout
    assert "has a new password" in second.stdout
    database = await Database.open(tmp_path / "state" / "pastelbot.sqlite3")
    account = await SignInStore(database).account("hana")
    await database.close()
    assert matches("battery staple", account.password)


@pytest.mark.parametrize(("name", "password", "said"), [("hana", "short", "has 5"), ("<b>", "long enough", "'<b>'")])
def test_a_bad_name_or_password_is_one_sentence(tmp_path, name, password, said):
    done = web(tmp_path, "adduser", name, given=f"{password}\n")

    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert 1 == done.stderr.count("\n")


def test_without_the_extra_it_names_the_command_that_installs_it(tmp_path):
    """None in the place of a module is a module that is not installed."""
    code = "import sys; sys.modules['gradio'] = None; from pastelbot.cli.main import main; main()"

    done = web(tmp_path, code=code)

    assert done.returncode == 2
    assert "pip install --constraint constraints-web.txt '.[web]'" in done.stderr
    assert 1 == done.stderr.count("\n")
    assert not (tmp_path / "state").exists()


def test_a_page_for_others_needs_an_account_first(tmp_path):
    pytest.importorskip("gradio", reason="the web extra is not installed")
    settings = make_settings(tmp_path, web={"host": "0.0.0.0", "port": 0})  # noqa: S104 - what is refused

    with pytest.raises(StartupError, match=r"No user could sign in to the web page on 0.0.0.0: add an account with"):
        run_page(settings, on_ready=pytest.fail)


def test_a_taken_port_ends_it_in_one_sentence(tmp_path):
    pytest.importorskip("gradio", reason="the web extra is not installed")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = web(tmp_path, "--port", str(port))

    assert done.returncode == 2
    assert f"The web page cannot be served on 127.0.0.1, port {port}: Address already in use." in done.stderr


def test_the_demo_takes_no_configuration(tmp_path):
    done = web(tmp_path, "--demo")

    assert done.returncode == 2
    assert "settings of its own" in done.stderr
