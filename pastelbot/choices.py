"""Names of choices that several layers share, and the sentence for an unknown one. Pure text, no torch."""

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path

_LATENT_UPSCALERS = (
    "Latent",
    "Latent (antialiased)",
    "Latent (bicubic)",
    "Latent (bicubic antialiased)",
    "Latent (nearest)",
    "Latent (nearest-exact)",
)
_PIXEL_UPSCALERS = ("None", "Lanczos", "Nearest")
UPSCALERS = (*_LATENT_UPSCALERS, *_PIXEL_UPSCALERS)

_UPSCALER_SUFFIXES = (".safetensors", ".pth")

LATENT_RESIZE = "Just resize (latent upscale)"
RESIZE_MODES = ("Just resize", "Crop and resize", "Resize and fill", LATENT_RESIZE)

NOISE_SOURCES = ("NV", "CPU", "GPU")


def upscaler_files(folder: Path | None) -> Mapping[str, Path]:
    """Return the upscaler models of an operator's folder by the name that requests use."""
    if folder is None or not folder.is_dir():
        return {}
    return {path.stem: path for path in sorted(folder.iterdir()) if path.suffix in _UPSCALER_SUFFIXES}


def nearest_names(name: str, known: Sequence[str]) -> str:
    """Return a sentence with the known names that resemble a wrong one."""
    lowered = {word.casefold(): word for word in known}
    close = difflib.get_close_matches(name.casefold(), lowered, n=3, cutoff=0.4)
    found = [lowered[word] for word in close]
    return f"Did you mean {' or '.join(found)}?" if found else f"Known are {', '.join(known)}."
