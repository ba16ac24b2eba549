"""Hands inputs to a reader: only our errors, within ten seconds of processor time each."""

import signal
from contextlib import contextmanager, suppress

import hypothesis
from fuzz.interactions import payloads, send_all
from fuzz.targets import IDS, PROMPTS, TARGETS
from hypothesis import strategies as st
from simulation.seeds import prepared

_SECONDS = 10.0


class TooSlowError(BaseException):
    """A reader took too long; no reader can take this for an error of its own."""


def _give_up(_number, _frame):
    raise TooSlowError


@contextmanager
def bounded(*, seconds=_SECONDS):
    """Raise TooSlowError where the block takes too much time of the processor, however busy the machine is."""
    before = signal.signal(signal.SIGPROF, _give_up)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        # One that is still on its way must not end the process.
        signal.signal(signal.SIGPROF, signal.SIG_IGN if before is signal.SIG_DFL else before)


def _settings(examples):
    checks = list(hypothesis.HealthCheck)
    return hypothesis.settings(max_examples=examples, deadline=None, database=None, suppress_health_check=checks)


def fuzz(name, inputs, *, seed=0):
    """Give a reader that many inputs, or all that there are; return how many. Raises what it should not have raised."""
    target, done = TARGETS[name], []

    @hypothesis.seed(seed)
    @_settings(inputs)
    @hypothesis.given(target.inputs)
    def read(content):
        done.append(1)
        with bounded(), suppress(target.errors):
            target.read(content)

    read()
    return len(done)


def fuzz_interactions(worlds, *, seed=0):
    """Send interactions to bots in that many worlds; return how many. Raises what no bot should answer with."""
    sent = []

    @hypothesis.seed(seed)
    @_settings(worlds)
    @hypothesis.given(st.data())
    def answer(data):
        drawn = data.draw(payloads(start.commands, PROMPTS, IDS))
        sent.extend(drawn)
        with bounded():
            send_all(start, drawn)

    with prepared() as start:
        answer()
    return len(sent)
