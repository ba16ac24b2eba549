"""The token that the bot was started with is in the environment of none of its children."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.support import PATIENCE

ROOT = Path(__file__).parents[2]
TOKEN = "a-token.of.tests"  # noqa: S105 - that is all it is
# What the command line does before it runs the bot, and then a child as the worker and the tagger are started.
PROGRAM = """
import multiprocessing, os, sys
from pathlib import Path
from pastelbot.cli.options import load_settings

def environments():
    \"\"\"Return the environments of all children of this process, and of theirs.\"\"\"
    parents = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                stat = (folder / "stat").read_text().rpartition(")")[2].split()
                parents[int(folder.name)] = int(stat[1]), (folder / "environ").read_bytes()
            except OSError:
                pass
    mine = {os.getpid()}
    while more := {pid for pid, (parent, _) in parents.items() if parent in mine} - mine:
        mine |= more
    return [environ for pid, (_, environ) in parents.items() if pid in mine - {os.getpid()}]

def child(event):
    event.wait()

if __name__ == "__main__":
    settings = load_settings(None)
    assert settings.token.get_secret_value() == sys.argv[1]
    context = multiprocessing.get_context("spawn")
    event = context.Event()
    process = context.Process(target=child, args=(event,))
    process.start()
    found = environments()
    event.set()
    process.join()
    print(len(found), sum(sys.argv[1].encode() in environ for environ in found))
"""


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="there is no /proc here")
def test_no_child_inherits_the_token(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM, encoding="utf-8")
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PASTELBOT_")}
    done = subprocess.run(
        [sys.executable, program, TOKEN],
        cwd=tmp_path,
        env=clean | {"PASTELBOT_TOKEN": TOKEN, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )

    assert done.stderr == ""
    children, with_token = map(int, done.stdout.split())
    assert children >= 2  # the child, and what the library starts to look after shared resources
    assert with_token == 0
