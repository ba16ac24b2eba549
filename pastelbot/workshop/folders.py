"""Diffusers folders as sources with the original names, and checkpoints as the parts of a diffusers folder."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pastelbot.diffusion.weights import ldm
from pastelbot.diffusion.weights.alphas import ALPHAS, stated_alphas
from pastelbot.diffusion.weights.files import check_vae_shapes, read_scheduler
from pastelbot.diffusion.weights.original_names import (
    STANDARD,
    is_vae_attention,
    layout_of_diffusers,
    layout_of_original,
    original_text_name,
    original_unet_name,
    original_vae_name,
)
from pastelbot.diffusion.weights.tensor_sources import (
    MemorySource,
    MergedSource,
    SafetensorsSource,
    TensorInfo,
    TensorSource,
    check_checkpoint,
    open_file,
)
from pastelbot.errors import CheckpointError
from pastelbot.formats.exported import read_manifest
from pastelbot.formats.identify import SD1, SDXL_UNET, identify
from pastelbot.formats.layout.checking import original_name
from pastelbot.formats.layout.folder_parts import PARTS, VAE, has_vae, no_folder_of_diffusers, weights_files
from pastelbot.formats.layout.prediction import file_scheduler
from pastelbot.formats.layout.tables import VAE_PREFIX
from pastelbot.formats.precheck import check_shapes
from pastelbot.workshop.merge import POSITION_IDS, positions

OriginalName = Callable[[str], str | None]


@dataclass(frozen=True)
class Opened:
    """A source, the files that it is read from, the diffusers folder where it is a whole one, and how it predicts."""

    source: TensorSource
    files: tuple[Path, ...]
    folder: Path | None = None
    scheduler: Mapping[str, Any] = field(default_factory=dict)


class _Renamed:
    """A source under other names and, where these differ in ones only, other shapes."""

    def __init__(self, source: TensorSource, names: Mapping[str, str], shapes: Mapping[str, tuple[int, ...]]) -> None:
        """Take a source, the source's name by the new name, and shapes by the new name where they differ."""
        self._source, self._names, self.label = source, names, source.label
        self.entries: Mapping[str, TensorInfo] = {
            new: TensorInfo(source.entries[old].dtype, shapes.get(new, source.entries[old].shape))
            for new, old in names.items()
        }

    def read(self, name: str) -> Tensor:
        """Return one tensor."""
        return self._source.read(self._names[name]).reshape(self.entries[name].shape)


def open_reference(path: Path) -> Opened:
    """Open a checkpoint, a file or a diffusers folder; raises CheckpointError."""
    if path.is_dir():
        return open_folder(path)
    source = open_file(path)
    alphas = stated_alphas(source.read(ALPHAS) if ALPHAS in source.entries else None)
    metadata = source.metadata if isinstance(source, SafetensorsSource) else {}
    scheduler = file_scheduler(path, source.entries, metadata, alphas=alphas)
    return Opened(_with_original_names(source), (path,), scheduler=scheduler)


def open_checkpoint(path: Path, *, needs_vae: bool = True) -> Opened:
    """Open what must be a whole SD 1.x checkpoint; raises a CheckpointError that says what else it is."""
    opened = open_reference(path)
    check_checkpoint(opened.source, needs_vae=needs_vae)
    return opened


def _with_original_names(source: TensorSource) -> TensorSource:
    """Return a file's source with the original names, and shapes, where conversions left diffusers' in the VAE."""
    names = {original_name(name): name for name in source.entries}
    if names.keys() == source.entries.keys():
        return source
    names |= {name: name for name in names.keys() & source.entries.keys()}  # where both are there, the original one
    return _Renamed(source, names, _attention_shapes(source, names))


def _attention_shapes(source: TensorSource, names: Mapping[str, str]) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the VAE's attention as convolutions, where diffusers has matrices."""
    return {
        old: (*source.entries[name].shape, 1, 1)
        for old, name in names.items()
        if is_vae_attention(old) and len(source.entries[name].shape) == 2
    }


def open_folder(folder: Path) -> Opened:
    """Open a diffusers folder under the original names; raises CheckpointError."""
    if read_manifest(folder) is not None:
        raise CheckpointError(f"{folder} is an export: take the checkpoint that it was made from.")
    if not (folder / "unet").is_dir() and not (folder / "model_index.json").is_file():
        raise CheckpointError(no_folder_of_diffusers(folder))
    parts_here = [part for part in PARTS if part != VAE or has_vae(folder)]
    files = {part: weights_files(folder / part, *PARTS[part]) for part in parts_here}
    parts = {part: _opened_as_one(paths) for part, paths in files.items()}
    if identify({name: entry.shape for name, entry in parts["unet"].entries.items()}) == SDXL_UNET:
        raise CheckpointError(f"{folder} is an SDXL checkpoint, not {SD1}.")
    sources = [_original_part(source, _naming(part, source)) for part, source in parts.items()]
    missing = MemorySource({original_text_name(POSITION_IDS): positions()}, str(folder))
    whole = folder if (folder / "model_index.json").is_file() else None
    merged = MergedSource(str(folder), missing, *sources)
    return Opened(merged, tuple(path for paths in files.values() for path in paths), whole, read_scheduler(folder))


def _opened_as_one(paths: tuple[Path, ...]) -> TensorSource:
    """Open a part's weights, which may lie in several files."""
    if len(paths) == 1:
        return open_file(paths[0])
    return MergedSource(str(paths[0].parent), *map(open_file, paths))


def _naming(part: str, source: TensorSource) -> OriginalName:
    """Return the function that gives the original names of a part of a diffusers folder."""
    if part == "unet":
        return partial(original_unet_name, layout=layout_of_diffusers(source.entries))
    return original_vae_name if part == "vae" else original_text_name


def _original_part(source: TensorSource, original: OriginalName) -> TensorSource:
    names = {original(name): name for name in source.entries}
    unknown = [name for old, name in names.items() if old is None]
    if unknown:
        raise CheckpointError(f"{source.label} has the unknown tensor {unknown[0]}: it is not of Stable Diffusion 1.x.")
    named = {old: name for old, name in names.items() if old is not None}
    return _Renamed(source, named, _attention_shapes(source, named))


def open_vae(path: Path) -> Opened:
    """Open a VAE under the original names: a file of either naming, a part of a diffusers folder, a checkpoint."""
    if path.is_dir():  # its configuration says how it is built
        folder = path / "vae" if (path / "vae").is_dir() else path
        paths = weights_files(folder, "diffusion_pytorch_model")
        return Opened(_original_part(_opened_as_one(paths), original_vae_name), paths)
    source = open_file(path)
    if any(".down_blocks." in name for name in source.entries):
        return _checked_vae(_original_part(source, original_vae_name), path)
    whole = {name: name for name in source.entries if name.startswith(VAE_PREFIX)}
    # Of a file of its own, what was needed for training alone is left out.
    alone = {VAE_PREFIX + name: name for name in source.entries if name.startswith(_VAE_STARTS)}
    if not (whole or alone):
        raise CheckpointError(f"{source.label} holds no VAE of Stable Diffusion.")
    return _checked_vae(_with_original_names(_Renamed(source, whole or alone, {})), path)


def _checked_vae(source: TensorSource, path: Path) -> Opened:
    check_vae_shapes(source.label, {name: entry.shape for name, entry in source.entries.items()})
    return Opened(source, (path,))


_VAE_STARTS = ("encoder.", "decoder.", "quant_conv.", "post_quant_conv.")


def diffusers_parts(source: TensorSource) -> dict[str, TensorSource]:
    """Return a checkpoint's parts under diffusers' names."""
    layout = layout_of_original(source.entries)
    empty = _empty(source)
    tensors: dict[str, tuple[Mapping[str, Tensor], OriginalName]] = {
        "unet": (ldm.unet_tensors(empty, layout.modules()), partial(original_unet_name, layout=layout)),
        "vae": (ldm.vae_tensors(empty), original_vae_name),
        "text_encoder": (
            {f"text_model.{name}": tensor for name, tensor in ldm.text_tensors(empty).items()},
            original_text_name,
        ),
    }
    return {part: _diffusers_part(source, *named) for part, named in tensors.items()}


def diffusers_configs(source: TensorSource) -> dict[str, ldm.Config]:
    """Return the configurations of a checkpoint's parts, inferred from its tensors; raises CheckpointError."""
    if layout_of_original(source.entries) != STANDARD:
        raise CheckpointError(f"{source.label} is not built as Stable Diffusion 1.x: only its own folder can hold it.")
    check_shapes(source.label, {name: entry.shape for name, entry in source.entries.items()})
    empty = _empty(source)
    return {
        "unet": ldm.unet_config(ldm.unet_tensors(empty)),
        "vae": ldm.vae_config(ldm.vae_tensors(empty)),
        "text_encoder": ldm.text_config(ldm.text_tensors(empty)),
    }


def vae_config(source: TensorSource) -> ldm.Config:
    """Return the configuration of a checkpoint's VAE, inferred from its tensors."""
    return ldm.vae_config(ldm.vae_tensors(_empty(source)))


def _empty(source: TensorSource) -> dict[str, Tensor]:
    return {name: torch.empty(entry.shape, dtype=entry.dtype, device="meta") for name, entry in source.entries.items()}


def _diffusers_part(source: TensorSource, named: Mapping[str, Tensor], original: OriginalName) -> TensorSource:
    names = {}
    for new in named:
        old = original(new) or new
        # Some early checkpoints lack the part "text_model.".
        names[new] = old if old in source.entries else old.replace(".text_model.", ".", 1)
    return _Renamed(source, names, {new: tuple(tensor.shape) for new, tensor in named.items()})
