"""The worker process: owns torch and the device, knows no Discord and no database.

It may be killed at any time. An unexpected error ends it on purpose: the executor starts a fresh one, and the jobs
it had are painted again, each alone.
"""

import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

from pastelbot.errors import CheckpointError, NotFoundError, PastelError
from pastelbot.formats.network_files import NetworkFolders
from pastelbot.jobs.heartbeat import SignsOfLife
from pastelbot.records import (
    Cancel,
    Command,
    Event,
    Paint,
    PaintingFailed,
    Stop,
    WorkerLost,
    WorkerReady,
)

if TYPE_CHECKING:
    from pastelbot.diffusion.checkpoint.checkpoint import Checkpoint
    from pastelbot.diffusion.engine.engine import Engine
    from pastelbot.diffusion.engine.grid_engine import Painting
    from pastelbot.diffusion.networks.vae import NamedVae


@dataclass(frozen=True, kw_only=True)
class CheckpointSource:
    """Where another checkpoint is, and its VAE where that is not inside."""

    path: str
    vae: str | None = None
    revision: str | None = None


@dataclass(frozen=True, kw_only=True)
class WorkerOptions:
    """What the worker loads, and onto what; the meanings are those of the configuration's keys.

    `name` is the default checkpoint's; `checkpoints` and `vaes` are those that a request may name besides it.
    """

    checkpoint: str
    name: str = "default"
    vae: str | None = None
    checkpoints: Mapping[str, CheckpointSource] = field(default_factory=dict)
    vaes: Mapping[str, str] = field(default_factory=dict)
    checkpoints_in_memory: int = 2
    upscalers: Path | None = None
    loras: Path | None = None
    embeddings: Path | None = None
    revision: str | None = None
    offline: bool = False
    cache_dir: Path | None = None
    device: str = "auto"
    precision: str = "auto"
    threads: int = 0
    preview_steps: int = 0
    taesd: Path | None = None


Target = Callable[[Connection, WorkerOptions], None]


def main(connection: Connection, options: WorkerOptions) -> None:
    """Load the checkpoint, say so, and paint until told to stop or left alone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the bot decides
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):  # the bot process is gone
        try:
            engine, ready = _load(options, SignsOfLife(connection))
        except PastelError as error:
            connection.send(WorkerLost(reason=str(error)))
            return
        connection.send(ready)
        serve(connection, engine)


def serve(connection: Connection, engine: "Painting") -> None:
    """Turn commands into pictures: between any two steps, look whether something new has come."""
    while True:
        while connection.poll(None if engine.idle else 0):
            command: Command = connection.recv()
            if isinstance(command, Stop):
                return
            for event in _obey(command, engine):
                connection.send(event)
        for event in engine.step():
            connection.send(event)


def _obey(command: Paint | Cancel, engine: "Painting") -> list[Event]:
    if isinstance(command, Cancel):
        engine.cancel(command.job_id)
        return []
    try:
        engine.admit(command.job_id, command.request)
    except PastelError as error:
        return [PaintingFailed(job_id=command.job_id, reason=str(error))]
    return []


def load_checkpoint(
    options: WorkerOptions, name: str = "", on_progress: Callable[[str], None] | None = None
) -> "Checkpoint":
    """Load the checkpoint of a name, by default the default one; imports torch."""
    from pastelbot.diffusion.checkpoint import checkpoint  # noqa: PLC0415

    source = CheckpointSource(path=options.checkpoint, vae=options.vae, revision=options.revision)
    if name not in ("", options.name):
        if name not in options.checkpoints:
            raise NotFoundError(f"There is no checkpoint {name[:60]!r} here any more.")
        source = options.checkpoints[name]
    return checkpoint.load(
        source.path,
        vae=options.vaes.get(source.vae or "", source.vae),
        device=options.device,
        precision=options.precision,
        revision=source.revision,
        offline=options.offline,
        cache_dir=options.cache_dir,
        on_progress=on_progress,
    )


def make_engine(options: WorkerOptions, loaded: "Checkpoint", signs: SignsOfLife | None = None) -> "Engine":
    """Return an engine that paints with a checkpoint, and with the operator's upscalers, LoRAs, embeddings and VAEs.

    `signs` are given while a VAE is loaded.
    """
    from pastelbot.diffusion.checkpoint.checkpoint import load_vae  # noqa: PLC0415
    from pastelbot.diffusion.engine.engine import Engine  # noqa: PLC0415
    from pastelbot.diffusion.image.upscalers import Upscalers  # noqa: PLC0415
    from pastelbot.diffusion.image.vae_cache import VaeCache  # noqa: PLC0415

    def load(reference: str) -> "NamedVae":
        with _without_folder(reference), _during(signs, "Loading a VAE") as on_progress:
            return load_vae(
                reference,
                device=loaded.device,
                dtype=loaded.dtype,
                offline=options.offline,
                cache_dir=options.cache_dir,
                on_progress=on_progress,
            )

    return Engine(
        loaded,
        upscalers=Upscalers(options.upscalers, loaded.device),
        networks=NetworkFolders(loras=options.loras, embeddings=options.embeddings),
        vaes=VaeCache(options.vaes, load),
        preview_every=options.preview_steps,
        taesd=options.taesd,
    )


@contextmanager
def _without_folder(reference: str) -> Iterator[None]:
    """Let errors call a file by its name alone: people, who read them, have no use for the folder."""
    try:
        yield
    except CheckpointError as error:
        folder = Path(reference).expanduser().parent
        raise CheckpointError(str(error).replace(f"{folder}{os.sep}", "")) from error


def _during(signs: SignsOfLife | None, what: str) -> AbstractContextManager[Callable[[str], None] | None]:
    return nullcontext() if signs is None else signs.during(what)


def _load_more(options: WorkerOptions, name: str, signs: SignsOfLife) -> "Checkpoint":
    path = options.checkpoints[name].path if name in options.checkpoints else options.checkpoint
    with _without_folder(path), signs.during(f"Loading {name}") as on_progress:
        return load_checkpoint(options, name, on_progress)


def _load(options: WorkerOptions, signs: SignsOfLife) -> tuple["Painting", WorkerReady]:
    import torch  # noqa: PLC0415 - only here, in the child

    from pastelbot.diffusion.engine.grid_engine import GridEngine  # noqa: PLC0415
    from pastelbot.diffusion.engine.pool import EnginePool  # noqa: PLC0415

    if options.threads:
        torch.set_num_threads(options.threads)
    with signs.during(f"Loading {options.name}") as on_progress:
        loaded = load_checkpoint(options, on_progress=on_progress)
    ready = WorkerReady(device=str(loaded.device), checkpoint=loaded.name, checkpoint_hash=loaded.hash)
    pool = EnginePool(
        options.name,
        loaded,
        load=lambda name: _load_more(options, name, signs),
        make=lambda checkpoint: make_engine(options, checkpoint, signs),
        in_memory=options.checkpoints_in_memory,
    )
    return GridEngine(pool), ready
