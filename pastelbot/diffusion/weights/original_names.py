"""From diffusers' names to the original ones: the tables of `pastelbot.diffusion.weights.ldm`, walked the other way."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from pastelbot.diffusion.weights import ldm
from pastelbot.formats.layout.tables import TEXT_PREFIX, UNET_PREFIX, VAE_PREFIX

# What the VAE's attention was called by diffusers before 0.17.
_OLDER_ATTENTION = {"query": "q", "key": "k", "value": "v", "proj_attn": "proj_out"}

_RESNET = {new: old for old, new in ldm.RESNET.items()}
_ATTENTION = {new: old for old, new in ldm.VAE_ATTENTION.items()} | _OLDER_ATTENTION


@dataclass(frozen=True)
class Layout:
    """How a UNet is built; the original names count its blocks through. The defaults are Stable Diffusion 1.x."""

    layers: int = 2
    levels: int = 4
    plain_ups: tuple[int, ...] = (0,)

    def modules(self) -> Iterator[tuple[str, str, str]]:
        """Yield (original name, diffusers name, kind) of the modules that there may be."""
        return ldm.unet_modules(self.layers, self.levels, self.plain_ups)


STANDARD = Layout()


def layout_of_diffusers(names: Iterable[str]) -> Layout:
    """Return the layout that a UNet has, inferred from its tensors' names in diffusers."""
    found = {tuple(name.split(".")[:4]) for name in names}
    levels = {int(parts[1]) for parts in found if parts[0] == "down_blocks"}
    layers = {int(parts[3]) for parts in found if parts[:3] == ("down_blocks", "0", "resnets")}
    attending = {int(parts[1]) for parts in found if parts[0] == "up_blocks" and parts[2] == "attentions"}
    return Layout(len(layers), len(levels), tuple(sorted(levels - attending)))


def layout_of_original(names: Iterable[str]) -> Layout:
    """Return a UNet's layout, inferred from its tensors' original names: the usual one where they leave it open."""
    found = [name.removeprefix(UNET_PREFIX).split(".") for name in names if name.startswith(UNET_PREFIX)]
    halvings = {int(parts[1]) for parts in found if parts[0] == "input_blocks" and parts[3] == "op"}
    if not halvings:
        return STANDARD
    layers, levels = min(halvings) - 1, len(halvings) + 1
    attending = {int(parts[1]) // (layers + 1) for parts in found if _is_attention(parts)}
    return Layout(layers, levels, tuple(sorted(set(range(levels)) - attending)))


def _is_attention(parts: list[str]) -> bool:
    return parts[0] == "output_blocks" and parts[2] == "1" and parts[3] != "conv"


def original_unet_name(name: str, layout: Layout = STANDARD) -> str | None:
    """Return the original name, with its prefix, of a UNet tensor of diffusers; None for an unknown one."""
    return _original(name, _modules(layout.modules), {"resnet": _RESNET}, UNET_PREFIX)


def original_vae_name(name: str) -> str | None:
    """Return the original name, with its prefix, of a VAE tensor of diffusers; None for an unknown one."""
    kinds = {"resnet": {"conv_shortcut": "nin_shortcut"}, "attention": _ATTENTION}
    return _original(name, _modules(ldm.vae_modules), kinds, VAE_PREFIX)


def original_text_name(name: str) -> str:
    """Return the original name, with its prefix, of a text encoder tensor."""
    return f"{TEXT_PREFIX}text_model.{name.removeprefix('text_model.')}"


def is_vae_attention(name: str) -> bool:
    """Return whether an original name is a weight that the original has as a 1x1 convolution and diffusers does not."""
    return name.startswith(VAE_PREFIX) and ".attn_1." in name and name.endswith("weight") and ".norm." not in name


@cache
def _modules(walk: Callable[[], Iterable[tuple[str, str, str]]]) -> Mapping[str, tuple[str, str]]:
    return {new: (old, kind) for old, new, kind in walk()}


def _original(
    name: str, modules: Mapping[str, tuple[str, str]], kinds: Mapping[str, Mapping[str, str]], prefix: str
) -> str | None:
    path, _, parameter = name.rpartition(".")
    parts = path.split(".")
    for count in range(len(parts), 0, -1):
        found = modules.get(".".join(parts[:count]))
        if found is not None:
            old, kind = found
            rest = ".".join(parts[count:])
            rest = kinds.get(kind, {}).get(rest, rest)
            return prefix + ".".join(filter(None, (old, rest, parameter)))
    return None
