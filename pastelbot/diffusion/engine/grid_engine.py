"""X/Y grids: one job of many pictures, painted a few at a time and put together on one labelled sheet."""

import io
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from PIL import Image

from pastelbot.errors import PastelError
from pastelbot.formats.contact_sheets import make_labelled_sheet
from pastelbot.records import (
    Event,
    GenerationRequest,
    Grid,
    Painted,
    PaintingCancelled,
    PaintingFailed,
    Picture,
    Progress,
)
from pastelbot.rules import grids

_AT_ONCE = 2  # more would slow the steps of other users' pictures down


class Painting(Protocol):
    """What paints single requests: `pastelbot.diffusion.engine.pool.EnginePool`."""

    @property
    def idle(self) -> bool:
        """Return whether nothing is in flight."""

    def admit(self, job_id: str, request: GenerationRequest, *, owner: int = 0) -> None:
        """Take a job in, as part of its owner's share."""

    def cancel(self, job_id: str) -> None:
        """Let a job leave at the next step."""

    def step(self) -> list[Event]:
        """Advance everything in flight by one step."""


@dataclass(kw_only=True, eq=False)
class _Sheet:
    """A grid that is being painted: its cells by number, those that wait, and how far each is."""

    owner: int
    grid: Grid
    cells: list[GenerationRequest]
    waiting: deque[int]
    painting: set[int] = field(default_factory=set)
    done: dict[int, Painted] = field(default_factory=dict)
    steps: dict[int, int] = field(default_factory=dict)

    @property
    def step(self) -> int:
        """Return the steps that are done, over all cells."""
        return sum(self.steps.values())

    @property
    def all_steps(self) -> int:
        """Return the steps of all cells."""
        return sum(map(_steps, self.cells))


class GridEngine:
    """Paints grids with a pool that paints single requests; other requests pass through unchanged."""

    def __init__(self, inner: Painting) -> None:
        self._inner = inner
        self._sheets: dict[str, _Sheet] = {}
        self._events: list[Event] = []

    @property
    def idle(self) -> bool:
        """Return whether nothing is in flight."""
        return self._inner.idle and not self._sheets and not self._events

    def admit(self, job_id: str, request: GenerationRequest, *, owner: int = 0) -> None:
        """Take a job in. A PastelError says why it was not taken."""
        if request.grid is None:
            self._inner.admit(job_id, request, owner=owner)
            return
        cells = grids.pictures_of(request)
        sheet = _Sheet(owner=owner, grid=request.grid, cells=cells, waiting=deque(range(len(cells))))
        try:
            self._admit_some(job_id, sheet)
        except PastelError:
            self._let_go(job_id, sheet)
            raise
        self._sheets[job_id] = sheet

    def cancel(self, job_id: str) -> None:
        """Let a job leave at the next step; one that is not here is no error."""
        sheet = self._sheets.pop(job_id, None)
        if sheet is None:
            self._inner.cancel(job_id)
        else:
            self._let_go(job_id, sheet)
            self._events.append(PaintingCancelled(job_id=job_id))

    def step(self) -> list[Event]:
        """Advance everything in flight by one step."""
        for event in self._inner.step():
            self._events += self._translated(event)
        events, self._events = self._events, []
        return events

    def _admit_some(self, job_id: str, sheet: _Sheet) -> None:
        while sheet.waiting and len(sheet.painting) < _AT_ONCE:
            number = sheet.waiting.popleft()
            self._inner.admit(f"{job_id}/{number}", sheet.cells[number], owner=sheet.owner)
            sheet.painting.add(number)

    def _let_go(self, job_id: str, sheet: _Sheet) -> None:
        for number in sheet.painting:
            self._inner.cancel(f"{job_id}/{number}")

    def _translated(self, event: Event) -> Iterator[Event]:
        """Turn an event of a cell into one of its grid."""
        job_id, slash, number = getattr(event, "job_id", "").rpartition("/")
        sheet = self._sheets.get(job_id)
        if not slash:
            yield event
        elif sheet is not None:
            yield from self._of_cell(job_id, sheet, int(number), event)

    def _of_cell(self, job_id: str, sheet: _Sheet, number: int, event: Event) -> Iterator[Event]:
        match event:
            case Progress():
                sheet.steps[number] = event.step * _steps(sheet.cells[number]) // max(1, event.steps)
                yield Progress(job_id=job_id, step=sheet.step, steps=sheet.all_steps, preview=event.preview)
            case Painted():
                yield from self._cell_is_done(job_id, sheet, number, event)
            case PaintingFailed():
                yield from self._fail(job_id, sheet, event.reason)

    def _cell_is_done(self, job_id: str, sheet: _Sheet, number: int, event: Painted) -> Iterator[Event]:
        sheet.painting.discard(number)
        sheet.done[number], sheet.steps[number] = event, _steps(sheet.cells[number])
        try:
            self._admit_some(job_id, sheet)
        except PastelError as error:
            yield from self._fail(job_id, sheet, str(error))
        if len(sheet.done) == len(sheet.cells):
            del self._sheets[job_id]
            yield _put_together(job_id, sheet)

    def _fail(self, job_id: str, sheet: _Sheet, reason: str) -> Iterator[Event]:
        self._sheets.pop(job_id)
        self._let_go(job_id, sheet)
        yield PaintingFailed(job_id=job_id, reason=reason)


def _put_together(job_id: str, sheet: _Sheet) -> Painted:
    painted = [sheet.done[number] for number in range(len(sheet.cells))]
    pictures = [each.pictures[0] for each in painted]
    infotext = f"{pictures[0].infotext}, {grids.describe(sheet.grid)}"
    rows = grids.labels(sheet.grid.y) if sheet.grid.y is not None else [""]
    png = make_labelled_sheet(
        [picture.png for picture in pictures], grids.labels(sheet.grid.x), rows, infotext=infotext
    )
    width, height = Image.open(io.BytesIO(png)).size
    cells = tuple(picture.png for picture in pictures)
    picture = Picture(png=png, seed=pictures[0].seed, width=width, height=height, infotext=infotext, cells=cells)
    notes = tuple(dict.fromkeys(note for each in painted for note in each.notes))
    return Painted(job_id=job_id, pictures=(picture,), seconds=sum(each.seconds for each in painted), notes=notes)


def _steps(request: GenerationRequest) -> int:
    hires = request.hires
    return request.steps + (0 if hires is None else hires.steps or request.steps)
