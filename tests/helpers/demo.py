"""A demo that runs as a process of its own."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path


@contextlib.contextmanager
def running_demo(root, *arguments):
    """Start the demo and yield its process with its address."""
    command = [sys.executable, "bot.py", "demo", "--no-browser", *arguments]
    pipe = subprocess.PIPE
    with _ctrl_c_heard():
        process = subprocess.Popen(command, cwd=root, stdout=pipe, stderr=pipe, text=True)
    with ended_with_children(process):
        line = process.stdout.readline()
        assert line.startswith("Pastelbot demo: http://127.0.0.1:"), line + process.stderr.read()
        yield process, line.removeprefix("Pastelbot demo: ").strip()


@contextlib.contextmanager
def _ctrl_c_heard():
    """Start processes that end on Ctrl-C, also where the tests ignore it, in the background of a shell."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def ended_with_children(process):
    """End a process, and what it has started, in the end."""
    try:
        yield
    finally:
        children = children_of(process.pid) if process.poll() is None else []
        process.kill()
        for child in children:  # they hold the pipes until they notice, and some are still loading
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        process.communicate()


def children_of(pid):
    """Return the ids of a process's children; none where it has ended or the system does not list them."""
    with contextlib.suppress(FileNotFoundError):
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
        return [int(child) for child in children.split()]
    return []
