"""Calls of a network that run compiled as soon as their shape has been compiled, and with torch until then.

Compilers want fixed shapes and take seconds: they run in a thread, for shapes that come again, while torch serves. The
first call that a compiled network could answer is answered by both: where they differ, the compiled one is not used.
"""

import os
import sys
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, Protocol, TypeVar

import structlog
import torch
from torch import Tensor

log = structlog.get_logger(__name__)

Predict = Callable[..., Tensor]
Start = Callable[[Callable[[], None]], None]

_WORTH = 4  # calls of one shape before it is compiled
_WORTH_REPLACING = 1000  # where another one has to leave for it: two that take turns are not compiled again and again
KEPT = 6  # compiled shapes in memory
_COUNTED = 1000  # shapes whose calls are counted
# Seconds after which the compiler's thread gives way: it runs much Python, and each operation of torch waits for that.
_SWITCH = 1e-4


class _Shape(Hashable, Protocol):
    """What one compiled network is for."""

    @property
    def size(self) -> tuple[int, ...]:
        """Return the shape of what it is given, for the log."""


ShapeT = TypeVar("ShapeT", bound=_Shape)
_Asked_contra = TypeVar("_Asked_contra", bound=_Shape, contravariant=True)


class Compiler(Protocol[_Asked_contra]):
    """Compiles one network for one shape after the other."""

    name: str
    tolerance: float  # of a compiled answer, as a share of the answer's norm

    def has(self, bucket: _Asked_contra, *, threads: int) -> bool:
        """Return whether a bucket was compiled earlier, so that it is ready at once."""

    def compile(self, bucket: _Asked_contra, *, threads: int, unchanged: Callable[[], bool]) -> Predict | None:
        """Return the compiled network; None where `unchanged` says that the weights changed meanwhile."""


class CompilerThread:
    """Runs compilations in threads of their own, one after the other, with a low priority."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def __call__(self, work: Callable[[], None]) -> None:
        """Start a compilation, and return at once."""
        # A daemon: the end of the worker waits for no compiler.
        threading.Thread(target=lambda: self._run(work), name="compiler", daemon=True).start()

    def _run(self, work: Callable[[], None]) -> None:
        if hasattr(os, "setpriority") and sys.platform == "linux":  # where a thread has a priority of its own
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 5)
        with self._lock:
            interval = sys.getswitchinterval()
            sys.setswitchinterval(_SWITCH)
            work()
            sys.setswitchinterval(interval)


class CompiledCalls(Generic[ShapeT]):
    """Calls of one network, compiled where they can be.

    At most `kept` shapes stay in memory, the latest used; a shape is compiled when it came `worth` times, or at once
    where the compiler has it. `changes` says how often the weights were changed. `start` runs a compilation; there is
    never more than one of a network. It only leaves its result behind, so that everything else here belongs to the
    thread that calls.
    """

    def __init__(
        self,
        compiler: Compiler[ShapeT],
        *,
        kept: int = KEPT,
        worth: int = _WORTH,
        changes: Callable[[], int] = lambda: 0,
        start: Start | None = None,
    ) -> None:
        self._compiler = compiler
        self._kept = kept
        self._worth = worth
        self._changes = changes
        self._start = start or CompilerThread()
        self._calls: Counter[ShapeT] = Counter()
        self._compiled: OrderedDict[ShapeT, Predict] = OrderedDict()
        self._unproven: set[ShapeT] = set()
        self._refused: set[ShapeT] = set()
        self._busy = False
        self._finished: tuple[ShapeT, Predict | Exception | None] | None = None

    @property
    def compiling(self) -> bool:
        """Return whether a shape is being compiled."""
        return self._busy and self._finished is None

    @property
    def sizes(self) -> int:
        """Return how many shapes are compiled, apart from one that the next call takes over."""
        return len(self._compiled)

    def answer(self, bucket: ShapeT | None, given: tuple[Tensor, ...], eager: Callable[[], Tensor]) -> Tensor:
        """Return the answer to a call; `eager` is torch's, and all there is where `bucket` is None."""
        self._collect()
        compiled = self._compiled.get(bucket) if bucket else None
        if bucket is None or compiled is None:
            self._ask(bucket)
            return eager()
        self._compiled.move_to_end(bucket)
        try:
            answer = compiled(*given)
        except (RuntimeError, MemoryError) as error:
            self._refuse(bucket, str(error))
            return eager()
        return self._prove(bucket, answer, eager()) if bucket in self._unproven else answer

    def _prove(self, bucket: ShapeT, answer: Tensor, eager: Tensor) -> Tensor:
        """Return torch's answer, and go on with the compiled network only where its own is close enough."""
        self._unproven.discard(bucket)
        difference = float((answer - eager).norm() / eager.norm().clamp(min=1e-6))
        if not difference <= self._compiler.tolerance:
            self._refuse(bucket, f"its answer is {difference:.1e} off")
        return eager

    def _refuse(self, bucket: ShapeT, reason: str) -> None:
        log.warning(
            "a size is painted without the compiler", backend=self._compiler.name, size=bucket.size, reason=reason
        )
        self._refused.add(bucket)
        self._compiled.pop(bucket, None)

    def _ask(self, bucket: ShapeT | None) -> None:
        """Have a shape compiled that has come often enough, if nothing else is being compiled."""
        if self._busy or bucket is None or bucket in self._refused:
            return
        if len(self._calls) >= _COUNTED:
            self._calls.clear()
        self._calls[bucket] += 1
        threads, changes = torch.get_num_threads(), self._changes()
        if not self._is_worth_it(bucket, threads):
            return
        self._busy = True
        self._start(lambda: self._compile(bucket, threads, changes))

    def _is_worth_it(self, bucket: ShapeT, threads: int) -> bool:
        if len(self._compiled) >= self._kept:
            return self._calls[bucket] >= _WORTH_REPLACING
        return self._calls[bucket] >= self._worth or self._compiler.has(bucket, threads=threads)

    def _compile(self, bucket: ShapeT, threads: int, changes: int) -> None:
        result: Predict | Exception | None
        try:
            result = self._compiler.compile(bucket, threads=threads, unchanged=lambda: self._changes() == changes)
        except Exception as error:  # noqa: BLE001 - whatever a compiler raises, torch goes on painting
            result = error
        self._finished = bucket, result

    def _collect(self) -> None:
        """Take over what was compiled since the last call."""
        if self._finished is None:
            return
        (bucket, result), self._finished, self._busy = self._finished, None, False
        self._calls.pop(bucket, None)  # what could not be finished is tried again when it comes again
        if isinstance(result, Exception):
            self._refuse(bucket, str(result).strip().split("\n")[0])
        elif result is not None:
            self._keep(bucket, result)

    def _keep(self, bucket: ShapeT, compiled: Predict) -> None:
        while len(self._compiled) >= self._kept:
            self._compiled.popitem(last=False)
        self._unproven.add(bucket)
        self._compiled[bucket] = compiled
