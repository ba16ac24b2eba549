"""A network's file as it was opened, and its way to the layers of a checkpoint."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from torch import Tensor

from pastelbot.diffusion.lora.changes import Change
from pastelbot.diffusion.lora.modules import NetworkModule
from pastelbot.diffusion.lora.targets import Target, Targets, original_aliases, text_list_order, unet_list_orders
from pastelbot.errors import CheckpointError
from pastelbot.formats.layout.network_kinds import LORA, family_of, way_out

_SDXL_WIDTH = 2048
_FAMILIES = {1024: "Stable Diffusion 2.x", _SDXL_WIDTH: "SDXL"}
_CROSS = "attn2_to_k"


@dataclass(frozen=True, kw_only=True)
class BoundChange:
    """A change of one of a checkpoint's tensors that is still in its file."""

    module: NetworkModule
    part: int

    def load(self) -> Change:
        """Read it; raises CheckpointError for damage, NaN and infinity."""
        return self.module.change(part=self.part)


@dataclass(frozen=True, kw_only=True)
class LoraFile:
    """A LoRA or another network: layers by name, or lists whose order says the layer.

    `embeddings` are the tensors of those inside, by name; `extras` are tensors of no known meaning.
    """

    path: Path
    named: Mapping[str, NetworkModule] = field(default_factory=dict)
    unet_list: tuple[NetworkModule, ...] = ()
    text_list: tuple[NetworkModule, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    embeddings: Mapping[str, Mapping[str, Tensor]] = field(default_factory=dict)
    extras: tuple[str, ...] = ()

    @property
    def modules(self) -> list[NetworkModule]:
        """Return what it has of all layers."""
        return [*self.named.values(), *self.unet_list, *self.text_list]

    def bind(self, targets: Targets, *, as_merged: bool = False) -> tuple[dict[str, BoundChange], list[str]]:
        """Return the changes by the checkpoint's tensor names, and what it has besides, by name.

        `as_merged` leaves LoRAs of rare layers out, as kohya's merge does. Raises CheckpointError where the file was
        made for another architecture.
        """
        if any(
            (each.changed_shape or ())[1:2] == (_SDXL_WIDTH,) for name, each in self.named.items() if _CROSS in name
        ):
            raise CheckpointError(f"{self.path} is an SDXL LoRA, not one for Stable Diffusion 1.x.{way_out(None)}")
        modules = self._by_usual_names(targets)
        known = {
            name: module
            for name, module in modules.items()
            if name in targets and not (as_merged and targets[name].rare and module.kind is LORA)
        }
        if not known:
            family = way_out(family_of(self.named, self.metadata))
            raise CheckpointError(f"{self.path} changes no layer of this checkpoint.{family}")
        bound: dict[str, BoundChange] = {}
        unknown = {*(modules.keys() - known.keys()), *self.extras}
        for name, module in known.items():
            for part in module.parts:
                target = targets[name]
                if part and not target.bias:
                    unknown.add(f"{name}.bias")
                    continue
                if not module.fits(target, part=part):
                    raise CheckpointError(_misfit(self.path, name, module, target))
                bound[target.key_of(part)] = BoundChange(module=module, part=part)
        return bound, sorted(unknown)

    def _by_usual_names(self, targets: Targets) -> dict[str, NetworkModule]:
        """Return the modules by kohya's names of the layers."""
        aliases = original_aliases(targets)
        modules = {
            aliases.get(name, name) if aliases.get(name) not in self.named else name: module
            for name, module in self.named.items()
        }
        if self.unet_list:
            modules |= _order(self.path, self.unet_list, unet_list_orders(), targets)
        if self.text_list:
            modules |= _order(self.path, self.text_list, iter([text_list_order()]), targets)
        return modules


def _order(
    path: Path, modules: tuple[NetworkModule, ...], orders: Iterator[Iterable[str]], targets: Targets
) -> dict[str, NetworkModule]:
    """Return the modules by LoRA names, in the first order whose layers they fit."""
    for order in map(list, orders):
        pairs = list(zip(order, modules, strict=False))
        if len(order) == len(modules) and all(name in targets and module.fits(targets[name]) for name, module in pairs):
            return dict(pairs)
    raise CheckpointError(
        f"{path} is a list of {len(modules)} layers whose shapes fit no order that such lists were written in."
    )


def _misfit(path: Path, name: str, module: NetworkModule, target: Target) -> str:
    shape = module.changed_shape
    family = _FAMILIES.get((*(shape or ()), 0, 0)[1], "another architecture")
    if shape is None:
        return f"{path} was made for {family}: its {name} does not fit a layer of {[*_short(target.shape)]}."
    return f"{path} was made for {family}: its {name} is {[*_short(shape)]} instead of {[*_short(target.shape)]}."


def _short(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return a shape without the kernel of a 1x1 convolution."""
    return shape[:2] if shape[2:] == (1, 1) else shape
