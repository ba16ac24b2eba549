"""A slice of the fuzzing: whatever strangers send, readers give an error of ours at most, and end."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from fuzz.running import fuzz, fuzz_interactions
from fuzz.targets import TARGETS, CanaryError, pickles
from helpers.support import PATIENCE

HANGS = """
from fuzz.running import bounded

with bounded(seconds=0.05):
    while True:
        pass
"""


@pytest.mark.parametrize("name", TARGETS)
def test_readers_raise_nothing_but_our_errors(name):
    assert fuzz(name, 60) >= 50


def test_a_reader_that_hangs_is_found():
    """In a process of its own, as the signal is for all of one."""
    path = os.pathsep.join([str(Path(__file__).parents[1]), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", HANGS],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )

    assert done.returncode == 1
    assert "TooSlowError" in done.stderr


def test_the_code_in_pickles_would_run_if_it_were_loaded_without_care():
    import pickle

    with pytest.raises(CanaryError):
        pickle.loads(pickles()[0])  # noqa: S301 - that it is unsafe is what is shown


def test_whatever_interactions_say_the_bot_answers_them():
    assert fuzz_interactions(12) > 10
