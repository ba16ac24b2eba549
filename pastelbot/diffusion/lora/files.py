"""Files of networks in all common forms: by name, and cloneofsimo's lists of LoRAs; others are refused by name."""

import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from torch import Tensor

from pastelbot.diffusion.lora.lora_file import LoraFile
from pastelbot.diffusion.lora.modules import NetworkModule
from pastelbot.diffusion.lora.names import PEFT, adapter_alphas, peft_alphas, read_factor_name
from pastelbot.diffusion.lora.targets import text_list_order
from pastelbot.diffusion.weights.tensor_sources import (
    MemorySource,
    SafetensorsSource,
    TensorSource,
    read_plain,
)
from pastelbot.errors import CheckpointError
from pastelbot.formats.file_forms import is_safetensors
from pastelbot.formats.identify import NETWORKS, identify, kind_of_pickle
from pastelbot.formats.layout.network_kinds import family_of, lacking, way_out

_TEXT_SUFFIX = ".text_encoder.pt"
_SECOND_TEXT = ("lora_te2_", "text_encoder_2.")
_BUNDLED = "bundle_emb."
_LIST_NAME = re.compile(r"(unet|text_encoder):(\d+):(up|down)")


def open_lora(path: Path, *, with_partner: bool = True) -> LoraFile:
    """Open a LoRA file; a list comes with its text encoder's, unless stated otherwise. Raises CheckpointError."""
    if path.is_dir():
        raise CheckpointError(f"{path} is a folder: name the LoRA's file in it.")
    if is_safetensors(path):
        source = SafetensorsSource(path)
        return _from_names(path, source, source.metadata)
    content = read_plain(path)
    if isinstance(content, list):
        return _from_list(path, content, with_partner=with_partner)
    content = _unwrapped(content)
    kind = kind_of_pickle(content)
    if kind is not None:
        raise CheckpointError(f"{path} is {kind}, not a LoRA.")
    tensors = {name: tensor.detach() for name, tensor in _items(content) if isinstance(tensor, Tensor)}
    return _from_names(path, MemorySource(tensors, str(path)), {})


def open_loras(paths: Iterable[Path]) -> list[LoraFile]:
    """Open several LoRA files; a list's text encoder that is named itself is not taken twice."""
    found = list(paths)
    return [open_lora(path, with_partner=partner_of(path) not in found) for path in found]


def partner_of(path: Path) -> Path:
    """Return where a list for the UNet has its list for the text encoder."""
    return path.with_suffix(_TEXT_SUFFIX)


def _unwrapped(content: object) -> object:
    """Return the weights of a pickled LoRA that some trainers put under `state_dict`, or under another name."""
    inside = content.values() if isinstance(content, dict) else ()
    found = (each for each in inside if isinstance(each, dict) and any("lora_" in str(name) for name in each))
    return next(found, content)


def _items(content: object) -> Iterable[tuple[str, object]]:
    return ((str(name), value) for name, value in content.items()) if isinstance(content, dict) else ()


def _from_names(path: Path, source: TensorSource, metadata: Mapping[str, str]) -> LoraFile:
    if any(_LIST_NAME.fullmatch(name) for name in source.entries):
        return LoraFile(
            path=path,
            unet_list=_numbered(source, "unet"),
            text_list=_numbered(source, "text_encoder"),
            metadata=metadata,
        )
    kind = identify({name: entry.shape for name, entry in source.entries.items()})
    if kind not in NETWORKS:
        family = family_of(source.entries, metadata) if kind is None or "network" in kind else None
        end = way_out(family) if family else ""
        raise CheckpointError(f"{path} is {kind or 'an unknown kind of file'}, not a LoRA.{end}")
    if any(name.startswith(_SECOND_TEXT) for name in source.entries):
        raise CheckpointError(f"{path} is an SDXL LoRA, not one for Stable Diffusion 1.x.{way_out(None)}")
    if (family := family_of(source.entries, {})) is not None:
        raise CheckpointError(f"{path} is {kind}, but not one for Stable Diffusion 1.x.{way_out(family)}")
    return _LayersByName(path, source, metadata).file()


class _LayersByName:
    """The tensors of a file, each put to its layer."""

    def __init__(self, path: Path, source: TensorSource, metadata: Mapping[str, str]) -> None:
        self._path, self._source, self._metadata = path, source, metadata
        by_peft = any(name.startswith(PEFT) for name in source.entries)
        self._alphas = peft_alphas(path) if by_peft else adapter_alphas(str(path), metadata)
        self._modules: dict[str, NetworkModule] = {}
        self._layers: set[str] = set()  # as the file names them
        self._unread: list[str] = []
        for name in source.entries:
            self._put(name)

    def file(self) -> LoraFile:
        """Return the file; raises CheckpointError where something of it is not understood."""
        whole = {name: each for name, each in self._modules.items() if each.kind or lacking(each.names)}
        unread = [name for name in self._unread if not _is_extra(name, self._layers)]
        if unread or not whole:
            name = next(iter(unread or self._source.entries))
            end = way_out(family_of(self._source.entries, self._metadata))
            raise CheckpointError(
                f"{self._path} is a LoRA of another form than kohya's and diffusers': it has {name}.{end}"
            )
        for name, module in whole.items():
            module.check(name)
        return LoraFile(
            path=self._path,
            named=whole,
            metadata=self._metadata,
            embeddings=self._embeddings(),
            extras=tuple(sorted({*self._unread, *(self._modules.keys() - whole.keys())})),
        )

    def _put(self, name: str) -> None:
        read = read_factor_name(name)
        if name.startswith(_BUNDLED):
            return
        if read is None:
            self._unread.append(name)
            return
        layer, role = read
        self._layers.add(name[: -len(role)].partition(".lora")[0].rstrip("."))
        usual = next((alpha for prefix, alpha in self._alphas.items() if layer.startswith(prefix)), None)
        module = self._modules.setdefault(layer, NetworkModule(source=self._source, usual_alpha=usual))
        if module.names.setdefault(role, name) != name:
            raise CheckpointError(f"{self._path} has one layer twice: {module.names[role]} and {name}.")

    def _embeddings(self) -> dict[str, dict[str, Tensor]]:
        """Return the embeddings inside: `bundle_emb.NAME.string_to_param.*` or `bundle_emb.NAME.emb_params`."""
        found: dict[str, dict[str, Tensor]] = {}
        for full in self._source.entries:
            if full.startswith(_BUNDLED):
                name, _, tensor = full.removeprefix(_BUNDLED).partition(".")
                found.setdefault(name, {})[tensor] = self._source.read(full)
        return found


def _is_extra(name: str, layers: Collection[str]) -> bool:
    """Return whether an unknown tensor lies in a layer that is understood without it."""
    parts = name.split(".")
    return any(".".join(parts[:count]) in layers for count in range(1, len(parts)))


def _checked(modules: Mapping[str, NetworkModule]) -> dict[str, NetworkModule]:
    for name, module in modules.items():
        module.check(name)
    return dict(modules)


def _numbered(source: TensorSource, part: str) -> tuple[NetworkModule, ...]:
    found: dict[int, NetworkModule] = {}
    for name in source.entries:
        match = _LIST_NAME.fullmatch(name)
        if match and match[1] == part:
            found.setdefault(int(match[2]), NetworkModule(source=source)).names[match[3]] = name
    return tuple(_checked({f"{part}:{number}": found[number] for number in sorted(found)}).values())


def _from_list(path: Path, content: list[object], *, with_partner: bool) -> LoraFile:
    modules = _pairs(path, content)
    if len(modules) == len(text_list_order()):
        return LoraFile(path=path, text_list=modules)
    partner = partner_of(path)
    text: tuple[NetworkModule, ...] = ()
    if with_partner and partner.is_file():
        text = open_lora(partner).text_list
    return LoraFile(path=path, unet_list=modules, text_list=text)


def _pairs(path: Path, content: list[object]) -> tuple[NetworkModule, ...]:
    tensors = {str(place): item.detach() for place, item in enumerate(content) if isinstance(item, Tensor)}
    if len(tensors) != len(content) or len(content) % 2 or not content:
        raise CheckpointError(f"{path} is a list, but not one of a LoRA's factors in pairs.")
    source = MemorySource(tensors, str(path))
    pairs = {
        f"entry {place}": NetworkModule(source=source, names={"up": str(place), "down": str(place + 1)})
        for place in range(0, len(content), 2)
    }
    return tuple(_checked(pairs).values())
