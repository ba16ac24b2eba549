"""Every durable write is a moment at which the process can be killed: just before it, and just after it."""

import os
import signal
import sqlite3
import threading
from contextlib import ExitStack
from functools import partial, wraps
from unittest import mock


class KillPoints(ExitStack):
    """Kill this process at the given number of such moments, counted from the start; 0: never."""

    def __init__(self, number):
        super().__init__()
        self._left = number
        self._lock = threading.Lock()

    def __enter__(self):
        super().__enter__()
        for name in ("fsync", "rename", "replace", "unlink"):
            self.enter_context(mock.patch.object(os, name, self._around(getattr(os, name))))
        points = self

        class Connection(sqlite3.Connection):
            def commit(self):
                points.pass_one()
                super().commit()
                points.pass_one()

        self.enter_context(mock.patch.object(sqlite3, "connect", partial(sqlite3.connect, factory=Connection)))
        return self

    def pass_one(self):
        with self._lock:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def _around(self, call):
        @wraps(call)
        def called(*values, **options):
            self.pass_one()
            result = call(*values, **options)
            self.pass_one()
            return result

        return called
