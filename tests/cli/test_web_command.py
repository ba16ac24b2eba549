"""`pastelbot web`: what cannot start says so in one sentence; accounts are added."""

import socket
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from helpers.support import make_settings

from pastelbot.errors import StartupError, install_command
from pastelbot.records import ON_PAGE, GenerationRequest, ReplyTarget
from pastelbot.run import run_page
from pastelbot.service.page.passwords import matches
from pastelbot.service.page.sign_in import SignIn
from pastelbot.store.database import Database
from pastelbot.store.jobs.store import JobStore
from pastelbot.store.maintenance.exclusive_use import exclusive_use
from pastelbot.store.web.sign_in import SignInStore

ON_THE_PAGE = ReplyTarget(channel_id=ON_PAGE, guild_id=ON_PAGE)


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


async def test_accounts_are_listed_and_removed_with_or_without_their_data(tmp_path):
    assert "There is no account" in web(tmp_path, "users").stdout
    settings = make_settings(tmp_path, storage={"database": tmp_path / "state" / "pastelbot.sqlite3"})
    database = await Database.open(settings.storage.database)
    sign_in = SignIn(settings, SignInStore(database), clock=lambda: datetime.now(UTC))
    for name in ("hana", "kenji"):
        await sign_in.save_account(name, "correct horse")
    users = [await sign_in.user_of(name) for name in ("hana", "kenji")]
    jobs = JobStore(database)
    for user in users:
        await jobs.insert(user, [(GenerationRequest(prompt="1girl"), ON_THE_PAGE)], now=datetime.now(UTC))
    listed = web(tmp_path, "users").stdout
    assert ["hana", "kenji"] == [line.split()[0] for line in listed.splitlines()]

    removed = web(tmp_path, "rmuser", "hana").stdout
    kept = web(tmp_path, "rmuser", "kenji", "--keep-data").stdout

    assert "Their pictures, presets and settings are deleted." in removed
    assert "Their pictures, presets and settings are kept." in kept
    assert await sign_in.accounts() == []
    assert [0, 1] == [len(await jobs.on_page(user, most=9)) for user in users]
    await database.close()


def test_an_account_with_its_data_is_not_removed_beside_a_bot(tmp_path):
    web(tmp_path, "adduser", "hana", given="correct horse\n")
    with exclusive_use(tmp_path / "state" / "pastelbot.sqlite3"):
        refused = web(tmp_path, "rmuser", "hana")
        done = web(tmp_path, "rmuser", "hana", "--keep-data")

    assert "is in use by another bot" in refused.stderr
    assert "is removed" in done.stdout


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
    assert install_command("web") in done.stderr
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
