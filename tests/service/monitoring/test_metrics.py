"""What Prometheus reads."""

import os
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from pastelbot.jobs.observer import Failure
from pastelbot.records import WorkerLost
from pastelbot.service.monitoring.metrics import Figure, Metrics, resident_bytes


def samples(metrics):
    """Return the values by name and labels."""
    families = text_string_to_metric_families(metrics.text().decode())
    return {(sample.name, *sample.labels.values()): sample.value for family in families for sample in family.samples}


@pytest.fixture
def metrics():
    return Metrics()


def test_waits_and_painting_are_histograms_in_seconds(metrics):
    for seconds in (0.5, 20, 100_000):
        metrics.given_out(waited=seconds)
    metrics.painted(seconds=9)
    found = samples(metrics)

    assert [found["pastelbot_wait_seconds_bucket", upper] for upper in ("1.0", "30.0", "86400.0", "+Inf")] == [
        1,
        2,
        2,
        3,
    ]
    assert found["pastelbot_wait_seconds_sum",] == 100_020.5
    assert (found["pastelbot_paint_seconds_bucket", "5.0"], found["pastelbot_paint_seconds_bucket", "10.0"]) == (0, 1)


def test_failures_are_counted_by_kind_and_each_kind_is_there_from_the_start(metrics):
    metrics.failed(Failure.REFUSED)
    metrics.failed(Failure.REFUSED)
    metrics.worker_lost(WorkerLost(reason="it was killed"))
    found = samples(metrics)

    assert {kind: found["pastelbot_failures_total", kind] for kind in Failure} == dict.fromkeys(Failure, 0) | {
        Failure.REFUSED: 2
    }
    assert found["pastelbot_worker_restarts_total",] == 1


def test_figures_are_looked_up_at_each_scrape_and_left_out_where_they_cannot_be(metrics):
    def broken():
        raise OSError("no such disk")

    waiting = [1]
    figures = [
        Figure(name="jobs", text="Jobs", value=lambda: waiting[0]),
        Figure(name="stalls", text="Stalls", value=lambda: 7, counts=True),
        Figure(name="free", text="Free", value=broken),
    ]
    metrics.look_up(figures, {"bot": os.getpid, "worker": lambda: None})
    assert samples(metrics)["jobs",] == 1
    waiting[0] = 2
    found = samples(metrics)

    assert (found["jobs",], found["stalls_total",]) == (2, 7)
    assert ("free",) not in found
    assert ("pastelbot_resident_memory_bytes", "worker") not in found


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="this system has no /proc")
def test_the_memory_of_a_process_is_read_from_the_system(metrics):
    metrics.look_up([], {"bot": os.getpid})

    assert samples(metrics)["pastelbot_resident_memory_bytes", "bot"] > 5_000_000
    assert resident_bytes(2**22 + 1) is None


def test_two_bots_in_one_process_count_apart():
    first, second = Metrics(), Metrics()
    first.worker_lost(WorkerLost(reason=""))

    assert samples(second)["pastelbot_worker_restarts_total",] == 0
