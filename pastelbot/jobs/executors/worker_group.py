"""Worker group: several workers, one for each device, behind the interface of one executor."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from pastelbot.config import WorkerOptions
from pastelbot.errors import PromptError
from pastelbot.jobs import worker
from pastelbot.jobs.background import CallLater, call_later
from pastelbot.jobs.executor import Executor
from pastelbot.jobs.executors import ray_relay
from pastelbot.jobs.executors.process_executor import ProcessExecutor
from pastelbot.jobs.executors.unloading_executor import UnloadingExecutor
from pastelbot.jobs.painting_clock import PaintingClock
from pastelbot.prompt.lora_tags import read_lora_tags
from pastelbot.records import (
    Cancel,
    Command,
    Event,
    GenerationRequest,
    Load,
    Paint,
    Painted,
    PaintingCancelled,
    PaintingFailed,
    WorkerLost,
    WorkerReady,
    WorkerUnloaded,
)

_LOOK_SECONDS = 15.0
_CLUSTER_LOST = "the Ray cluster is lost, or the process that talks to it ended"


@dataclass(kw_only=True)
class _Member:
    executor: Executor
    clock: PaintingClock
    ready: bool = False
    unloaded: bool = False  # and not loading
    jobs: set[str] = field(default_factory=set)
    checkpoint: str | None = None  # that of its last job
    loras: frozenset[str] = frozenset()  # those of its last job


def make_workers(options: WorkerOptions) -> list[ProcessExecutor | UnloadingExecutor]:
    """Return a worker for each of the devices, or one."""
    return [_make_worker(each) for each in options.on_devices()]


def _make_worker(options: WorkerOptions) -> ProcessExecutor | UnloadingExecutor:
    make = partial(ProcessExecutor, options, target=worker.main)
    if options.worker.executor == "ray":  # which ends what uses it when the cluster is gone
        make = partial(ProcessExecutor, options, target=ray_relay.main, ended=_CLUSTER_LOST)
    minutes = options.worker.unload_minutes
    return UnloadingExecutor(make, idle_seconds=minutes * 60) if minutes else make()


class WorkerGroup:
    """Gives each job to the ready worker with the fewest, by preference one that has its checkpoint, then its LoRAs.

    `WorkerReady` and `WorkerLost` say how many workers are ready now, and the latter which jobs are lost; while any is
    ready, none is shown as an interruption. A worker that paints and sends nothing for `stall_seconds` is restarted,
    whatever the others do.
    """

    def __init__(
        self,
        executors: Sequence[Executor],
        *,
        stall_seconds: float,
        later: CallLater = call_later,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._members = [_Member(executor=one, clock=PaintingClock(epoch=0, monotonic=monotonic)) for one in executors]
        self._stall_seconds = stall_seconds
        self._later = later
        self._on_event: Callable[[Event], None] = lambda _event: None
        self._timer: asyncio.TimerHandle | None = None

    def start(self, on_event: Callable[[Event], None]) -> None:
        """Start all workers."""
        self._on_event = on_event
        for member in self._members:
            member.executor.start(partial(self._receive, member))
        self._look()

    def send(self, command: Command) -> None:
        """Give a job to a worker, cancel it where it is, or load one that is unloaded.

        A job goes to a worker that is ready, or to one that is unloaded, which loads for it; where neither is there,
        nothing happens.
        """
        match command:
            case Paint(job_id=job_id, request=request):
                loras = _loras_of(request)
                member = self._chosen(request.checkpoint, loras)
                if member is not None:
                    self._give(member, job_id)
                    member.checkpoint, member.loras = request.checkpoint, loras
                    member.executor.send(command)
            case Cancel(job_id=job_id):
                for member in self._members:
                    if job_id in member.jobs:
                        member.executor.send(command)
            case Load():
                for member in self._unloaded()[:1]:
                    member.unloaded = False
                    member.executor.send(command)
            case _:
                for member in self._members:
                    member.executor.send(command)

    def restart(self, reason: str) -> None:
        """Restart the workers that have jobs."""
        for member in self._members:
            if member.jobs:
                member.executor.restart(reason)

    async def close(self) -> None:
        """End all workers at the same time."""
        if self._timer is not None:
            self._timer.cancel()
        await asyncio.gather(*(member.executor.close() for member in self._members))

    def _chosen(self, checkpoint: str, loras: frozenset[str]) -> _Member | None:
        """Return the worker with the fewest jobs that has the least to load or to take out of its networks."""
        ready = [member for member in self._members if member.ready] or self._unloaded()
        return min(
            ready, key=lambda one: (len(one.jobs), one.checkpoint != checkpoint, len(one.loras ^ loras)), default=None
        )

    def _give(self, member: _Member, job_id: str) -> None:
        if not member.jobs:
            member.clock.begin()
        member.jobs.add(job_id)
        member.unloaded = False

    def _receive(self, member: _Member, event: Event) -> None:
        member.clock.hear()
        match event:
            case WorkerReady():
                member.ready = True
                event = replace(event, workers=self._ready())
            case WorkerUnloaded():
                member.ready, member.unloaded, member.checkpoint, member.loras = False, True, None, frozenset()
                event = replace(event, workers=self._ready())
            case WorkerLost():
                event = self._lost(member, event)
            case Painted() | PaintingFailed() | PaintingCancelled():
                member.jobs.discard(event.job_id)
        self._on_event(event)

    def _lost(self, member: _Member, event: WorkerLost) -> WorkerLost:
        jobs = frozenset(member.jobs)
        member.ready, member.checkpoint, member.loras = False, None, frozenset()
        member.jobs.clear()
        ready = self._ready()
        if not ready:  # what is sent from now on is with no worker, and lost too
            return replace(event, workers=0, jobs=None)
        return replace(event, workers=ready, jobs=jobs, interruption="")

    def _unloaded(self) -> list[_Member]:
        return [member for member in self._members if member.unloaded]

    def _ready(self) -> int:
        return sum(member.ready for member in self._members)

    def _look(self) -> None:
        """Restart the workers that are silent though they should paint."""
        for member in self._members:
            silent = member.clock.look(every=_LOOK_SECONDS)
            if member.jobs and silent > self._stall_seconds:
                member.clock.hear()
                member.executor.restart(f"a worker sent nothing for {silent:.0f} s")
        self._timer = self._later(_LOOK_SECONDS, self._look)


def _loras_of(request: GenerationRequest) -> frozenset[str]:
    """Return the names of the LoRAs that a request asks for; none where its prompts cannot be read."""
    try:
        return frozenset(tag.name for each in request.with_each_prompt() for tag in read_lora_tags(each.prompt))
    except PromptError:
        return frozenset()
