"""Several checkpoints at once: each has an engine of its own, loaded when a job asks for it.

As many stay in memory as the operator allows; the least recently used one is dropped first, and none while it paints.
Where all paint, a job for another checkpoint waits, and those after it wait behind it: no job is overtaken.
"""

from collections import OrderedDict, deque
from collections.abc import Callable
from typing import NamedTuple

from pastelbot.diffusion.checkpoint.checkpoint import Checkpoint
from pastelbot.diffusion.engine.engine import Engine
from pastelbot.diffusion.networks.memory import free_memory, is_out_of_memory
from pastelbot.errors import PaintingError, PastelError
from pastelbot.records import CheckpointLoaded, Event, GenerationRequest, PaintingCancelled, PaintingFailed
from pastelbot.rules.timing.fair_shares import FairShares

Load = Callable[[str], Checkpoint]
Make = Callable[[Checkpoint], Engine]

_NOT_A_CHECKPOINT = (LookupError, ValueError, TypeError, AttributeError, OSError, RuntimeError)


class _Waiting(NamedTuple):
    """A job that waits for room for its checkpoint."""

    job_id: str
    request: GenerationRequest
    owner: int


class EnginePool:
    """Paints jobs, each with the checkpoint that it names; `first` is the default one, which is loaded already.

    `slots` is how many jobs advance together where several owners share the engines.
    """

    def __init__(self, default: str, first: Checkpoint, *, load: Load, make: Make, in_memory: int, slots: int) -> None:
        self._default = default
        self._device = first.device
        self._load = load
        self._make = make
        self._in_memory = in_memory
        self._engines: OrderedDict[str, Engine] = OrderedDict({default: make(first)})
        self._shares = FairShares(slots)
        self._waiting: deque[_Waiting] = deque()
        self._events: list[Event] = []

    @property
    def idle(self) -> bool:
        """Return whether nothing is in flight or waits."""
        return not self._waiting and not self._events and all(engine.idle for engine in self._engines.values())

    @property
    def loaded(self) -> tuple[str, ...]:
        """Return the checkpoints that are in memory, the least recently used first."""
        return tuple(self._engines)

    def admit(self, job_id: str, request: GenerationRequest, *, owner: int = 0) -> None:
        """Take a job in, now or as soon as there is room for its checkpoint. A PastelError says why not."""
        job = _Waiting(job_id, request, owner)
        if self._waiting or not self._has_room(self._name(request)):
            self._waiting.append(job)
        else:
            self._admit(job)

    def cancel(self, job_id: str) -> None:
        """Let a job leave at the next step; one that is not here is no error."""
        for waiting in [waiting for waiting in self._waiting if waiting.job_id == job_id]:
            self._waiting.remove(waiting)
            self._events.append(PaintingCancelled(job_id=job_id))
        for engine in self._engines.values():
            engine.cancel(job_id)

    def step(self) -> list[Event]:
        """Admit jobs that waited long enough, and advance by one step those whose owners' shares allow it."""
        while self._waiting and self._has_room(self._name(self._waiting[0].request)):
            job = self._waiting.popleft()
            try:
                self._admit(job)
            except PastelError as error:
                self._events.append(PaintingFailed(job_id=job.job_id, reason=str(error)))
        busy = [engine for engine in self._engines.values() if not engine.idle]
        chosen = self._shares.choose([turn for engine in busy for turn in engine.next_turns()])
        for engine in busy:
            self._events += engine.step(chosen)
        events, self._events = self._events, []
        return events

    def _name(self, request: GenerationRequest) -> str:
        return request.checkpoint or self._default

    def _has_room(self, name: str) -> bool:
        """Return whether a checkpoint is in memory, or may be loaded, by dropping idle ones."""
        busy = sum(not engine.idle for engine in self._engines.values())
        return name in self._engines or busy < self._in_memory

    def _admit(self, job: _Waiting) -> None:
        name = self._name(job.request)
        if name not in self._engines:
            self._make_room(self._in_memory - 1)
            self._open(name)
        self._engines.move_to_end(name)
        self._engines[name].admit(job.job_id, job.request, owner=job.owner)

    def _make_room(self, most: int) -> None:
        """Drop idle checkpoints, the least recently used first, until at most so many are left."""
        before = len(self._engines)
        for name in [name for name, engine in self._engines.items() if engine.idle]:
            if len(self._engines) > most:
                del self._engines[name]
        if len(self._engines) < before:
            free_memory(self._device)

    def _open(self, name: str) -> None:
        checkpoint = self._loaded(name)
        if checkpoint is None:  # memory is short: what was kept for later leaves
            self._make_room(0)
            checkpoint = self._loaded(name)
        if checkpoint is None:
            raise PaintingError(f"The checkpoint {name} does not fit into the memory of {self._device} now.")
        self._engines[name] = self._make(checkpoint)
        self._events.append(CheckpointLoaded(name=name, checkpoint=checkpoint.name, checkpoint_hash=checkpoint.hash))

    def _loaded(self, name: str) -> Checkpoint | None:
        """Load a checkpoint; None where memory is short: the error, which holds tensors, ends here."""
        try:
            return self._load(name)
        except PastelError as error:
            raise PaintingError(f"The checkpoint {name} cannot be loaded: {error}") from error
        except (*_NOT_A_CHECKPOINT, MemoryError) as error:
            if not is_out_of_memory(error):
                raise PaintingError(f"The checkpoint {name} is damaged or incomplete: {error}") from error
            return None
