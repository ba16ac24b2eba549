"""From diffusers' names to the original ones: the tables of `pastelbot.diffusion.ldm`, walked the other way."""

from collections.abc import Callable, Iterable, Mapping
from functools import cache

from pastelbot.diffusion import ldm

# What the VAE's attention was called by diffusers before 0.17.
_OLDER_ATTENTION = {"query": "q", "key": "k", "value": "v", "proj_attn": "proj_out"}

_RESNET = {new: old for old, new in ldm.RESNET.items()}
_ATTENTION = {new: old for old, new in ldm.VAE_ATTENTION.items()} | _OLDER_ATTENTION


def original_unet_name(name: str) -> str | None:
    """Return the original name, with its prefix, of a UNet tensor of diffusers; None for an unknown one."""
    return _original(name, _modules(ldm.unet_modules), {"resnet": _RESNET}, ldm.UNET_PREFIX)


def original_vae_name(name: str) -> str | None:
    """Return the original name, with its prefix, of a VAE tensor of diffusers; None for an unknown one."""
    kinds = {"resnet": {"conv_shortcut": "nin_shortcut"}, "attention": _ATTENTION}
    return _original(name, _modules(ldm.vae_modules), kinds, ldm.VAE_PREFIX)


def original_text_name(name: str) -> str:
    """Return the original name, with its prefix, of a text encoder tensor."""
    return f"{ldm.TEXT_PREFIX}text_model.{name.removeprefix('text_model.')}"


def is_vae_attention(name: str) -> bool:
    """Tell whether an original name is a weight that the original has as a 1x1 convolution and diffusers does not."""
    return name.startswith(ldm.VAE_PREFIX) and ".attn_1." in name and name.endswith("weight") and ".norm." not in name


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
