"""The bot in a simulated world: each seed decides time, order, people, faults, crashes and power cuts."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from simulation.planted import PLANTED
from simulation.seeds import prepared, simulate

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]


def run_seeds(*arguments):
    """Run the command on one processor; return its status and what it printed."""
    command = [sys.executable, "-m", "tests.simulation", "--processes", "1", *arguments]
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_a_slice_of_the_seeds_finds_nothing():
    status, text = run_seeds("--seeds", "25")

    assert status == 0, text


@pytest.mark.parametrize("seed", [12, 26, 43])
def test_the_same_seed_gives_the_same_trace_twice(seed):
    with prepared() as start:
        first, second = (simulate(seed, start).lines for _ in range(2))

    assert len(first) > 100
    assert first == second


@pytest.mark.parametrize(
    ("bug", "claim"),
    [
        ("refunding twice", "the ledger does not add up"),
        ("dropping failures", "a slot is leaked"),
        ("posting unseen", "a job has several messages"),
    ],
)
def test_a_planted_bug_is_found(bug, claim):
    status, text = run_seeds("--seeds", "500", "--until", "1", "--planted", bug)

    assert bug in PLANTED
    assert status == 1
    assert claim in text
    assert int(re.search(r"(\d+) seeds in", text)[1]) < 500
