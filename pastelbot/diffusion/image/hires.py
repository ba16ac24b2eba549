"""The hires fix: how latents become larger ones before the second pass."""

from collections.abc import Callable, Collection

import numpy as np
from PIL import Image
from torch import Tensor
from torch.nn import functional

from pastelbot.choices import LATENT_UPSCALERS, PIXEL_UPSCALERS, UPSCALERS, nearest_names
from pastelbot.diffusion.networks.vae import Pixels
from pastelbot.errors import LimitError
from pastelbot.formats.resizing import Size, resized
from pastelbot.rules.hires import CELL, HiresSize


def check_upscaler(name: str, models: Collection[str] = ()) -> None:
    """Raise a LimitError with the nearest names where no upscaler, nor one of the `models`, has this one."""
    known = (*UPSCALERS, *models)
    if name not in known:
        raise LimitError(f"The upscaler {name!r} is unknown. {nearest_names(name, known)}")


def upscale_latents(latents: Tensor, size: HiresSize, upscaler: str) -> Tensor:
    """Return latents (channels, height, width) resized by one of the latent upscalers, not yet cut."""
    mode, antialias = LATENT_UPSCALERS[upscaler]
    # MPS does not know all of them, and latents are small.
    here = latents.cpu() if latents.device.type == "mps" else latents
    resized = functional.interpolate(here.unsqueeze(0), size=size.upscaled_cells, mode=mode, antialias=antialias)[0]
    return resized.to(latents.device)


def cut_latents(latents: Tensor, size: HiresSize) -> Tensor:
    """Return what is kept of upscaled latents (channels, height, width): their middle."""
    top, bottom, left, right = size.crop
    return latents[:, top:bottom, left:right]


Enlarge = Callable[[Image.Image, str], Image.Image]


def upscale_pixels(pixels: Pixels, size: HiresSize, upscaler: str, enlarge: Enlarge | None = None) -> Pixels:
    """Return uint8 pixels (height, width, 3) resized by a pixel upscaler or, through `enlarge`, by a model."""
    return np.asarray(enlarged_to(Image.fromarray(pixels, "RGB"), (size.width, size.height), upscaler, enlarge))


def enlarged_to(image: Image.Image, size: Size, upscaler: str, enlarge: Enlarge | None = None) -> Image.Image:
    """Return the picture at a size (width, height).

    An upscaler first makes an image of whole latent cells; Lanczos does the rest.
    """
    scale = max(size[0] / image.width, size[1] / image.height)
    if scale > 1 and upscaler != "None":
        image = _enlarged(image, scale, upscaler, enlarge)
    return image if image.size == size else resized(image, size)


def _enlarged(image: Image.Image, scale: float, upscaler: str, enlarge: Enlarge | None) -> Image.Image:
    whole = int(image.width * scale) // CELL * CELL, int(image.height * scale) // CELL * CELL
    if enlarge is not None:
        image = _enlarged_by_model(image, whole, upscaler, enlarge)
    else:
        target = int(image.width * scale), int(image.height * scale)
        image = resized(image, target, Image.Resampling[PIXEL_UPSCALERS[upscaler]])
    return image if image.size == whole else resized(image, whole)


def _enlarged_by_model(image: Image.Image, whole: tuple[int, int], upscaler: str, enlarge: Enlarge) -> Image.Image:
    """Enlarge until the size is reached, at most three times: a model knows only its own factor."""
    for _ in range(3):
        before = image.size
        image = enlarge(image, upscaler)
        if image.size == before or (image.width >= whole[0] and image.height >= whole[1]):
            break
    return image
