"""LoRA files in all common forms: LoRA and LoCon by name, and cloneofsimo's lists; others are refused by name."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from torch import Tensor

from pastelbot.diffusion.lora.factors import Factors
from pastelbot.diffusion.lora.names import adapter_alphas, read_factor_name
from pastelbot.diffusion.lora.targets import Target, Targets, original_aliases, text_list_order, unet_list_orders
from pastelbot.diffusion.weights.tensor_sources import (
    MemorySource,
    SafetensorsSource,
    TensorSource,
    read_plain,
)
from pastelbot.errors import CheckpointError
from pastelbot.formats.file_forms import is_safetensors
from pastelbot.formats.identify import identify, kind_of_pickle

_TEXT_SUFFIX = ".text_encoder.pt"
_SECOND_TEXT = ("lora_te2_", "text_encoder_2.")
_BUNDLED = "bundle_emb."
_SDXL_WIDTH = 2048
_CROSS = "attn2_to_k"

_LIST_NAME = re.compile(r"(unet|text_encoder):(\d+):(up|down)")


@dataclass(kw_only=True)
class LoraModule:
    """Where one layer's factors are: names in the source; `usual_alpha` is that of a layer without its own."""

    source: TensorSource
    names: dict[str, str] = field(default_factory=dict)
    usual_alpha: float | None = None

    def shape(self, role: str) -> tuple[int, ...]:
        """Return the shape of a factor: "down", "up" or "mid"."""
        return self.source.entries[self.names[role]].shape

    def alpha(self) -> float | None:
        """Read the alpha, None where there is none; raises CheckpointError."""
        if "alpha" not in self.names:
            return self.usual_alpha
        tensor = self.source.read(self.names["alpha"])
        if tensor.numel() != 1:
            raise CheckpointError(f"{self.source.label} is damaged: {self.names['alpha']} is not a single number.")
        return float(tensor)

    def load(self) -> Factors:
        """Read the factors; raises CheckpointError for damage, NaN and infinity."""
        tensors = {role: self.source.read(name) for role, name in self.names.items() if role != "alpha"}
        return Factors(down=tensors["down"], up=tensors["up"], mid=tensors.get("mid"), alpha=self.alpha())

    def fits(self, target: Target) -> bool:
        """Return whether the change has the layer's shape."""
        return self.changes == (*target.shape[:2], *(target.shape[2:] or (1, 1)))

    @property
    def changes(self) -> tuple[int, ...]:
        """Return the shape of what it changes, as that of a convolution: [out, in, height, width]."""
        kernel = self.shape("mid" if "mid" in self.names else "down")[2:]
        return (self.shape("up")[0], self.shape("down")[1], *(kernel or (1, 1)))


@dataclass(frozen=True, kw_only=True)
class LoraFile:
    """A LoRA: layers by name, or lists whose order says the layer; `extras` are embeddings inside, left out."""

    path: Path
    named: Mapping[str, LoraModule] = field(default_factory=dict)
    unet_list: tuple[LoraModule, ...] = ()
    text_list: tuple[LoraModule, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    extras: tuple[str, ...] = ()

    @property
    def modules(self) -> list[LoraModule]:
        """Return all layers' factors."""
        return [*self.named.values(), *self.unet_list, *self.text_list]

    def bind(self, targets: Targets) -> tuple[dict[str, LoraModule], list[str]]:
        """Return the factors by the checkpoint's tensor names, and the names of layers that the checkpoint lacks.

        Raises CheckpointError where the LoRA was made for another architecture.
        """
        if any(module.shape("down")[1] == _SDXL_WIDTH for name, module in self.named.items() if _CROSS in name):
            raise CheckpointError(f"{self.path} is an SDXL LoRA, not one for Stable Diffusion 1.x.")
        aliases = original_aliases(targets)
        modules = {
            aliases.get(name, name) if aliases.get(name) not in self.named else name: module
            for name, module in self.named.items()
        }
        if self.unet_list:
            modules |= _order(self.path, self.unet_list, unet_list_orders(), targets)
        if self.text_list:
            modules |= _order(self.path, self.text_list, [text_list_order()], targets)
        known = {name: module for name, module in modules.items() if name in targets}
        if not known:
            raise CheckpointError(f"{self.path} changes no layer of this checkpoint: it was made for another kind.")
        for name, module in known.items():
            if not module.fits(targets[name]):
                raise CheckpointError(_misfit(self.path, name, module, targets[name]))
        unknown = sorted((modules.keys() | {*self.extras}) - known.keys())
        return {targets[name].key: module for name, module in known.items()}, unknown


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
    """Return the weights of a pickled LoRA that some trainers put under `state_dict`, as checkpoints are."""
    nested = content.get("state_dict") if isinstance(content, dict) else None
    return nested if isinstance(nested, dict) and any("lora_" in str(name) for name in nested) else content


def _items(content: object) -> Iterable[tuple[str, object]]:
    return ((str(name), value) for name, value in content.items()) if isinstance(content, dict) else ()


def _from_names(path: Path, source: TensorSource, metadata: Mapping[str, str]) -> LoraFile:
    if any(_LIST_NAME.fullmatch(name) for name in source.entries):
        return LoraFile(
            path=path,
            unet_list=_numbered(path, source, "unet"),
            text_list=_numbered(path, source, "text_encoder"),
            metadata=metadata,
        )
    kind = identify({name: entry.shape for name, entry in source.entries.items()})
    if kind != "a LoRA":
        raise CheckpointError(f"{path} is {kind or 'an unknown kind of file'}, not a LoRA.")
    if any(name.startswith(_SECOND_TEXT) for name in source.entries):
        raise CheckpointError(f"{path} is an SDXL LoRA, not one for Stable Diffusion 1.x.")
    modules: dict[str, LoraModule] = {}
    alphas = adapter_alphas(str(path), metadata)
    extras = {".".join(name.split(".")[:2]) for name in source.entries if name.startswith(_BUNDLED)}
    for name in source.entries:
        if name.startswith(_BUNDLED):
            continue
        read = read_factor_name(name)
        if read is None:
            raise CheckpointError(f"{path} is a LoRA of another form than kohya's and diffusers': it has {name}.")
        layer, role = read
        usual = next((alpha for prefix, alpha in alphas.items() if layer.startswith(prefix)), None)
        module = modules.setdefault(layer, LoraModule(source=source, usual_alpha=usual))
        if module.names.setdefault(role, name) != name:
            raise CheckpointError(f"{path} has one layer twice: {module.names[role]} and {name}.")
    return LoraFile(
        path=path,
        named={name: _whole(path, name, module) for name, module in modules.items()},
        metadata=metadata,
        extras=tuple(sorted(extras)),
    )


def _whole(path: Path, name: str, module: LoraModule) -> LoraModule:
    for role in ("down", "up"):
        if role not in module.names:
            raise CheckpointError(f"{path} lacks lora_{role} of {name}: it is incomplete.")
    outer = module.shape("up")[2:] + (module.shape("down")[2:] if "mid" in module.names else ())
    fitting = module.shape("up")[1:2] == _inner(module) and not set(outer) - {1}
    if len(module.shape("down")) not in (2, 4) or not fitting or 0 in module.shape("down"):
        raise CheckpointError(f"{path} is damaged: the factors of {name} do not fit each other.")
    return module


def _inner(module: LoraModule) -> tuple[int, ...]:
    rank = module.shape("down")[0]
    if "mid" not in module.names:
        return (rank,)
    mid = module.shape("mid")
    return mid[:1] if len(mid) == 4 and mid[1] == rank else ()


def _numbered(path: Path, source: TensorSource, part: str) -> tuple[LoraModule, ...]:
    found: dict[int, LoraModule] = {}
    for name in source.entries:
        match = _LIST_NAME.fullmatch(name)
        if match and match[1] == part:
            found.setdefault(int(match[2]), LoraModule(source=source)).names[match[3]] = name
    return tuple(_whole(path, f"{part}:{number}", found[number]) for number in sorted(found))


def _from_list(path: Path, content: list[object], *, with_partner: bool) -> LoraFile:
    modules = _pairs(path, content)
    if len(modules) == len(text_list_order()):
        return LoraFile(path=path, text_list=modules)
    partner = partner_of(path)
    text: tuple[LoraModule, ...] = ()
    if with_partner and partner.is_file():
        text = open_lora(partner).text_list
    return LoraFile(path=path, unet_list=modules, text_list=text)


def _pairs(path: Path, content: list[object]) -> tuple[LoraModule, ...]:
    tensors = {str(place): item.detach() for place, item in enumerate(content) if isinstance(item, Tensor)}
    if len(tensors) != len(content) or len(content) % 2 or not content:
        raise CheckpointError(f"{path} is a list, but not one of a LoRA's factors in pairs.")
    source = MemorySource(tensors, str(path))
    return tuple(
        _whole(path, f"entry {place}", LoraModule(source=source, names={"up": str(place), "down": str(place + 1)}))
        for place in range(0, len(content), 2)
    )


def _order(
    path: Path, modules: tuple[LoraModule, ...], orders: Iterable[list[str]], targets: Targets
) -> dict[str, LoraModule]:
    """Return the modules by LoRA names, in the first order whose layers they fit."""
    for order in orders:
        pairs = list(zip(order, modules, strict=False))
        if len(order) == len(modules) and all(name in targets and module.fits(targets[name]) for name, module in pairs):
            return dict(pairs)
    raise CheckpointError(
        f"{path} is a list of {len(modules)} layers whose shapes fit no order that such lists were written in."
    )


def _misfit(path: Path, name: str, module: LoraModule, target: Target) -> str:
    inputs = module.shape("down")[1]
    families = {1024: "Stable Diffusion 2.x", 2048: "SDXL"}
    family = families.get(inputs, "another architecture")
    found = [*module.changes][: 4 if module.changes[2:] != (1, 1) or target.is_convolution else 2]
    wanted = [*target.shape][: 4 if target.is_convolution else 2]
    return f"{path} was made for {family}: its {name} is {found} instead of {wanted}."
