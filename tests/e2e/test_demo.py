"""The demo as a newcomer starts it: a process, a page, Ctrl-C."""

import json
import os
import select
import signal
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request

import pytest
from helpers.demo import children_of, running_demo
from helpers.support import PATIENCE

pytest.importorskip("simcord", reason="the demo extra is not installed")
pytestmark = pytest.mark.long


@pytest.fixture
def demo(request):
    """A demo of the test's own, which it may end."""
    with running_demo(request.config.rootpath) as running:
        yield running


@pytest.fixture(scope="module")
def url(request):
    """The address of a demo that is only asked, and goes on."""
    with running_demo(request.config.rootpath) as (_process, address):
        yield address


def test_it_prints_one_url_serves_the_page_and_ends_on_ctrl_c(demo):
    process, url = demo
    with urllib.request.urlopen(url) as page:
        assert 200 == page.status
    children = [os.pidfd_open(child) for child in children_of(process.pid)]
    process.send_signal(signal.SIGINT)
    rest, errors = process.communicate(timeout=PATIENCE)
    assert (0, "", "") == (process.returncode, rest.strip(), errors.strip())
    assert all(select.select([child], [], [], PATIENCE)[0] for child in children), "a child goes on after the demo"


def test_it_ends_on_ctrl_c_while_a_page_is_open(demo):
    process, url = demo
    stream = urllib.request.urlopen(f"{url}events?as=hana")
    assert stream.readline().startswith(b"data: ")

    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=PATIENCE)

    stream.close()
    assert (0, "") == (process.returncode, errors.strip())


def test_a_taken_port_is_reported_in_one_sentence(url, request):
    port = str(urllib.parse.urlsplit(url).port)
    command = [sys.executable, "bot.py", "demo", "--no-browser", "--port", port]

    second = subprocess.run(command, cwd=request.config.rootpath, capture_output=True, text=True, check=False)

    assert 2 == second.returncode
    assert f"Port {port}" in second.stderr
    assert "Traceback" not in second.stderr


def test_a_language_that_the_demo_does_not_have_is_refused_with_those_it_has(request):
    command = [sys.executable, "bot.py", "demo", "--no-browser", "--language", "xx"]

    ended = subprocess.run(command, cwd=request.config.rootpath, capture_output=True, text=True, check=False)

    assert 2 == ended.returncode
    assert "The demo has no language 'xx': choose en or ja." in " ".join(ended.stderr.split())


def test_members_see_their_channels_and_commands(url):
    hana, kenji = _world(url, "hana"), _world(url, "kenji")

    assert ["art", "gallery", None] == [each["name"] for each in hana["channels"]]
    assert ["art", "gallery", "mods", None] == [each["name"] for each in kenji["channels"]]
    assert {"admin block"} <= {each["name"] for each in kenji["commands"]} - {each["name"] for each in hana["commands"]}
    assert "Recreate" in [each["name"] for each in hana["menus"]]


def test_what_needs_a_tagger_is_not_listed(url):
    world = _world(url, "hana")

    assert {"describe", "Describe"}.isdisjoint(each["name"] for each in [*world["commands"], *world["menus"]])


def test_names_and_descriptions_are_in_the_language_that_was_chosen(url):
    world = _world(url, "hana", language="ja")
    commands = {each["name"]: each for each in world["commands"]}

    assert "/描く で画像を生成" == world["channels"][0]["topic"]
    assert "描く" == commands["imagine"]["label"]
    assert "設定 変更" == commands["settings set"]["label"]
    assert "imagine" == {each["name"]: each for each in _world(url, "hana")["commands"]}["imagine"]["label"]
    assert "プロンプト" == commands["imagine"]["options"][0]["label"]
    assert "prompt" == commands["imagine"]["options"][0]["name"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"Host": "attacker.example"}, 403), ({"Origin": "https://attacker.example"}, 403), ({}, 200)],
)
def test_other_pages_and_other_names_of_this_machine_are_refused(url, headers, status):
    request = urllib.request.Request(f"{url}world?as=hana", headers=headers)
    try:
        with urllib.request.urlopen(request) as response:
            found = response.status
    except urllib.error.HTTPError as error:
        found = error.code
    assert status == found


@pytest.mark.parametrize(
    ("path", "sent", "sentence"),
    [
        ("command", {"as": "hana", "name": "imagine", "options": {"prompt": "1girl", "seed": "many"}}, "seed"),
        ("command", {"as": "hana", "name": "nosuch", "options": {}}, "There is no command 'nosuch' here."),
        ("command", {"as": "eve", "name": "imagine", "options": {}}, "There is no member 'eve'"),
        ("component", {"as": "hana", "message": "5", "custom_id": "pb:reroll:x"}, "This message is gone."),
        ("modal", {"as": "hana", "interaction": "5", "values": {}}, "This form is no longer open."),
        ("delete", {"as": "hana"}, "not understood"),
    ],
)
def test_what_cannot_be_done_is_answered_with_a_sentence(url, path, sent, sentence):
    body = urllib.parse.urlencode({"data": json.dumps(sent)}).encode()
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(urllib.request.Request(f"{url}{path}", data=body))

    assert 400 == caught.value.code
    assert sentence in json.load(caught.value)["error"]


def _world(url, member, language="en"):
    with urllib.request.urlopen(f"{url}world?as={member}&language={language}") as page:
        return json.load(page)
