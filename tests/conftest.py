"""What all tests share."""

import gc
import os
import sys
import time

import hypothesis
import pytest
import structlog
from helpers.support import Clock, make_settings

# One thread a process, and in those that tests start, unless said otherwise: they run side by side on every processor,
# and the tests' networks are too small to be shared out.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Tracebacks as Python prints them: with the values of all variables each took a second.
structlog.configure(
    processors=[
        *structlog.get_config()["processors"][:-1],
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
    ]
)

# The same examples every time, however slow the machine is.
hypothesis.settings.register_profile("repeatable", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("repeatable")


@pytest.fixture(autouse=True)
def _same_draws():
    """Let every test draw the same numbers from torch each time, in any order of the tests."""
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def settings(tmp_path):
    """Settings for the bundled checkpoint, with everything that is kept in a temporary folder."""
    return make_settings(tmp_path)


NOT_RUN = "not run: the time given to this run was over"


def pytest_addoption(parser):
    parser.addoption(
        "--until", type=float, help="seconds since 1970 after which no further test is begun; those left are skipped"
    )


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    """Begin with the long tests, so that no process is left alone with one of them; with little time, end with them."""
    last = config.getoption("until") is not None
    items.sort(key=lambda item: (item.get_closest_marker("long") is not None) == last)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    until = item.config.getoption("until")
    if until is not None and time.time() > until:
        pytest.skip(NOT_RUN)


def pytest_terminal_summary(terminalreporter):
    left = [report for report in terminalreporter.getreports("skipped") if NOT_RUN in str(report.longrepr)]
    if left:
        terminalreporter.write_line(f"{len(left)} tests were {NOT_RUN}.", yellow=True)


def pytest_collection_finish():
    """Keep the collector off what the imports and the collected tests hold: it would scan all of it again and again."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers():
    """Return one process more than there are processors: a third of the tests' time is waiting for others."""
    usable = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
    return len(usable) + 1
