"""Loading an ONNX checkpoint, as `pastelbot export onnx` writes it: the same Checkpoint, its networks in ONNX Runtime.

Latents, samplers and guidance stay with torch on the CPU; the networks run on the CPU or a CUDA device.
"""

from pathlib import Path
from typing import Any

import torch

from pastelbot.diffusion.checkpoint.checkpoint import Checkpoint
from pastelbot.diffusion.checkpoint.onnx_networks import PROVIDERS, OnnxTextEncoder, OnnxUnet, Session, onnx_vae
from pastelbot.diffusion.conditioning.conditioner import Conditioner
from pastelbot.diffusion.lora.patch import Patch
from pastelbot.diffusion.lora.targets import Targets
from pastelbot.diffusion.networks.vae import NamedVae, Vae
from pastelbot.diffusion.sampling.schedules import sigmas_of
from pastelbot.errors import CheckpointError, PaintingError
from pastelbot.formats.exported import MODEL, TEXT_ENCODER, UNET, VAE_DECODER, VAE_ENCODER, Manifest, check_export
from pastelbot.formats.layout.prediction import NOTHING_STATED, Scheduler, prediction_of
from pastelbot.formats.texts.json_files import read_json
from pastelbot.prompt.tokenization.tokenizer import ClipTokenizer


class _FixedWeights:
    """The patches of an exported checkpoint, which takes no LoRAs: the weights of a graph cannot be changed."""

    def __init__(self, name: str) -> None:
        """Take the checkpoint's name, for the refusal."""
        self._name = name
        self.unet = self.text = Patch(dict)

    @property
    def targets(self) -> Targets:
        """Raise a PaintingError that says what to do instead."""
        raise PaintingError(
            f"The checkpoint {self._name} runs in ONNX Runtime and cannot take LoRAs: choose another checkpoint, or "
            "let the operator merge them before it is exported."
        )


def load_onnx(
    folder: Path, manifest: Manifest, *, device: str, vae: NamedVae | None = None, stated: Scheduler = NOTHING_STATED
) -> Checkpoint:
    """Load an exported folder; raises a CheckpointError that says what is missing.

    `vae` replaces its own, and `stated` what it says of how it predicts.
    """
    check_export(folder, manifest)
    runs_on, cpu = _device(device), torch.device("cpu")
    config = {part: _read(folder / part / "config.json") for part in (TEXT_ENCODER, VAE_DECODER)}
    sessions = {
        part: Session(folder / part / MODEL, runs_on)
        for part in (TEXT_ENCODER, UNET, VAE_ENCODER, VAE_DECODER)
        if vae is None or part not in (VAE_ENCODER, VAE_DECODER)
    }
    text_encoder = OnnxTextEncoder(sessions[TEXT_ENCODER], config[TEXT_ENCODER])
    unet = OnnxUnet(sessions[UNET])
    if vae is None:
        vae = NamedVae(vae=Vae(onnx_vae(sessions[VAE_ENCODER], sessions[VAE_DECODER], config[VAE_DECODER]), cpu))
    scheduler = {**_read(folder / "scheduler" / "scheduler_config.json"), **stated}
    tokenizer = ClipTokenizer.from_folder(folder / "tokenizer")
    return Checkpoint(
        name=manifest.name,
        hash=manifest.hash,
        tokenizer=tokenizer,
        text_encoder=text_encoder,
        unet=unet,
        vae=vae.vae,
        vae_name=vae.name,
        vae_hash=vae.hash,
        device=cpu,
        dtype=unet.dtype,
        prediction_type=prediction_of(manifest.name, scheduler),
        sigmas=sigmas_of(manifest.name, scheduler),
        conditioner=Conditioner(tokenizer, text_encoder, device=cpu, dtype=unet.dtype),
        patches=_FixedWeights(manifest.name),
    )


def _device(device: str) -> torch.device:
    import onnxruntime  # an extra

    there = [kind for kind, provider in PROVIDERS.items() if provider in onnxruntime.get_available_providers()]
    if device == "auto":
        return torch.device("cuda" if "cuda" in there else "cpu")
    kind = device.partition(":")[0]
    if kind not in PROVIDERS:
        raise CheckpointError(
            f"An ONNX checkpoint does not run on the device {device!r}; set checkpoint.device to auto, cpu or cuda."
        )
    if kind not in there:
        raise CheckpointError(
            f"The installed ONNX Runtime cannot use the device {device!r}: set checkpoint.device to auto, or install "
            "the package onnxruntime-gpu in place of onnxruntime."
        )
    return torch.device(device)


def _read(path: Path) -> dict[str, Any]:
    try:
        content = read_json(path)
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} is missing or damaged; export the checkpoint again.") from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{path} is damaged; export the checkpoint again.")
    return content
