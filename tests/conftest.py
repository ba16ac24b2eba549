"""What all tests share."""

import gc
import os

import hypothesis
import pytest
from helpers.support import Clock, make_settings

# One thread a process, and in those that tests start, unless said otherwise: they run side by side on every processor,
# and the tests' networks are too small to be shared out.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# The same examples every time, however slow the machine is.
hypothesis.settings.register_profile("repeatable", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("repeatable")


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def settings(tmp_path):
    """Settings for the bundled checkpoint, with everything that is kept in a temporary folder."""
    return make_settings(tmp_path)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """Begin with the long tests, so that no process is left alone with one of them at the end."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def pytest_collection_finish():
    """Keep the collector off what the imports and the collected tests hold: it would scan all of it again and again."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers():
    """Return one process more than there are processors: a third of the tests' time is waiting for others."""
    usable = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
    return len(usable) + 1
