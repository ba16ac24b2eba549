"""Several users in one engine: a newcomer advances at once, others pause in memory, and no picture changes."""

import dataclasses
from collections import defaultdict

import pytest
from helpers.watched_unets import watched

from pastelbot.diffusion.engine.engine import Engine
from pastelbot.diffusion.engine.grid_engine import GridEngine
from pastelbot.diffusion.engine.pool import EnginePool
from pastelbot.records import (
    Axis,
    GenerationRequest,
    Grid,
    HiresFix,
    Painted,
    PaintingCancelled,
    Progress,
)

LARGE = GenerationRequest(prompt="1girl", width=192, height=192, steps=6, seed=5)
SMALL = GenerationRequest(prompt="cat", width=64, height=64, steps=8, seed=7)
HOG, NEWCOMER = 1, 2
# Each of another size, so that each is denoised in calls of its own, and with a sampler that has a memory.
HOGS_JOBS = {
    "a": LARGE.replace(sampler="UniPC", schedule="Automatic"),
    "b": LARGE.replace(width=160, sampler="DPM++ SDE"),
    "c": LARGE.replace(width=128, height=128, sampler="LMS", hires=HiresFix(width=160, height=160, steps=3)),
    "d": LARGE.replace(width=128, count=2, sampler="DPM++ 3M SDE"),
}


def open_pool(checkpoint, *, slots=4):
    """Return engines with two checkpoints that are the same but for the name."""
    return EnginePool(
        "default",
        checkpoint,
        load=lambda name: dataclasses.replace(checkpoint, name=name),
        make=Engine,
        in_memory=2,
        slots=slots,
    )


def events_of(painting, *, turns=10_000, until=None):
    """Step until a job is painted, by default until nothing is in flight; return the events of each turn."""
    found = []
    while not painting.idle and len(found) < turns:
        found.append(painting.step())
        if any(isinstance(event, Painted) and event.job_id == until for event in found[-1]):
            break
    return found


def files(turns):
    """Return the PNG files of each job."""
    events = [event for turn in turns for event in turn]
    return {event.job_id: [picture.png for picture in event.pictures] for event in events if isinstance(event, Painted)}


def advanced(turns):
    """Return which jobs reported progress, turn by turn."""
    return [{event.job_id for event in turn if isinstance(event, Progress)} for turn in turns]


@pytest.mark.parametrize("hires", [None, HiresFix(width=96, height=96, steps=4)])
def test_a_small_job_beside_four_large_ones_takes_twice_its_own_work_and_a_step(small, hires):
    checkpoint = watched(small)
    alone = open_pool(checkpoint)
    alone.admit("new", SMALL.replace(hires=hires), owner=NEWCOMER)
    events_of(alone)
    own, checkpoint.unet.work = checkpoint.unet.work, 0
    pool = open_pool(checkpoint)
    for number in range(4):
        pool.admit(f"hog{number}", LARGE.replace(seed=number), owner=HOG)
    pool.step()
    step, checkpoint.unet.work = checkpoint.unet.work, 0

    pool.step()  # the one in which the newcomer's command arrives
    pool.admit("new", SMALL.replace(hires=hires), owner=NEWCOMER)
    events_of(pool, until="new")

    assert checkpoint.unet.work <= 2 * own + step


def test_a_small_job_waits_for_no_large_picture_to_be_decoded(small):
    pool = open_pool(small)
    for number in range(4):
        pool.admit(f"hog{number}", LARGE.replace(seed=number), owner=HOG)
    for _ in range(LARGE.steps):
        pool.step()
    pool.admit("new", SMALL.replace(steps=2), owner=NEWCOMER)
    first = files(events_of(pool, until="new"))

    assert set(first) == {"new"}
    assert set(files(events_of(pool))) == {f"hog{number}" for number in range(4)}


def test_a_job_that_was_paused_gives_the_same_files(small):
    """Bit for bit: nothing happens to its latents, nor to the memory of its sampler."""
    undisturbed, disturbed = open_pool(small), open_pool(small)
    for pool in (undisturbed, disturbed):
        for job_id, request in HOGS_JOBS.items():
            pool.admit(job_id, request, owner=HOG)
        events_of(pool, turns=2)
    disturbed.admit("new", SMALL.replace(steps=20), owner=NEWCOMER)
    shared = events_of(disturbed, until="new")
    rest = events_of(disturbed)

    assert any(jobs and "d" not in jobs for jobs in advanced(shared))
    assert any("d" in jobs for jobs in advanced(rest))
    assert files([*shared, *rest]).items() >= files(events_of(undisturbed)).items()


def test_the_newest_of_the_others_jobs_is_the_one_that_pauses(small):
    pool = open_pool(small)
    for number in range(4):
        pool.admit(f"hog{number}", LARGE.replace(seed=number), owner=HOG)
    pool.admit("new", LARGE.replace(seed=9), owner=NEWCOMER)
    turns = events_of(pool, until="new")

    seen = defaultdict(int)
    for jobs in advanced(turns):
        for job_id in jobs:
            seen[job_id] += 1
    assert seen["hog3"] == 0
    assert seen["new"] > seen["hog0"] == seen["hog1"] == seen["hog2"] > 0


def test_a_paused_job_can_be_cancelled(small):
    pool = open_pool(small, slots=1)
    for job_id in ("one", "paused"):
        pool.admit(job_id, LARGE.replace(steps=2), owner=HOG)
    pool.admit("new", SMALL.replace(steps=20), owner=NEWCOMER)
    pool.step()
    pool.cancel("paused")

    assert PaintingCancelled(job_id="paused") in pool.step()
    assert set(files(events_of(pool))) == {"one", "new"}


def test_shares_hold_over_checkpoints(small):
    """A newcomer with another checkpoint takes as much as one with the same."""
    pool = open_pool(small)
    for number in range(3):
        pool.admit(f"hog{number}", LARGE.replace(seed=number), owner=HOG)
    pool.admit("new", SMALL.replace(checkpoint="other"), owner=NEWCOMER)
    turns = events_of(pool, until="new")

    assert advanced(turns)[: SMALL.steps] == [{"new"}] * SMALL.steps


def test_a_grid_is_one_users_share(small):
    painting = GridEngine(open_pool(small))
    axis = Axis(kind="seed", values=("1", "2", "3"))
    painting.admit("grid", LARGE.replace(grid=Grid(x=axis)), owner=HOG)
    painting.step()
    painting.admit("new", SMALL.replace(steps=4), owner=NEWCOMER)

    assert advanced(events_of(painting, until="new"))[:4] == [{"new"}] * 4
