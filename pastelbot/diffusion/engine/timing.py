"""Time a picture on this machine as its worker would paint it: for `pastelbot bench`."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from pastelbot.config import WorkerOptions
from pastelbot.diffusion.backends.choice import CompiledNetworks, compiled_networks
from pastelbot.diffusion.checkpoint.checkpoint import Checkpoint
from pastelbot.diffusion.checkpoint.devices import device_name
from pastelbot.diffusion.engine import factory
from pastelbot.diffusion.engine.engine import Engine, paint_alone
from pastelbot.diffusion.networks.unet import UNet2DConditionModel
from pastelbot.records import GenerationRequest, Progress

_POLL_SECONDS = 0.05
_MOST_WARM_UPS = 8  # pictures: where nothing is compiled any longer, it ends earlier

# Receives what is done, how many pictures of it are done and how many there are.
OnPicture = Callable[[str, int, int], None]


@dataclass(frozen=True, kw_only=True)
class PictureTimes:
    """What a picture takes, in seconds, and with what it was painted.

    `first` is the picture after loading, `pictures` are the measured ones; `steps` has a step of each pass, None
    for a pass of a single step.
    """

    device: str
    device_name: str
    precision: str
    backend: str
    threads: int
    loading: float
    first: float
    pictures: tuple[float, ...]
    steps: tuple[float | None, ...]


def time_pictures(
    options: WorkerOptions, request: GenerationRequest, *, turns: int, on_picture: OnPicture
) -> PictureTimes:
    """Load the default checkpoint and paint a request several times, after pictures that do not count.

    A backend that compiles has compiled the request's sizes before the first measured picture. Raises CheckpointError
    or PaintingError.
    """
    start = time.perf_counter()
    if options.worker.threads:
        torch.set_num_threads(options.worker.threads)
    checkpoint = factory.load_checkpoint(options, on_progress=lambda text: on_picture(text, 0, 0))
    compiled = compiled_networks(checkpoint, options.checkpoint.backend, options.compiled)
    engine = factory.make_engine(options, checkpoint, compiled=compiled)
    loading = time.perf_counter() - start
    first = _warm_up(engine, request, compiled, on_picture)
    clock = _PassClock(request, checkpoint.device)
    pictures = []
    for turn in range(turns):
        on_picture("Painting", turn, turns)
        pictures.append(_seconds(lambda: paint_alone(engine, request, clock.note)))
        clock.end_picture()
    return PictureTimes(
        device=str(checkpoint.device),
        device_name=device_name(checkpoint.device),
        precision=str(checkpoint.unet.dtype).removeprefix("torch."),
        backend=_backend(checkpoint, compiled),
        threads=torch.get_num_threads(),
        loading=loading,
        first=first,
        pictures=tuple(pictures),
        steps=clock.medians,
    )


class _PassClock:
    """Measures the steps of each pass from its first to its last: what is between passes is no step."""

    def __init__(self, request: GenerationRequest, device: torch.device) -> None:
        self._first_pass = request.steps
        self._device = device
        self._moments: dict[int, float] = {}
        self._passes: list[list[float]] = [[]] if request.hires is None else [[], []]
        self._steps = 0

    def note(self, event: Progress) -> None:
        """Note when the first and the last step of a pass are done."""
        self._steps = event.steps
        if event.step in (1, self._first_pass, self._first_pass + 1, event.steps):
            if self._device.type == "cuda":
                torch.cuda.synchronize(self._device)
            self._moments.setdefault(event.step, time.perf_counter())

    def end_picture(self) -> None:
        """Take over a picture's times."""
        edges = ((1, min(self._first_pass, self._steps)), (self._first_pass + 1, self._steps))
        for (first, last), times in zip(edges, self._passes, strict=False):  # one picture may have one pass
            if first < last:
                times.append((self._moments[last] - self._moments[first]) / (last - first))
        self._moments.clear()

    @property
    def medians(self) -> tuple[float | None, ...]:
        """Return the median seconds of a step, pass by pass."""
        return tuple(statistics.median(times) if times else None for times in self._passes)


def _warm_up(
    engine: Engine, request: GenerationRequest, compiled: CompiledNetworks | None, on_picture: OnPicture
) -> float:
    """Paint until everything is compiled, one size after the other; return the seconds of the first picture."""
    on_picture("Painting the first picture", 0, 0)
    first = _seconds(lambda: paint_alone(engine, request))
    if compiled is None:
        return first
    for _ in range(_MOST_WARM_UPS):
        on_picture("Compiling", 0, 0)
        while compiled.compiling:
            time.sleep(_POLL_SECONDS)
        before = compiled.sizes
        paint_alone(engine, request)
        if compiled.sizes == before and not compiled.compiling:
            break
    return first


def _backend(checkpoint: Checkpoint, compiled: CompiledNetworks | None) -> str:
    if compiled is not None:
        return f"{compiled.unet.backend}, sizes compiled: {compiled.sizes}"
    return "torch" if isinstance(checkpoint.unet, UNet2DConditionModel) else "ONNX Runtime"


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
