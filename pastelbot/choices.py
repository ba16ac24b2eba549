"""Names of choices that several layers share, and the sentence for an unknown one. Pure text, no torch."""

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple


class Interpolation(NamedTuple):
    """How torch interpolates latents."""

    mode: str
    antialias: bool = False


LATENT_UPSCALERS: Mapping[str, Interpolation] = {
    "Latent": Interpolation("bilinear"),
    "Latent (antialiased)": Interpolation("bilinear", antialias=True),
    "Latent (bicubic)": Interpolation("bicubic"),
    "Latent (bicubic antialiased)": Interpolation("bicubic", antialias=True),
    "Latent (nearest)": Interpolation("nearest"),
    "Latent (nearest-exact)": Interpolation("nearest-exact"),
}
# Pillow's filter for the first resize of the decoded image; what is still missing is always done with Lanczos.
PIXEL_UPSCALERS: Mapping[str, str] = {"None": "LANCZOS", "Lanczos": "LANCZOS", "Nearest": "NEAREST"}
UPSCALERS = (*LATENT_UPSCALERS, *PIXEL_UPSCALERS)

_UPSCALER_SUFFIXES = (".safetensors", ".pth")

LATENT_RESIZE = "Just resize (latent upscale)"
RESIZE_MODES = ("Just resize", "Crop and resize", "Resize and fill", LATENT_RESIZE)

NOISE_SOURCES = ("NV", "CPU", "GPU")


def upscaler_files(folder: Path | None) -> Mapping[str, Path]:
    """Return the upscaler models of an operator's folder by the name that requests use."""
    if folder is None or not folder.is_dir():
        return {}
    return {path.stem: path for path in sorted(folder.iterdir()) if path.suffix.lower() in _UPSCALER_SUFFIXES}


def nearest_names(name: str, known: Sequence[str]) -> str:
    """Return a sentence with the known names that resemble a wrong one."""
    lowered = {word.casefold(): word for word in known}
    close = difflib.get_close_matches(name.casefold(), lowered, n=3, cutoff=0.4)
    found = [lowered[word] for word in close]
    return f"Did you mean {' or '.join(found)}?" if found else f"Known are {', '.join(known)}."
