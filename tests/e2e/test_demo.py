"""The demo as a newcomer starts it: a process, a page, Ctrl-C."""

import contextlib
import os
import select
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from helpers.support import PATIENCE

simcord = pytest.importorskip("simcord", reason="the demo extra is not installed")


@pytest.fixture
def demo(request):
    command = [sys.executable, "bot.py", "demo", "--no-browser"]
    process = subprocess.Popen(
        command, cwd=request.config.rootpath, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    yield process
    children = _children(process.pid) if process.poll() is None else []
    process.kill()
    for child in children:  # they hold the pipes until they notice, and some are still loading
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    process.communicate()


def test_it_prints_one_url_serves_the_page_and_ends_on_ctrl_c(demo):
    line = demo.stdout.readline()
    url = line.removeprefix("Pastelbot demo: ").strip()

    assert line.startswith("Pastelbot demo: http://127.0.0.1:")
    with urllib.request.urlopen(url) as page:
        assert 200 == page.status
    children = [os.pidfd_open(child) for child in _children(demo.pid)]
    demo.send_signal(signal.SIGINT)
    rest, errors = demo.communicate(timeout=PATIENCE)
    assert (0, "", "") == (demo.returncode, rest.strip(), errors.strip())
    assert all(select.select([child], [], [], PATIENCE)[0] for child in children), "a child goes on after the demo"


def test_enter_sends_a_command_whose_completion_was_chosen(demo):
    """The page's own script would open the list again, and Enter would choose the same for ever."""
    address = demo.stdout.readline().removeprefix("Pastelbot demo: ").strip().partition("#")[0]

    with urllib.request.urlopen(f"{address}commands.js") as script:
        assert 1 == script.read().count(b"renderCompose({ focus: Boolean(next) }); if (!next) clearPopup();")


def test_a_taken_port_is_told_in_one_sentence(demo, request):
    port = demo.stdout.readline().split(":")[3].split("/")[0]
    command = [sys.executable, "bot.py", "demo", "--no-browser", "--port", port]

    second = subprocess.run(command, cwd=request.config.rootpath, capture_output=True, text=True, check=False)

    assert 2 == second.returncode
    assert f"Port {port}" in second.stderr
    assert "Traceback" not in second.stderr


def _children(pid):
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [int(child) for child in children.split()]
