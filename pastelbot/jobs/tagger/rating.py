"""Rating executor: rates every picture before its job counts as painted."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import structlog

from pastelbot.errors import PastelError
from pastelbot.jobs.background import spawn
from pastelbot.jobs.executor import Executor
from pastelbot.jobs.tagger.tagger_process import Describer
from pastelbot.records import RATING_FAILED, RATINGS, Command, Event, Painted, Picture, WorkerLost, WorkerReady

_FROM_MILD_TO_WORST = (*RATINGS, RATING_FAILED)

log = structlog.get_logger(__name__)


class RatingExecutor:
    """Another executor whose finished pictures get a rating on their way to the dispatcher.

    A picture that cannot be rated is rated RATING_FAILED, which the access policy treats as the worst: never as
    harmless.
    """

    def __init__(self, executor: Executor, describer: Describer) -> None:
        self._executor = executor
        self._describer = describer
        self._on_event: Callable[[Event], None] = lambda _event: None
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, on_event: Callable[[Event], None]) -> None:
        """Start the executor, and the tagger beside it."""
        self._on_event = on_event
        self._describer.prepare()
        self._executor.start(self._receive)

    def send(self, command: Command) -> None:
        """Hand a command down."""
        self._executor.send(command)

    def restart(self, reason: str) -> None:
        """Restart the worker; the tagger watches over itself."""
        self._executor.restart(reason)

    async def close(self) -> None:
        """End the worker; jobs whose pictures have no rating yet are painted again after the next start."""
        await self._executor.close()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _receive(self, event: Event) -> None:
        if isinstance(event, Painted):
            self._spawn(self._rate(event))
        elif isinstance(event, WorkerLost | WorkerReady) and self._tasks:
            # A job that waits for its rating is not lost with the worker: it is told first.
            self._spawn(self._tell_after(tuple(self._tasks), event))
        else:
            self._on_event(event)

    async def _rate(self, event: Painted) -> None:
        pictures = [replace(picture, rating=await self._worst(picture, event.job_id)) for picture in event.pictures]
        self._on_event(replace(event, pictures=tuple(pictures)))

    async def _worst(self, picture: Picture, job_id: str) -> str:
        """Return a picture's rating, or the worst of a sheet's cells: each is too small to be judged on the sheet."""
        ratings = [await self._rating(png, job_id) for png in picture.cells or (picture.png,)]
        return max(ratings, key=_FROM_MILD_TO_WORST.index)

    async def _rating(self, png: bytes, job_id: str) -> str:
        try:
            return (await self._describer.describe(png)).rating
        except PastelError as error:
            log.warning("a picture was not rated", job=job_id, reason=str(error))
        except Exception:
            log.exception("a picture was not rated", job=job_id)
        return RATING_FAILED

    async def _tell_after(self, tasks: tuple[asyncio.Task[None], ...], event: Event) -> None:
        await asyncio.wait(tasks)
        self._on_event(event)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = spawn(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
