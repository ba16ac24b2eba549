"""The worker's heartbeat while it loads or downloads, which can take longer than a stalled worker is given."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from threading import Event, Thread

from pastelbot.records import Loading

_EVERY_SECONDS = 1.0


class Heartbeat:
    """Sends `Loading` into the pipe at intervals, for as long as something is loaded.

    A thread sends it, because a slow connection can take minutes for the next piece of a file. Downloads that hang
    end by the hub client's own timeouts.
    """

    def __init__(self, connection: Connection, *, every: float = _EVERY_SECONDS) -> None:
        self._connection = connection
        self._every = every

    @contextmanager
    def during(self, what: str) -> Iterator[Callable[[str], None]]:
        """Send heartbeats until the block ends; yields what takes a new sentence about what is being done."""
        ended, sentences = Event(), deque([what], maxlen=1)

        def send() -> None:
            with suppress(OSError):  # the bot process is gone, which the worker itself notices
                while not ended.wait(self._every):
                    self._connection.send(Loading(what=sentences[-1]))

        thread = Thread(target=send, name="pastelbot-heartbeat", daemon=True)
        thread.start()
        try:
            yield sentences.append
        finally:
            # Two threads must never write into the pipe at once.
            ended.set()
            thread.join()
