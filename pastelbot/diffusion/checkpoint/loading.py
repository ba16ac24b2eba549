"""Loading a checkpoint or a VAE by its reference: where it is, and which loader it takes."""

from collections.abc import Callable
from pathlib import Path

import torch

from pastelbot.diffusion.checkpoint.checkpoint import Checkpoint
from pastelbot.diffusion.checkpoint.devices import choose_device, choose_dtype
from pastelbot.diffusion.checkpoint.onnx_checkpoint import load_onnx
from pastelbot.diffusion.checkpoint.torch_checkpoint import load_torch, load_torch_vae
from pastelbot.diffusion.networks.vae import NamedVae
from pastelbot.formats.exported import read_manifest
from pastelbot.formats.hub import locate, reference_path
from pastelbot.formats.layout.prediction import NOTHING_STATED, Scheduler


def load(
    reference: str,
    *,
    vae: str | None = None,
    stated: Scheduler = NOTHING_STATED,
    device: str = "auto",
    precision: str = "auto",
    revision: str | None = None,
    offline: bool = False,
    cache_dir: Path | None = None,
    on_progress: Callable[[str], None] | None = None,
) -> Checkpoint:
    """Load a checkpoint from a diffusers folder, a single file, an ONNX export or the hub.

    `vae` names a VAE of its own, file or folder; `stated` is what the operator says of its scheduler. `device` is one
    of DEVICES, `precision` "auto" or one of PRECISIONS; "auto" takes half precision on CUDA, bfloat16 for
    large UNets on CPUs that are fast in it, and float32 elsewhere. Raises a CheckpointError that says what to do.
    """
    place = locate(reference, revision=revision, offline=offline, cache_dir=cache_dir, on_progress=on_progress)
    if on_progress is not None:
        on_progress(f"Loading {place.name}")
    manifest = read_manifest(place)
    # Latents of an exported checkpoint stay on the CPU, and a VAE in place of its own runs there.
    chosen = choose_device("cpu" if manifest is not None else device)
    dtype = torch.float32 if manifest is not None else choose_dtype(precision, chosen)
    own = None
    if vae is not None:
        own = load_vae(vae, device=chosen, dtype=dtype, offline=offline, cache_dir=cache_dir, on_progress=on_progress)
    if manifest is not None:
        return load_onnx(place, manifest, device=device, vae=own, stated=stated)
    # A folder from the hub is called after a commit in the cache.
    name = None if reference_path(reference).exists() else reference.rpartition("/")[2]
    return load_torch(
        place, name, vae=own, stated=stated, device=chosen, precision=precision, offline=offline, cache_dir=cache_dir
    )


def load_vae(
    reference: str,
    *,
    device: torch.device,
    dtype: torch.dtype,
    offline: bool = False,
    cache_dir: Path | None = None,
    on_progress: Callable[[str], None] | None = None,
) -> NamedVae:
    """Load a VAE of its own: a file, a diffusers folder or either on the hub. Raises CheckpointError."""
    place = locate(reference, key="checkpoint.vae", offline=offline, cache_dir=cache_dir, on_progress=on_progress)
    return load_torch_vae(place, device, dtype)
