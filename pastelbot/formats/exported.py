"""Exported checkpoints: folders whose networks run in another runtime than torch, known by their manifest.

Nothing here needs torch, so that the bot process can look at such a folder at its start.
"""

import importlib.util
from dataclasses import dataclass
from pathlib import Path

from pastelbot.errors import CheckpointError, install_command
from pastelbot.formats.texts.json_files import read_json

MANIFEST = "pastelbot.json"
ONNX = "pastelbot-onnx"
JAX = "pastelbot-jax"
VERSION = 1

# Where the networks of an ONNX export lie, as other programs expect them too.
TEXT_ENCODER, UNET, VAE_ENCODER, VAE_DECODER = "text_encoder", "unet", "vae_encoder", "vae_decoder"
_NETWORKS = (TEXT_ENCODER, UNET, VAE_ENCODER, VAE_DECODER)
MODEL = "model.onnx"


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What an exported folder says about itself; name and hash are those of the checkpoint it was made from."""

    format: str
    name: str
    hash: str
    precision: str


def read_manifest(folder: Path) -> Manifest | None:
    """Return a folder's manifest, or None for a folder that is no export; raises CheckpointError for a damaged one."""
    try:
        content = read_json(folder / MANIFEST)
        if content["version"] != VERSION:
            raise CheckpointError(
                f"{folder} was exported by another version of Pastelbot; export the checkpoint again."
            )
        return Manifest(**{key: str(content[key]) for key in ("format", "name", "hash", "precision")})
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise CheckpointError(f"{folder / MANIFEST} is damaged; export the checkpoint again.") from error


def check_export(folder: Path, manifest: Manifest) -> None:
    """Raise the CheckpointError that painting with an exported folder would end in."""
    if manifest.format == JAX:
        raise CheckpointError(
            f"{folder} is an export for JAX, which Pastelbot does not paint with; take the checkpoint itself, or "
            "`pastelbot export onnx`."
        )
    if manifest.format != ONNX:
        raise CheckpointError(f"{folder} is an export of the unknown format {manifest.format!r}.")
    missing = [f"{part}/{MODEL}" for part in _NETWORKS if not (folder / part / MODEL).is_file()]
    if missing:
        raise CheckpointError(f"{folder} is incomplete: {missing[0]} is missing. Export the checkpoint again.")
    if importlib.util.find_spec("onnxruntime") is None:
        raise CheckpointError(
            f"{folder} is an ONNX checkpoint, which needs ONNX Runtime: install it with `{install_command('onnx')}`."
        )
