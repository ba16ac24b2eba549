"""A UNet whose calls run compiled as soon as their shape has been compiled, and with torch until then.

Compilers want fixed shapes and take seconds: they run in a thread, for shapes that come again, while torch serves. The
first call that a compiled UNet could answer is answered by both: where they differ, the compiled one is not used.
"""

import os
import sys
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import structlog
import torch
from torch import Tensor

from pastelbot.diffusion.lora.patch import Patch
from pastelbot.diffusion.networks.unet import UNet2DConditionModel

log = structlog.get_logger(__name__)

Predict = Callable[[Tensor, Tensor, Tensor], Tensor]

_WORTH = 4  # calls of one shape before it is compiled
_WORTH_REPLACING = 1000  # where another one has to leave for it: two that take turns are not compiled again and again
_KEPT = 6  # compiled shapes in memory
_COUNTED = 1000  # shapes whose calls are counted
# Seconds after which the compiler's thread gives way: it runs much Python, and each operation of torch waits for that.
_SWITCH = 1e-4


@dataclass(frozen=True, kw_only=True)
class Bucket:
    """What one compiled UNet is for: latents (rows, channels, height, width), tokens, the LoRAs in the weights.

    LoRAs are their files' identities and multipliers: nothing here holds on to their tensors.
    """

    latents: tuple[int, ...]
    tokens: int
    loras: tuple[tuple[str, float], ...]


class Compiler(Protocol):
    """Compiles one UNet for one shape after the other."""

    name: str
    tolerance: float  # of a compiled answer, as a share of the answer's norm
    rows: int  # of the batches that are fastest

    def has(self, bucket: Bucket, *, threads: int) -> bool:
        """Return whether a bucket was compiled earlier, so that it is ready at once."""

    def compile(self, bucket: Bucket, *, threads: int, unchanged: Callable[[], bool]) -> Predict | None:
        """Return the compiled UNet; None where `unchanged` says that the weights changed meanwhile."""


class CompiledUnet:
    """Calls of a UNet, compiled where they can be; called as the UNet of diffusers is.

    `weights` says which LoRAs are in the UNet. At most `kept` shapes stay in memory, the latest used. `start` runs a
    compilation, by default in a thread of its own; there is never more than one. It only leaves its result behind, so
    that everything else here belongs to the thread that calls.
    """

    def __init__(
        self,
        unet: UNet2DConditionModel,
        weights: Patch,
        compiler: Compiler,
        *,
        kept: int = _KEPT,
        start: Callable[[Callable[[], None]], None] | None = None,
    ) -> None:
        self._unet = unet
        self._weights = weights
        self._compiler = compiler
        self._kept = kept
        self._start = start or _in_a_thread
        self._calls: Counter[Bucket] = Counter()
        self._compiled: OrderedDict[Bucket, Predict] = OrderedDict()
        self._unproven: set[Bucket] = set()
        self._refused: set[Bucket] = set()
        self._busy = False
        self._finished: tuple[Bucket, Predict | Exception | None] | None = None

    @property
    def dtype(self) -> torch.dtype:
        """Return the number format that latents and conditionings come in."""
        dtype: torch.dtype = self._unet.dtype
        return dtype

    @property
    def rows(self) -> int:
        """Return how many rows a batch should have at most."""
        return self._compiler.rows

    @property
    def compiling(self) -> bool:
        """Return whether a shape is being compiled."""
        return self._busy and self._finished is None

    @property
    def sizes(self) -> int:
        """Return how many shapes are compiled, apart from one that the next call takes over."""
        return len(self._compiled)

    def __call__(self, x: Tensor, t: Tensor, context: Tensor, *, return_dict: bool = False) -> tuple[Tensor]:
        """Return the prediction for latents (rows, channels, height, width) with `context` (rows, tokens, dim)."""
        del return_dict  # as the UNet of diffusers has it
        self._collect()
        bucket = self._bucket(x, context)
        compiled = self._compiled.get(bucket) if bucket else None
        if bucket is None or compiled is None:
            self._ask(bucket)
            return (self._eager(x, t, context),)
        self._compiled.move_to_end(bucket)
        try:
            answer = compiled(x, t, context)
        except RuntimeError as error:
            self._refuse(bucket, str(error))
            return (self._eager(x, t, context),)
        if bucket in self._unproven:
            return (self._prove(bucket, answer, self._eager(x, t, context)),)
        return (answer,)

    def _eager(self, x: Tensor, t: Tensor, context: Tensor) -> Tensor:
        answer: Tensor = self._unet(x, t, context, return_dict=False)[0]
        return answer

    def _bucket(self, x: Tensor, context: Tensor) -> Bucket | None:
        """Return the bucket of a call; None while LoRAs are half in the weights."""
        loras = self._weights.used
        if loras is None:
            return None
        named = tuple((lora.identity, multiplier) for lora, multiplier in loras)
        return Bucket(latents=tuple(x.shape), tokens=context.shape[1], loras=named)

    def _prove(self, bucket: Bucket, answer: Tensor, eager: Tensor) -> Tensor:
        """Return torch's answer, and go on with the compiled UNet only where its own is close enough."""
        self._unproven.discard(bucket)
        difference = float((answer - eager).norm() / eager.norm().clamp(min=1e-6))
        if not difference <= self._compiler.tolerance:
            self._refuse(bucket, f"its answer is {difference:.1e} off")
        return eager

    def _refuse(self, bucket: Bucket, reason: str) -> None:
        log.warning(
            "a size is painted without the compiler", backend=self._compiler.name, size=bucket.latents, reason=reason
        )
        self._refused.add(bucket)
        self._compiled.pop(bucket, None)

    def _ask(self, bucket: Bucket | None) -> None:
        """Have a shape compiled that has come often enough, if nothing else is being compiled."""
        if self._busy or bucket is None or bucket in self._refused:
            return
        if len(self._calls) >= _COUNTED:
            self._calls.clear()
        self._calls[bucket] += 1
        threads, changes = torch.get_num_threads(), self._weights.changes
        if not self._is_worth_it(bucket, threads):
            return
        self._busy = True
        self._start(lambda: self._compile(bucket, threads, changes))

    def _is_worth_it(self, bucket: Bucket, threads: int) -> bool:
        if len(self._compiled) >= self._kept:
            return self._calls[bucket] >= _WORTH_REPLACING
        return self._calls[bucket] >= _WORTH or self._compiler.has(bucket, threads=threads)

    def _compile(self, bucket: Bucket, threads: int, changes: int) -> None:
        interval = sys.getswitchinterval()
        sys.setswitchinterval(_SWITCH)
        result: Predict | Exception | None
        try:
            result = self._compiler.compile(bucket, threads=threads, unchanged=lambda: self._weights.changes == changes)
        except Exception as error:  # noqa: BLE001 - whatever a compiler raises, torch goes on painting
            result = error
        sys.setswitchinterval(interval)
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

    def _keep(self, bucket: Bucket, compiled: Predict) -> None:
        while len(self._compiled) >= self._kept:
            self._compiled.popitem(last=False)
        self._unproven.add(bucket)
        self._compiled[bucket] = compiled


def _in_a_thread(work: Callable[[], None]) -> None:
    # A daemon: the end of the worker waits for no compiler.
    threading.Thread(target=lambda: _with_low_priority(work), name="compiler", daemon=True).start()


def _with_low_priority(work: Callable[[], None]) -> None:
    if hasattr(os, "setpriority") and sys.platform == "linux":  # where a thread has a priority of its own
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 5)
    work()
