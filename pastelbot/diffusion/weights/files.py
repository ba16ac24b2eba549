"""Reading a checkpoint's tensors from a diffusers folder or a single file, without running any of its code."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from pastelbot.diffusion.weights import ldm
from pastelbot.diffusion.weights.alphas import ALPHAS, stated_alphas
from pastelbot.diffusion.weights.ldm import Config
from pastelbot.diffusion.weights.original_names import original_vae_name
from pastelbot.diffusion.weights.pickles import read_pickled
from pastelbot.diffusion.weights.tensor_sources import SafetensorsSource, check_numbers, read_plain
from pastelbot.errors import CheckpointError
from pastelbot.formats.file_forms import is_safetensors
from pastelbot.formats.hashes import HashInBackground
from pastelbot.formats.identify import CHECKPOINTS, SD1_VAE, identify, kind_of_pickle
from pastelbot.formats.layout.checking import NO_VAE, Shapes, vae_faults
from pastelbot.formats.layout.folder_parts import has_vae, weights_files
from pastelbot.formats.layout.prediction import NOTHING_STATED, Scheduler, file_scheduler, prediction_of, tidied
from pastelbot.formats.layout.tables import VAE_PREFIX
from pastelbot.formats.precheck import check_shapes
from pastelbot.formats.safetensors_header import read_header
from pastelbot.formats.texts.json_files import read_json

_INPAINTING_CHANNELS = 9  # latents, a mask, and the latents of what stays
SAFE_SUFFIX = ".safetensors"

_OLD_VAE_ATTENTION = {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}


_Read = Callable[[Path], dict[str, Tensor]]


@dataclass(frozen=True, kw_only=True)
class Network:
    """One network's configuration and its tensors under diffusers' names."""

    config: Config
    tensors: dict[str, Tensor]


@dataclass(frozen=True, kw_only=True)
class Weights:
    """Everything that a checkpoint file or folder holds; not all have a tokenizer of their own.

    `hash` is the webui's, of the file or of the UNet's files.
    """

    name: str
    hash: HashInBackground
    unet: Network
    vae: Network | None
    text_encoder: Network
    tokenizer: Path | None
    prediction_type: str
    scheduler: Config

    @property
    def own_vae(self) -> Network:
        """Return the VAE; raises CheckpointError where it was left out."""
        if self.vae is None:
            raise CheckpointError(f"{self.name} has no VAE.")
        return self.vae


def read_folder(
    folder: Path,
    name: str | None = None,
    *,
    needs_vae: bool = True,
    shapes_only: bool = False,
    stated: Scheduler = NOTHING_STATED,
) -> Weights:
    """Read a diffusers folder, by default named after itself; a CheckpointError names what is missing or wrong.

    Its VAE is left out unless it is needed. With `shapes_only` no numbers are read. `stated` is what the operator says
    of its scheduler.
    """
    read = _empty_tensors if shapes_only else read_tensors
    index = _read_json(folder / "model_index.json")
    kind = str(index.get("_class_name", "StableDiffusionPipeline"))
    if "XL" in kind or not kind.startswith("StableDiffusion"):
        raise CheckpointError(f"{folder} is a {kind}, not a Stable Diffusion 1.x checkpoint.")
    unet_files = weights_files(folder / "unet", "diffusion_pytorch_model")
    unet = Network(config=_read_json(folder / "unet" / "config.json"), tensors=_joined(unet_files, read))
    check_unet_config(folder, unet.config)
    scheduler = {**tidied(str(folder), _read_json(folder / "scheduler" / "scheduler_config.json")), **stated}
    return Weights(
        name=str(index.get("_pastelbot_name", name or folder.resolve().name)),
        hash=HashInBackground(*unet_files),
        unet=unet,
        vae=_own_vae(folder, read) if needs_vae else None,
        text_encoder=_read_text_encoder(folder / "text_encoder", read),
        tokenizer=folder / "tokenizer" if (folder / "tokenizer").is_dir() else None,
        prediction_type=prediction_of(str(folder), scheduler),
        scheduler=scheduler,
    )


def _joined(files: Iterable[Path], read: _Read) -> dict[str, Tensor]:
    return {name: tensor for file in files for name, tensor in read(file).items()}


def read_scheduler(folder: Path) -> Config:
    """Return the noise schedule's configuration of a diffusers folder; empty where parts of a checkpoint have none."""
    path = folder / "scheduler" / "scheduler_config.json"
    return tidied(str(folder), _read_json(path)) if path.is_file() else {}


def check_unet_config(folder: Path, config: Config) -> None:
    """Raise a CheckpointError that says what a diffusers folder is, where it is not of Stable Diffusion 1.x."""
    width = config.get("cross_attention_dim")
    if config.get("addition_embed_type") is not None or width == 2048:
        raise CheckpointError(f"{folder} is an SDXL checkpoint, not a Stable Diffusion 1.x checkpoint.")
    if width == 1024:
        raise CheckpointError(f"{folder} is a Stable Diffusion 2.x checkpoint, not a Stable Diffusion 1.x checkpoint.")
    inputs = config.get("in_channels", 4)
    if inputs == 8:
        raise CheckpointError(
            f"{folder} is an InstructPix2Pix model, which is shown a whole picture; Pastelbot does not paint with it."
        )
    if inputs not in (4, _INPAINTING_CHANNELS):
        raise CheckpointError(f"{folder} has a UNet of {inputs} channels, not one of Stable Diffusion 1.x.")


def _read_text_encoder(folder: Path, read: _Read) -> Network:
    tensors = _joined(weights_files(folder, "model", "pytorch_model"), read)
    named = {re.sub(r"^text_model\.", "", name): tensor for name, tensor in tensors.items()}
    kept = {name: tensor for name, tensor in named.items() if not name.endswith("position_ids")}
    return Network(config=_read_json(folder / "config.json"), tensors=kept)


def read_file(path: Path, *, needs_vae: bool = True, stated: Scheduler = NOTHING_STATED) -> Weights:
    """Read a single-file checkpoint with the original names; raises a CheckpointError that says what else it is.

    Its VAE is left out unless it is needed. `stated` is what the operator says of how it predicts.
    """
    if is_safetensors(path):  # its header tells before gigabytes are read
        check_shapes(str(path), read_header(path).shapes, needs_vae=needs_vae)
    tensors = read_tensors(path)
    alphas = stated_alphas(tensors.get(ALPHAS))
    scheduler = file_scheduler(path, tensors, _metadata_of(path), alphas=alphas, stated=stated)
    check_shapes(str(path), _shapes_of(tensors), needs_vae=needs_vae)
    check_numbers(str(path), {name: tensor.dtype for name, tensor in tensors.items()})
    unet, text = ldm.unet_tensors(tensors), ldm.text_tensors(tensors)
    vae = ldm.vae_tensors(tensors) if needs_vae else {}
    return Weights(
        name=path.stem,
        hash=HashInBackground(path),
        unet=Network(config=ldm.unet_config(unet), tensors=unet),
        vae=Network(config=ldm.vae_config(vae), tensors=vae) if needs_vae else None,
        text_encoder=Network(config=ldm.text_config(text), tensors=text),
        tokenizer=None,
        prediction_type=prediction_of(str(path), scheduler),
        scheduler=scheduler,
    )


def _metadata_of(path: Path) -> Mapping[str, str]:
    return read_header(path).metadata if is_safetensors(path) else {}


def read_vae(path: Path) -> Network:
    """Read a VAE from its diffusers folder, or from a single file under the original or diffusers' names."""
    if path.is_dir():
        return _read_vae_folder(path, read_tensors)
    tensors = read_tensors(path)
    check_vae_shapes(str(path), _shapes_of(tensors))
    renamed = _modern_attention(tensors) if _is_of_diffusers(tensors) else ldm.vae_tensors(tensors)
    return Network(config=ldm.vae_config(renamed), tensors=renamed)


def _own_vae(folder: Path, read: _Read) -> Network:
    if not has_vae(folder):
        raise CheckpointError(f"{folder} is incomplete. {NO_VAE}")
    return _read_vae_folder(folder / "vae", read)


def _read_vae_folder(folder: Path, read: _Read) -> Network:
    tensors = _joined(weights_files(folder, "diffusion_pytorch_model"), read)
    return Network(config=_read_json(folder / "config.json"), tensors=_modern_attention(tensors))


def _modern_attention(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename the VAE attention of checkpoints saved by diffusers before 0.17."""
    pattern = re.compile(r"(mid_block\.attentions\.0)\.(query|key|value|proj_attn)\.")
    return {
        pattern.sub(lambda found: f"{found[1]}.{_OLD_VAE_ATTENTION[found[2]]}.", name): tensor
        for name, tensor in tensors.items()
    }


def check_vae_kind(path: Path) -> None:
    """Raise a CheckpointError that says what a safetensors file is, unless there is a VAE in it."""
    if is_safetensors(path):
        check_vae_shapes(str(path), read_header(path).shapes)


def check_vae_shapes(label: str, shapes: Shapes) -> None:
    """Raise a CheckpointError unless the tensors are, or hold, a whole VAE of Stable Diffusion 1.x."""
    kind = identify(shapes)
    if kind not in (SD1_VAE, *CHECKPOINTS):
        raise CheckpointError(f"{label} is {kind or 'an unknown kind of file'}, not a VAE of Stable Diffusion 1.x.")
    faults = vae_file_faults(shapes)
    if faults:
        raise CheckpointError(f"{label} is no whole VAE of Stable Diffusion 1.x. {' '.join(faults)}")


def vae_file_faults(shapes: Shapes) -> list[str]:
    """Return sentences about what is wrong with a VAE's tensors, of either naming, or with the VAE of a checkpoint."""
    return vae_faults(_original_vae_shapes(shapes))


def _original_vae_shapes(shapes: Shapes) -> Shapes:
    """Return a VAE's shapes by the original names without prefix, from a file of either naming or a checkpoint."""
    if _is_of_diffusers(shapes):
        names = {name: original_vae_name(name) or name for name in shapes}
        return {names[name].removeprefix(VAE_PREFIX): shape for name, shape in shapes.items()}
    within = {name: shape for name, shape in shapes.items() if name.startswith(VAE_PREFIX)}
    return {name.removeprefix(VAE_PREFIX): shape for name, shape in (within or shapes).items()}


def _is_of_diffusers(names: Iterable[str]) -> bool:
    return any(".down_blocks." in name for name in names)


def _shapes_of(tensors: Mapping[str, Tensor]) -> Shapes:
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Read a file's tensors, mapped one by one where it is of safetensors; a pickled one may hold only plain data."""
    if is_safetensors(path):
        try:
            with safe_open(path, "pt") as file:  # which looks whether its header is sound
                names = list(file.keys())
        except (SafetensorError, OSError) as error:
            raise CheckpointError(
                f"{path} is damaged or not a safetensors file: {error}. Download it again."
            ) from error
        source = SafetensorsSource(path)
        return {name: source.mapped(name) for name in names}
    tensors = read_pickled(path)
    if not tensors:
        kind = kind_of_pickle(read_plain(path)) or "an unknown kind of file"
        raise CheckpointError(f"{path} is {kind}: it holds no tensors with names.")
    return tensors


def _empty_tensors(path: Path) -> dict[str, Tensor]:
    """Return a file's tensors without their numbers, which are not read where the file is of safetensors."""
    shapes = read_header(path).shapes if is_safetensors(path) else _shapes_of(read_pickled(path))
    return {name: torch.empty(shape, device="meta") for name, shape in shapes.items()}


def _read_json(path: Path) -> Config:
    try:
        content = read_json(path)
    except FileNotFoundError as error:
        raise CheckpointError(f"{path} is missing: the folder is not a complete diffusers checkpoint.") from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise CheckpointError(f"{path} cannot be read: {reason}. Download it again.") from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{path} is not a configuration: it holds no table.")
    return cast("Config", content)
