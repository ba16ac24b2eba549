"""Twenty people paint in one channel: finished pictures come before progress, whatever the limit of edits."""

import pytest
from simulation.busy_channel import Load, watch
from simulation.seeds import prepared


@pytest.fixture(scope="module")
def start():
    with prepared() as ready:
        yield ready


@pytest.mark.parametrize(("step_seconds", "seed"), [(0.25, 2), (1.5, 1), (6.0, 3)])
def test_a_finished_picture_never_waits_behind_progress(step_seconds, seed, start):
    """None is sent before it once it is painted, nor has taken the edit that it would have had."""
    edits = watch(seed, start, Load(step_seconds=step_seconds), edit_seconds=3.0)
    finals = sorted(at for at, brings in edits.sent if brings)
    painted = sorted(edits.painted.values())

    assert len(finals) == len(painted) == 20
    assert edits.progress
    for done, sent in zip(painted, finals, strict=True):
        assert not [at for at in edits.progress if done < at <= sent]
        held = sent - done > 1.0  # simulated seconds: longer than the disk ever takes
        assert not (held and [at for at in edits.progress if sent - 5 < at <= sent])
