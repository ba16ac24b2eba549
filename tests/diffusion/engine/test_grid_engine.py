import io

import pytest
from helpers.support import png
from PIL import Image

from pastelbot.diffusion.engine.grid_engine import GridEngine
from pastelbot.errors import LimitError
from pastelbot.formats.pictures import read_infotext
from pastelbot.records import (
    Axis,
    CheckpointLoaded,
    GenerationRequest,
    Grid,
    Painted,
    PaintingCancelled,
    PaintingFailed,
    Picture,
    Progress,
)

AXES = Grid(x=Axis(kind="cfg", values=("5", "7", "9")), y=Axis(kind="seed", values=("1", "2")))
GRID = GenerationRequest(prompt="1girl", seed=7, steps=4, grid=AXES)


class Inner:
    """Paints a request in as many steps as it asks for, one a call, like the engine."""

    def __init__(self, *, refuse=lambda _request: False, fail=lambda _request: False):
        self.jobs = {}
        self.refuse = refuse
        self.fail = fail
        self.most = 0
        self.others = []
        self.owners = set()

    @property
    def idle(self):
        return not self.jobs

    def admit(self, job_id, request, *, owner=0):
        self.owners.add(owner)
        if self.refuse(request):
            raise LimitError("No.")
        self.jobs[job_id] = [request, 0, False]
        self.most = max(self.most, len(self.jobs))

    def cancel(self, job_id):
        if job_id in self.jobs:
            self.jobs[job_id][2] = True

    def step(self):
        events, self.others = self.others, []
        for job_id, job in list(self.jobs.items()):
            job[1] += 1
            events += self.events_of(job_id, *job)
        return events

    def events_of(self, job_id, request, step, cancelled):
        if cancelled:
            del self.jobs[job_id]
            return [PaintingCancelled(job_id=job_id)]
        if self.fail(request):
            del self.jobs[job_id]
            return [PaintingFailed(job_id=job_id, reason="Out of paint.")]
        if step <= request.steps:
            return [Progress(job_id=job_id, step=step, steps=request.steps)]
        del self.jobs[job_id]
        infotext = f"{request.prompt}\nSteps: {request.steps}, Seed: {request.seed}, CFG scale: {request.cfg_scale:g}"
        picture = Picture(png=png(size=(64, 64)), seed=request.seed, width=64, height=64, infotext=infotext)
        return [Painted(job_id=job_id, pictures=(picture,), seconds=1.0, notes=("A note.",))]


def run(painter):
    events = []
    while not painter.idle:
        events += painter.step()
    return events


def test_a_grid_becomes_one_labelled_picture():
    inner = Inner()
    painter = GridEngine(inner)
    painter.admit("job", GRID)
    *_, painted = run(painter)

    assert isinstance(painted, Painted)
    (picture,) = painted.pictures
    sheet = Image.open(io.BytesIO(picture.png))
    assert (painted.job_id, painted.seconds, painted.notes) == ("job", 6.0, ("A note.",))
    assert sheet.size == (picture.width, picture.height)
    assert sheet.width > 3 * 64
    assert picture.seed == 1
    assert read_infotext(picture.png) == picture.infotext
    assert picture.infotext.endswith(
        'CFG scale: 5, Script: X/Y/Z plot, X Type: CFG Scale, X Values: "5, 7, 9", Y Type: Seed, Y Values: "1, 2"'
    )
    assert inner.most == 2
    assert picture.cells == (png(size=(64, 64)),) * 6


def test_progress_is_the_grids_and_only_grows():
    painter = GridEngine(Inner())
    painter.admit("job", GRID)
    progress = [event for event in run(painter) if isinstance(event, Progress)]

    assert {(event.job_id, event.steps) for event in progress} == {("job", 24)}
    assert [event.step for event in progress] == sorted(event.step for event in progress)
    assert progress[-1].step == 24


def test_single_requests_and_other_events_pass_through():
    inner = Inner()
    painter = GridEngine(inner)
    painter.admit("one", GRID.replace(grid=None, steps=1))
    loaded = CheckpointLoaded(name="a", checkpoint="b", checkpoint_hash="c")
    inner.others.append(loaded)
    events = run(painter)

    assert loaded in events
    assert [event.job_id for event in events if isinstance(event, Painted)] == ["one"]


def test_a_cell_that_fails_fails_the_grid_once():
    inner = Inner(fail=lambda request: request.seed == 2)
    painter = GridEngine(inner)
    painter.admit("job", GRID)
    ends = [event for event in run(painter) if not isinstance(event, Progress)]

    assert ends == [PaintingFailed(job_id="job", reason="Out of paint.")]
    assert inner.idle


@pytest.mark.parametrize("refused", ["1", "2"])
def test_a_cell_that_is_refused_refuses_or_fails_the_grid(refused):
    inner = Inner(refuse=lambda request: request.seed == int(refused) and request.cfg_scale == 7)
    painter = GridEngine(inner)
    if refused == "1":
        with pytest.raises(LimitError):
            painter.admit("job", GRID)
        ends = [event for event in run(painter) if not isinstance(event, Progress)]
        assert ends == []
    else:
        painter.admit("job", GRID)
        ends = [event for event in run(painter) if not isinstance(event, Progress)]
        assert ends == [PaintingFailed(job_id="job", reason="No.")]


def test_a_cancelled_grid_leaves_with_all_its_cells():
    inner = Inner()
    painter = GridEngine(inner)
    painter.admit("job", GRID)
    painter.step()
    painter.cancel("job")
    ends = [event for event in run(painter) if not isinstance(event, Progress)]

    assert ends == [PaintingCancelled(job_id="job")]
    assert inner.idle


def test_cancelling_what_is_no_grid_goes_on_to_the_painter():
    inner = Inner()
    painter = GridEngine(inner)
    painter.admit("one", GRID.replace(grid=None))
    painter.cancel("one")

    assert run(painter) == [PaintingCancelled(job_id="one")]


def test_cells_take_their_grids_owners_share():
    inner = Inner()
    painter = GridEngine(inner)
    painter.admit("job", GRID, owner=7)
    run(painter)

    assert inner.owners == {7}
