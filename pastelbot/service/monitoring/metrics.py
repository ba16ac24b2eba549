"""Metrics for Prometheus: counted as things happen, or looked up when they are asked for."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from pastelbot.jobs.observer import Failure
from pastelbot.records import WorkerLost

_WAITS = (1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600, 4 * 3600, 24 * 3600)  # seconds
_PAINTS = (0.5, 1, 2, 5, 10, 20, 40, 60, 120, 300, 600, 1800)


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A number that is looked up in a thread; where that raises OSError, it is left out. `counts`: it only grows."""

    name: str
    text: str
    value: Callable[[], float]
    counts: bool = False


class Metrics:
    """The metrics of one bot, with a registry of their own; hears the dispatcher (`jobs.observer.Observer`)."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.losses = 0
        self.last_loss = ""
        ProcessCollector(registry=self._registry)
        self._waits = Histogram(
            "pastelbot_wait_seconds",
            "Time from the request until the worker gets the job",
            buckets=_WAITS,
            registry=self._registry,
        )
        self._paints = Histogram(
            "pastelbot_paint_seconds", "Time in the worker of painted jobs", buckets=_PAINTS, registry=self._registry
        )
        self._failures = Counter(
            "pastelbot_failures", "Failed jobs, which are refunded", ["kind"], registry=self._registry
        )
        for kind in Failure:
            self._failures.labels(kind)
        self._restarts = Counter("pastelbot_worker_restarts", "Workers that ended unasked", registry=self._registry)

    def given_out(self, *, waited: float) -> None:
        """Observe how long a job waited."""
        self._waits.observe(waited)

    def painted(self, *, seconds: float) -> None:
        """Observe how long a job was painted."""
        self._paints.observe(seconds)

    def failed(self, kind: Failure) -> None:
        """Count a failed job."""
        self._failures.labels(kind).inc()

    def worker_lost(self, event: WorkerLost) -> None:
        """Count a lost worker, and remember why it was lost."""
        self._restarts.inc()
        self.losses += 1
        self.last_loss = f"{event.reason}: {event.detail}" if event.detail else event.reason

    def look_up(self, figures: Iterable[Figure], processes: Mapping[str, Callable[[], int | None]]) -> None:
        """Add what is looked up at each scrape, and the processes whose memory is measured, by name."""
        self._registry.register(_Lookups(tuple(figures), processes))

    def text(self) -> bytes:
        """Return all metrics in Prometheus's text format."""
        return generate_latest(self._registry)


class _Lookups(Collector):
    """Figures that are looked up when they are asked for."""

    def __init__(self, figures: Sequence[Figure], processes: Mapping[str, Callable[[], int | None]]) -> None:
        self._figures = figures
        self._processes = processes

    def collect(self) -> Iterator[Metric]:
        """Yield the figures that are known just now."""
        for figure in self._figures:
            with suppress(OSError):
                kind = CounterMetricFamily if figure.counts else GaugeMetricFamily
                yield kind(figure.name, figure.text, value=figure.value())
        yield self._memory()

    def _memory(self) -> Metric:
        family = GaugeMetricFamily(
            "pastelbot_resident_memory_bytes", "Memory of the bot's processes", labels=["process"]
        )
        for name, process_id in self._processes.items():
            size = resident_bytes(process_id())
            if size is not None:
                family.add_metric([name], size)
        return family


def resident_bytes(process_id: int | None) -> int | None:
    """Return the resident memory of a process, None where it has ended or the system does not say (see proc(5))."""
    if process_id is None:
        return None
    try:
        status = Path(f"/proc/{process_id}/status").read_text(encoding="ascii")
    except OSError:
        return None
    found = [line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(found[0]) * 1024 if found else None
