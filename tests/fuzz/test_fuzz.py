"""A slice of the fuzzing: whatever strangers send, readers give an error of ours at most, and end."""

import pytest
from fuzz.running import TooSlowError, bounded, fuzz, fuzz_interactions
from fuzz.targets import TARGETS, CanaryError, pickles


@pytest.mark.parametrize("name", TARGETS)
def test_readers_raise_nothing_but_our_errors(name):
    assert fuzz(name, 60) >= 50


def test_a_reader_that_hangs_is_found():
    with pytest.raises(TooSlowError), bounded(seconds=0.05):
        while True:
            pass


def test_the_code_in_pickles_would_run_if_it_were_loaded_without_care():
    import pickle

    with pytest.raises(CanaryError):
        pickle.loads(pickles()[0])  # noqa: S301 - that it is unsafe is what is shown


def test_whatever_interactions_say_the_bot_answers_them():
    assert fuzz_interactions(12) > 10
