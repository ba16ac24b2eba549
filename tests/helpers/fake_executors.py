"""Fakes for tests: an executor without a worker and a tagger without a model, driven by the test."""

import asyncio
import io
from collections.abc import Callable
from dataclasses import replace

from PIL import Image

from pastelbot.records import (
    Cancel,
    Command,
    Description,
    Event,
    GenerationRequest,
    Paint,
    Painted,
    PaintingCancelled,
    Picture,
    Progress,
    WorkerLost,
    WorkerReady,
)


class FakeExecutor:
    """Keeps the real protocol: cancels at once, paints when `finish` is called or, if `instant`, right away."""

    def __init__(self, *, instant: bool = False) -> None:
        self.instant = instant
        self.painting: dict[str, GenerationRequest] = {}
        self.owners: dict[str, int] = {}
        self.restarts: list[str] = []
        self.closed = False
        self._on_event: Callable[[Event], None] = lambda _event: None

    def start(self, on_event: Callable[[Event], None]) -> None:
        """Be ready at once."""
        self._on_event = on_event
        self.ready()

    def send(self, command: Command) -> None:
        """Take a job in, or let it go."""
        if isinstance(command, Paint):
            self.painting[command.job_id] = command.request
            self.owners[command.job_id] = command.owner
            if self.instant:
                self.finish(command.job_id)
        elif isinstance(command, Cancel) and self.painting.pop(command.job_id, None) is not None:
            self._on_event(PaintingCancelled(job_id=command.job_id))

    def restart(self, reason: str) -> None:
        """Die and come back."""
        self.restarts.append(reason)
        self.die(reason)
        self.ready()

    async def close(self) -> None:
        """Remember that it was closed."""
        self.closed = True

    def ready(self) -> None:
        """Say that a worker is there."""
        self._on_event(WorkerReady(device="none", checkpoint="fake", checkpoint_hash="0000000000"))

    def die(self, reason: str = "killed by a test") -> None:
        """Lose the worker with all that it had."""
        self.painting.clear()
        self._on_event(WorkerLost(reason=reason))

    def progress(self, job_id: str, step: int, steps: int, preview: bytes | None = None) -> None:
        """Report a step."""
        self._on_event(Progress(job_id=job_id, step=step, steps=steps, preview=preview))

    def emit(self, event: Event) -> None:
        """Say anything a worker could say."""
        self._on_event(event)

    def finish(self, job_id: str) -> None:
        """Paint the job: one plain picture a seed."""
        self._on_event(painted_plain(job_id, self.painting.pop(job_id)))


class FakeDescriber:
    """A tagger that says what the test wants: each of `ratings` once, an error is raised, and then "general"."""

    def __init__(self) -> None:
        self.ratings: list[str | Exception] = []
        self.description = Description(rating="general", rating_score=1.0)
        self.described: list[bytes] = []
        self.prepared = False
        self.closed = False
        self._held: asyncio.Event | None = None

    def prepare(self) -> None:
        """Remember that it was asked to."""
        self.prepared = True

    async def describe(self, content: bytes) -> Description:
        """Give the next rating; while held, wait."""
        self.described.append(content)
        if self._held is not None:
            await self._held.wait()
        rating = self.ratings.pop(0) if self.ratings else self.description.rating
        if isinstance(rating, Exception):
            raise rating
        return replace(self.description, rating=rating)

    async def close(self) -> None:
        """Remember that it was closed."""
        self.closed = True

    def hold(self) -> None:
        """Make every request wait until `release`."""
        self._held = asyncio.Event()

    def release(self) -> None:
        """Let the waiting requests continue."""
        if self._held is not None:
            self._held.set()
            self._held = None


def painted_plain(job_id: str, request: GenerationRequest) -> Painted:
    """Return the event of a job that was painted, with one plain picture a seed."""
    pictures = tuple(_plain(request, request.seed + number) for number in range(request.count))
    return Painted(job_id=job_id, pictures=pictures, seconds=0.1)


def _plain(request: GenerationRequest, seed: int) -> Picture:
    colour = (seed % 256, seed // 256 % 256, 128)
    file = io.BytesIO()
    Image.new("RGB", (8, 8), colour).save(file, "PNG")
    return Picture(png=file.getvalue(), seed=seed, width=8, height=8, infotext=f"{request.prompt}\nSeed: {seed}")
