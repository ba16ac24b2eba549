"""Child processes of the bot: they end when the bot does, and the end of their standard error is kept."""

import contextlib
import multiprocessing
import os
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from pastelbot.jobs.parent_watch import end_with_parent

_KEPT = 4096  # bytes of standard error
_READ = 4096

Target = Callable[[Connection, Any], None]  # Any: each kind of child has options of its own


class ChildProcess:
    """A spawned process that runs `target(connection, options)`, with our end of its pipe.

    What it writes to standard error is passed on, and the end of it is kept. Raises OSError where it cannot be
    spawned. The kernel ends it with the thread that made this, which must last as long as the child is wanted.
    """

    def __init__(self, target: Target, options: object, *, name: str) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, connection = context.Pipe()
        stderr, child_stderr = context.Pipe(duplex=False)
        self.process = context.Process(
            target=_run, args=(target, connection, child_stderr, options), name=name, daemon=True
        )
        try:
            self.process.start()
        except OSError:
            self.connection.close()
            stderr.close()
            raise
        finally:
            connection.close()
            child_stderr.close()
        self._reaping = threading.Lock()
        self._kept = bytearray()
        self._reader = threading.Thread(target=self._pass_on, args=(stderr,), name=f"{name}-stderr", daemon=True)
        self._reader.start()

    def kill(self) -> None:
        """Kill it, without waiting for its end."""
        self.process.kill()

    def reap(self, patience: float) -> int | None:
        """Wait some seconds for its end, then kill it; return its exit code. Any thread may call it."""
        with self._reaping:
            self.process.join(timeout=patience)
            if self.process.is_alive():
                self.process.kill()
                self.process.join()
            return self.process.exitcode

    def last_words(self, patience: float = 1.0) -> str:
        """Return the last line that it wrote to standard error, waiting some seconds for what is on its way."""
        self._reader.join(timeout=patience)
        lines = bytes(self._kept).decode("utf-8", "replace").replace("\r", "\n").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "")

    def _pass_on(self, stderr: Connection) -> None:
        with stderr, contextlib.suppress(OSError):
            while part := os.read(stderr.fileno(), _READ):
                self._kept = (self._kept + part)[-_KEPT:]
                with contextlib.suppress(OSError):  # the bot itself may have no standard error
                    os.write(2, part)


def _run(target: Target, connection: Connection, stderr: Connection, options: object) -> None:
    """Run in the child, before anything of it."""
    end_with_parent()
    os.dup2(stderr.fileno(), 2)
    stderr.close()
    target(connection, options)
