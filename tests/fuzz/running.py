"""Hands inputs to a reader: only our errors, within ten seconds of processor time each."""

import signal
from contextlib import contextmanager, suppress

import hypothesis
from fuzz.targets import TARGETS

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
        signal.signal(signal.SIGPROF, before)


def fuzz(name, inputs, *, seed=0):
    """Give a reader that many inputs, or all that there are; return how many. Raises what it should not have raised."""
    target, done = TARGETS[name], []

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=inputs, deadline=None, database=None, suppress_health_check=list(hypothesis.HealthCheck)
    )
    @hypothesis.given(target.inputs)
    def read(content):
        done.append(1)
        with bounded(), suppress(target.errors):
            target.read(content)

    read()
    return len(done)
