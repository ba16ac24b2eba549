"""From the worker's options to checkpoints and engines: for the worker process and for the command line."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch

from pastelbot.config import MoreCheckpointSettings, WorkerOptions, checkpoint_location
from pastelbot.diffusion.backends.choice import CompiledNetworks, compiled_networks
from pastelbot.diffusion.checkpoint import loading
from pastelbot.diffusion.checkpoint.checkpoint import Checkpoint
from pastelbot.diffusion.engine.engine import Engine
from pastelbot.diffusion.engine.grid_engine import GridEngine
from pastelbot.diffusion.engine.pool import EnginePool
from pastelbot.diffusion.image.upscalers import Upscalers
from pastelbot.diffusion.image.vae_cache import VaeCache
from pastelbot.diffusion.networks.vae import NamedVae
from pastelbot.errors import CheckpointError, NotFoundError
from pastelbot.formats.layout.prediction import stated_scheduler
from pastelbot.formats.network_files import NetworkFolders
from pastelbot.paths import expanded_path

OnProgress = Callable[[str], None]
# Surrounds a loading that is described in words, and yields what takes its progress, also in words.
During = Callable[[str], AbstractContextManager[OnProgress | None]]


def _unreported(_what: str) -> AbstractContextManager[None]:
    """Surround a loading that is reported nowhere."""
    return nullcontext()


def load_checkpoint(
    options: WorkerOptions, name: str = "", on_progress: OnProgress | None = None, *, vae: str = ""
) -> Checkpoint:
    """Load the checkpoint of a name, by default the default one; raises NotFoundError or CheckpointError.

    `vae` takes the place of the one that is configured for it.
    """
    source = _source(options, name)
    settings = options.checkpoint
    return loading.load(
        checkpoint_location(source.path),
        vae=options.vaes.get(vae or source.vae or "", vae or source.vae),
        stated=stated_scheduler(source.prediction, zero_terminal_snr=source.zero_terminal_snr),
        device=settings.device,
        precision=settings.precision,
        revision=source.revision,
        offline=settings.offline,
        cache_dir=settings.cache_dir,
        on_progress=on_progress,
    )


def _load_another(options: WorkerOptions, name: str, during: During) -> Checkpoint:
    """Load a checkpoint for a job that names it; errors, which users read, name no folder."""
    reference = checkpoint_location(_source(options, name).path)
    with _without_folder(reference), during(f"Loading {name}") as on_progress:
        return load_checkpoint(options, name, on_progress)


def make_engine(
    options: WorkerOptions,
    checkpoint: Checkpoint,
    during: During = _unreported,
    *,
    compiled: CompiledNetworks | None = None,
) -> Engine:
    """Return an engine that paints with a checkpoint, and with the operator's upscalers, LoRAs, embeddings and VAEs.

    `compiled` answers in place of the checkpoint's networks and of other VAEs.
    """
    settings = options.checkpoint

    def load(reference: str) -> NamedVae:
        with _without_folder(reference), during("Loading a VAE") as on_progress:
            named = loading.load_vae(
                reference,
                device=checkpoint.device,
                dtype=checkpoint.dtype,
                offline=settings.offline,
                cache_dir=settings.cache_dir,
                on_progress=on_progress,
            )
        if compiled is not None:
            compiled.serve(named.vae)
        return named

    return Engine(
        checkpoint,
        upscalers=Upscalers(settings.upscalers, checkpoint.device),
        networks=NetworkFolders(loras=settings.loras, embeddings=settings.embeddings),
        vaes=VaeCache(options.vaes, load),
        compiled=None if compiled is None else compiled.unet,
        measured_rows=True,
        preview_every=options.worker.preview_steps,
        taesd=settings.taesd,
    )


def make_engines(options: WorkerOptions, during: During) -> tuple[GridEngine, Checkpoint]:
    """Load the default checkpoint; return it, and what paints with it and with the others as jobs name them."""
    if options.worker.threads:
        torch.set_num_threads(options.worker.threads)
    name = options.checkpoint.name
    with during(f"Loading {name}") as on_progress:
        checkpoint = load_checkpoint(options, on_progress=on_progress)
    pool = EnginePool(
        name,
        checkpoint,
        load=lambda other: _load_another(options, other, during),
        make=lambda loaded: make_engine(
            options, loaded, during, compiled=compiled_networks(loaded, options.checkpoint.backend, options.compiled)
        ),
        in_memory=options.worker.checkpoints_in_memory,
        slots=options.worker.jobs_at_once,
    )
    return GridEngine(pool), checkpoint


def _source(options: WorkerOptions, name: str) -> MoreCheckpointSettings:
    settings = options.checkpoint
    if name in ("", settings.name):
        return MoreCheckpointSettings(**{key: getattr(settings, key) for key in MoreCheckpointSettings.model_fields})
    if name not in options.checkpoints:
        raise NotFoundError(f"The checkpoint {name[:60]!r} is no longer here.")
    return options.checkpoints[name]


@contextmanager
def _without_folder(reference: str) -> Iterator[None]:
    """Name a file without its folder in errors: users, who read them, cannot use it."""
    try:
        yield
    except CheckpointError as error:
        folder = expanded_path(reference).parent
        raise CheckpointError(str(error).replace(f"{folder}{os.sep}", "")) from error
