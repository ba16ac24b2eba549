"""A Stable Diffusion 1.x checkpoint, loaded and ready on one device."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from transformers.models.clip.modeling_clip import CLIPTextModel

from pastelbot.diffusion.conditioning.conditioner import Conditioner
from pastelbot.diffusion.lora.patch import NetworkPatches, original_formats
from pastelbot.diffusion.networks.build import build_text_encoder, build_unet, build_vae
from pastelbot.diffusion.networks.unet import UNet2DConditionModel
from pastelbot.diffusion.networks.vae import NamedVae, Vae
from pastelbot.diffusion.sampling.schedules import ModelSigmas
from pastelbot.diffusion.weights.files import file_hash, read_file, read_folder, read_vae, weights_file
from pastelbot.errors import CheckpointError
from pastelbot.formats.exported import Manifest, read_manifest
from pastelbot.formats.hub import locate, locate_tokenizer
from pastelbot.prompt.tokenizer import ClipTokenizer

BUNDLED_TOKENIZER = Path(__file__).resolve().parents[2] / "data" / "checkpoint" / "tokenizer"

DEVICES = ("auto", "cpu", "cuda", "mps")
PRECISIONS = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}


@dataclass(frozen=True, kw_only=True, eq=False)
class Checkpoint:
    """The networks of one checkpoint on one device, and what an infotext says about it.

    `stored` are the number formats of its file by original name; `vae_name` and `vae_hash` are of a separate file.
    """

    name: str
    hash: str
    tokenizer: ClipTokenizer
    text_encoder: CLIPTextModel
    unet: UNet2DConditionModel
    vae: Vae
    device: torch.device
    dtype: torch.dtype
    prediction_type: str = "epsilon"
    sigmas: ModelSigmas = field(default_factory=ModelSigmas.scaled_linear)
    conditioner: Conditioner
    stored: Mapping[str, torch.dtype] = field(default_factory=dict)
    vae_name: str = ""
    vae_hash: str = ""

    @property
    def own_vae(self) -> NamedVae:
        """Return the VAE, with the name and hash of its file where it has one of its own."""
        return NamedVae(vae=self.vae, name=self.vae_name, hash=self.vae_hash)

    @cached_property
    def patches(self) -> NetworkPatches:
        """Return what puts LoRAs into the networks and takes them out."""
        return NetworkPatches(self.unet, self.text_encoder, self.stored)


def load(
    reference: str,
    *,
    vae: str | None = None,
    device: str = "auto",
    precision: str = "auto",
    revision: str | None = None,
    offline: bool = False,
    cache_dir: Path | None = None,
    on_progress: Callable[[str], None] | None = None,
) -> Checkpoint:
    """Load a checkpoint from a diffusers folder, a single file or the hub.

    `vae` names a VAE of its own, file or folder. `device` is one of DEVICES, `precision` "auto" or one of PRECISIONS;
    "auto" takes half precision on CUDA and float32 elsewhere. Raises a CheckpointError that a person can act on.
    """
    place = locate(reference, revision=revision, offline=offline, cache_dir=cache_dir, on_progress=on_progress)
    if on_progress is not None:
        on_progress(f"Loading {place.name}")
    if (manifest := read_manifest(place)) is not None:
        return _load_exported(place, manifest, vae=vae, device=device, offline=offline, cache_dir=cache_dir)
    chosen = choose_device(device)
    dtype = choose_dtype(precision, chosen)
    # A folder from the hub is called after a commit in the cache.
    name = None if Path(reference).expanduser().exists() else reference.rpartition("/")[2]
    weights = read_folder(place, name) if place.is_dir() else read_file(place)
    if vae is None:
        own = NamedVae(vae=Vae(build_vae(weights.vae, chosen, dtype), chosen))
    else:
        own = load_vae(vae, device=chosen, dtype=dtype, offline=offline, cache_dir=cache_dir, on_progress=on_progress)
    tokenizer = weights.tokenizer or locate_tokenizer(BUNDLED_TOKENIZER, offline=offline, cache_dir=cache_dir)
    text_encoder = build_text_encoder(weights.text_encoder, chosen, dtype)
    clip = ClipTokenizer.from_folder(tokenizer)
    return Checkpoint(
        name=weights.name,
        hash=weights.hash,
        tokenizer=clip,
        text_encoder=text_encoder,
        unet=build_unet(weights.unet, chosen, dtype),
        vae=own.vae,
        vae_name=own.name,
        vae_hash=own.hash,
        device=chosen,
        dtype=dtype,
        prediction_type=weights.prediction_type,
        sigmas=sigmas_of(weights.name, weights.scheduler),
        conditioner=Conditioner(clip, text_encoder, device=chosen, dtype=dtype),
        stored=original_formats(weights.unet.tensors, weights.text_encoder.tensors),
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
    vae = Vae(build_vae(read_vae(place), device, dtype), device)
    file = weights_file(place, "diffusion_pytorch_model") if place.is_dir() else place
    return NamedVae(vae=vae, name=place.name, hash=file_hash(file))


def _load_exported(
    folder: Path, manifest: Manifest, *, vae: str | None, device: str, offline: bool, cache_dir: Path | None
) -> Checkpoint:
    from pastelbot.diffusion.checkpoint.onnx_checkpoint import load_onnx  # noqa: PLC0415 - it builds on this module

    own = None
    if vae is not None:
        cpu = torch.device("cpu")
        own = load_vae(vae, device=cpu, dtype=torch.float32, offline=offline, cache_dir=cache_dir)
    return load_onnx(folder, manifest, device=device, vae=own)


def sigmas_of(name: str, scheduler: Mapping[str, Any]) -> ModelSigmas:
    """Return the noise levels of a scheduler's configuration; raises a CheckpointError that names the checkpoint."""
    if scheduler.get("beta_schedule", "scaled_linear") != "scaled_linear":
        raise CheckpointError(f"{name} was trained on the noise schedule {scheduler['beta_schedule']!r}.")
    return ModelSigmas.scaled_linear(
        start=float(scheduler.get("beta_start", 0.00085)),
        end=float(scheduler.get("beta_end", 0.012)),
        count=int(scheduler.get("num_train_timesteps", 1000)),
    )


def choose_device(device: str) -> torch.device:
    """Return the device of a name, for "auto" the best there is; raises where it is not there."""
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if device == "auto":
        return torch.device(next(kind for kind, there in available.items() if there))
    kind = device.partition(":")[0]
    if kind not in available:
        raise CheckpointError(f"The device {device!r} is unknown; the known ones are {', '.join(DEVICES)}.")
    if not available[kind]:
        raise CheckpointError(f"The device {device!r} is not available on this machine; set checkpoint.device to auto.")
    return torch.device(device)


def choose_dtype(precision: str, device: torch.device) -> torch.dtype:
    """Return the number format of a name, for "auto" half precision on CUDA and float32 elsewhere."""
    if precision == "auto":
        return torch.float16 if device.type == "cuda" else torch.float32
    if precision not in PRECISIONS:
        raise CheckpointError(
            f"The precision {precision!r} is unknown; the known ones are auto, {', '.join(PRECISIONS)}."
        )
    return PRECISIONS[precision]
