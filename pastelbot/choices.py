"""Names of choices that several layers share, and the sentence for an unknown one. Pure text, no torch."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from pastelbot.similarity import similar


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

MASK_FILLINGS = ("fill", "original", "latent noise", "latent nothing")

NOISE_SOURCES = ("NV", "CPU", "GPU")


def upscaler_files(folder: Path | None) -> Mapping[str, Path]:
    """Return the upscaler models of an operator's folder by the name that requests use."""
    if folder is None or not folder.is_dir():
        return {}
    return {path.stem: path for path in sorted(folder.iterdir()) if path.suffix.lower() in _UPSCALER_SUFFIXES}


# The files of upscalers that the webui, and so infotexts, call otherwise.
_UPSCALER_FILES: Mapping[str, str] = {
    "R-ESRGAN 4x+ Anime6B": "RealESRGAN_x4plus_anime_6B",
    "R-ESRGAN 4x+": "RealESRGAN_x4plus",
    "R-ESRGAN 2x+": "RealESRGAN_x2plus",
    "R-ESRGAN General 4xV3": "realesr-general-x4v3",
    "R-ESRGAN General WDN 4xV3": "realesr-general-wdn-x4v3",
    "R-ESRGAN AnimeVideo": "realesr-animevideov3",
    "ESRGAN_4x": "ESRGAN",
    "ESRGAN 4x": "ESRGAN_SRx4_DF2KOST_official-ff704c30",
    "ScuNET GAN": "ScuNET",
    "SwinIR 4x": "001_classicalSR_DF2K_s64w8_SwinIR-M_x4",
}
_SIGNS = re.compile(r"[^a-z0-9+]+")


def recognised_upscaler(name: str, known: Iterable[str]) -> str | None:
    """Return the upscaler of those that there are which a name means, or None: case, signs and endings do not count.

    The webui's name and the name of the file mean the same.
    """
    here = list(known)
    if name in here:
        return name
    plain = {_plain(each): each for each in here}
    wanted = _plain(name)
    files = [_plain(file) for title, file in _UPSCALER_FILES.items() if _plain(title) == wanted]
    titles = [_plain(title) for title, file in _UPSCALER_FILES.items() if _plain(file) == wanted]
    return next((plain[spelled] for spelled in (wanted, *files, *titles) if spelled in plain), None)


def _plain(name: str) -> str:
    lowered = name.casefold()
    return _SIGNS.sub(
        "", next((lowered.removesuffix(end) for end in _UPSCALER_SUFFIXES if lowered.endswith(end)), lowered)
    )


def nearest_names(name: str, known: Sequence[str], written: Callable[[str], str] = str) -> str:
    """Return a sentence with the known names that resemble a wrong one, each as it is `written` where it is used."""
    found = list(map(written, similar(name, known)))
    return f"Did you mean {' or '.join(found)}?" if found else f"Known are {', '.join(map(written, known))}."
