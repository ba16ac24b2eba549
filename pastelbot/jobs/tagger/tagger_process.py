"""Tagger process: describes pictures in a child process that is started on first use."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Protocol

import structlog

from pastelbot.errors import PastelError, RequestError, TaggerError
from pastelbot.jobs.child_process import ChildProcess
from pastelbot.jobs.tagger import tagger_worker
from pastelbot.records import Description
from pastelbot.tagging.files import TaggerOptions

_RETRY_SECONDS = 30.0  # after a failed start

log = structlog.get_logger(__name__)


class Describer(Protocol):
    """Interface of a tagger that describes pictures."""

    def prepare(self) -> None:
        """Begin to load what describing needs; returns at once."""

    async def describe(self, content: bytes) -> Description:
        """Describe a picture file; raises RequestError or TaggerError."""

    async def close(self) -> None:
        """End the tagger; pending requests fail."""


class TaggerProcess:
    """A spawned child with a pipe, and one thread here that talks to it: pictures are described one by one.

    A child that dies or hangs costs the picture that it had; the next picture gets a new child. `loading_seconds` is
    how long a picture waits for the tagger to be loaded, or downloaded, `describing_seconds` how long for its tags.
    """

    def __init__(
        self,
        options: TaggerOptions,
        *,
        target: tagger_worker.Target = tagger_worker.main,
        clock: Callable[[], float] = time.monotonic,
        loading_seconds: float = 120.0,
        describing_seconds: float = 60.0,
    ) -> None:
        self._options = options
        self._loading_seconds = loading_seconds
        self._describing_seconds = describing_seconds
        self._target = target
        self._clock = clock
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="pastelbot-tagger")
        self._child: _Child | None = None
        self._failure = ""
        self._retry_at = 0.0
        self._closed = False

    @property
    def pid(self) -> int | None:
        """The child's process id, while there is one."""
        return self._child.process.pid if self._child is not None else None

    def prepare(self) -> None:
        """Start the child, so that the first picture does not wait for it."""
        self._thread.submit(self._try_to_start)

    async def describe(self, content: bytes) -> Description:
        """Describe a picture file; raises RequestError for a bad file and TaggerError for everything else."""
        if self._closed:
            raise TaggerError("The tagger is closed.")
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._ask, content)

    async def close(self) -> None:
        """Kill the child, which ends what the thread waits for."""
        self._closed = True
        self._thread.shutdown(wait=False, cancel_futures=True)
        child = self._child
        if child is not None:
            child.kill()
        await asyncio.get_running_loop().run_in_executor(None, self._end)

    def _end(self) -> None:
        self._thread.shutdown()
        self._drop()

    def _try_to_start(self) -> None:
        with suppress(PastelError):  # it is in the log, and the next picture meets it again
            self._start()

    def _ask(self, content: bytes) -> Description:
        child = self._start()
        try:
            child.connection.send_bytes(content)
            answer = child.on_event(self._describing_seconds)
        except TimeoutError as error:
            child.kill()
            raise self._lost(f"it did not answer for {self._describing_seconds:.0f} s") from error
        except (EOFError, OSError) as error:
            raise self._lost("it crashed on a picture") from error
        if isinstance(answer, Description):
            return answer
        if isinstance(answer, RequestError | TaggerError):
            raise answer
        raise TaggerError("The tagger returned an invalid answer.")

    def _start(self) -> "_Child":
        """Return a child that is ready, starting one where there is none; raises PastelError."""
        if self._child is not None and not self._child.process.is_alive():
            self._drop()
        if self._child is None:
            if self._failure and self._clock() < self._retry_at:
                raise TaggerError(self._failure)
            self._child = self._spawn()
            if self._closed:  # `close` came too early to see the child
                self._child.kill()
        if not self._child.ready:
            self._await_ready(self._child)
        return self._child

    def _spawn(self) -> "_Child":
        try:
            return _Child(self._target, self._options, name="pastelbot-tagger")
        except OSError as error:
            raise self._failed(TaggerError(f"The tagger's process cannot be started: {error}.")) from error

    def _await_ready(self, child: "_Child") -> None:
        try:
            answer = child.on_event(self._loading_seconds)
        except TimeoutError as error:  # it goes on: this may be a download
            raise RequestError(
                "The tagger is still being loaded, which takes minutes the first time: try again later."
            ) from error
        except (EOFError, OSError) as error:
            raise self._failed(self._lost("it died while it was loaded")) from error
        if isinstance(answer, TaggerError):
            self._drop()
            raise self._failed(answer)
        child.ready = True
        self._failure = ""
        log.info("tagger ready")

    def _failed(self, error: TaggerError) -> TaggerError:
        """Keep why a start failed, so that not every picture tries again."""
        log.error("the tagger did not start", reason=str(error))
        self._failure, self._retry_at = str(error), self._clock() + _RETRY_SECONDS
        return error

    def _lost(self, reason: str) -> TaggerError:
        code = self._drop()
        if not self._closed:
            log.error("tagger lost", reason=reason, exit_code=code)
        return TaggerError(f"The tagger was lost: {reason} (exit code {code}).")

    def _drop(self) -> int | None:
        """Let go of the child, dead or alive; return its exit code."""
        child, self._child = self._child, None
        if child is None:
            return None
        code = child.reap(1.0)  # one that is about to end says how
        child.connection.close()
        return code


class _Child(ChildProcess):
    """The child, and whether it has loaded its model."""

    ready = False

    def on_event(self, seconds: float) -> object:
        """Return the next thing it says; raises TimeoutError, or EOFError or OSError where the pipe has ended."""
        if not self.connection.poll(seconds):
            raise TimeoutError
        return self.connection.recv()
