"""The hires fix: sizes, and how latents become larger ones before the second pass."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import numpy as np
import torch.nn.functional as F  # noqa: N812 - torch's own name for it
from PIL import Image
from torch import Tensor

from pastelbot.choices import UPSCALERS, nearest_names
from pastelbot.diffusion.networks.vae import Pixels
from pastelbot.errors import LimitError
from pastelbot.records import HiresFix

CELL = 8  # pixels along each side of a latent cell

# Upscaler name -> mode and antialiasing of torch's interpolation of the latents.
LATENT_UPSCALERS: Mapping[str, tuple[str, bool]] = {
    "Latent": ("bilinear", False),
    "Latent (antialiased)": ("bilinear", True),
    "Latent (bicubic)": ("bicubic", False),
    "Latent (bicubic antialiased)": ("bicubic", True),
    "Latent (nearest)": ("nearest", False),
    "Latent (nearest-exact)": ("nearest-exact", False),
}
# Upscaler name -> filter of the first resize of the decoded image; what is still missing is always done with Lanczos.
PIXEL_UPSCALERS: Mapping[str, Image.Resampling] = {
    "None": Image.Resampling.LANCZOS,
    "Lanczos": Image.Resampling.LANCZOS,
    "Nearest": Image.Resampling.NEAREST,
}


@dataclass(frozen=True, kw_only=True)
class HiresSize:
    """The size after upscaling in pixels, and how many latent cells are cut off of it, half on each side."""

    width: int
    height: int
    truncate_x: int = 0
    truncate_y: int = 0

    @property
    def upscaled_cells(self) -> tuple[int, int]:
        """Return the (height, width) of the upscaled latents."""
        return self.height // CELL, self.width // CELL

    @property
    def crop(self) -> tuple[int, int, int, int]:
        """Return the first and end row, first and end column of what is kept of the upscaled latents."""
        rows, columns = self.upscaled_cells
        top, left = self.truncate_y // 2, self.truncate_x // 2
        return top, rows - (self.truncate_y + 1) // 2, left, columns - (self.truncate_x + 1) // 2

    @property
    def picture(self) -> tuple[int, int]:
        """Return the finished picture's (width, height)."""
        top, bottom, left, right = self.crop
        return (right - left) * CELL, (bottom - top) * CELL

    def cut(self, latents: Tensor) -> Tensor:
        """Return the middle of upscaled latents (channels, height, width)."""
        top, bottom, left, right = self.crop
        return latents[:, top:bottom, left:right]


def hires_size(width: int, height: int, hires: HiresFix) -> HiresSize:
    """Return what a first pass of `width` x `height` is upscaled and cropped to.

    With both target sides given, the picture is scaled to cover them and cropped to their aspect ratio.
    """
    target_width, target_height = hires.width, hires.height
    if not target_width and not target_height:
        return HiresSize(width=int(width * hires.scale), height=int(height * hires.scale))
    by_width = target_width, target_width * height // width
    by_height = target_height * width // height, target_height
    if not target_height:
        return HiresSize(width=by_width[0], height=by_width[1])
    if not target_width:
        return HiresSize(width=by_height[0], height=by_height[1])
    upscaled = by_width if width / height < target_width / target_height else by_height
    return HiresSize(
        width=upscaled[0],
        height=upscaled[1],
        truncate_x=(upscaled[0] - target_width) // CELL,
        truncate_y=(upscaled[1] - target_height) // CELL,
    )


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
    resized = F.interpolate(here.unsqueeze(0), size=size.upscaled_cells, mode=mode, antialias=antialias)[0]
    return resized.to(latents.device)


Enlarge = Callable[[Image.Image, str], Image.Image]


def upscale_pixels(pixels: Pixels, size: HiresSize, upscaler: str, enlarge: Enlarge | None = None) -> Pixels:
    """Return uint8 pixels (height, width, 3) resized by one of the pixel upscalers or, through `enlarge`, by a model.

    An upscaler first makes an image of whole latent cells; Lanczos does the rest.
    """
    image = Image.fromarray(pixels, "RGB")
    scale = max(size.width / image.width, size.height / image.height)
    if scale > 1 and upscaler != "None":
        image = _enlarged(image, scale, upscaler, enlarge)
    if image.size != (size.width, size.height):
        image = image.resize((size.width, size.height), Image.Resampling.LANCZOS)
    return np.asarray(image)


def _enlarged(image: Image.Image, scale: float, upscaler: str, enlarge: Enlarge | None) -> Image.Image:
    whole = int(image.width * scale) // CELL * CELL, int(image.height * scale) // CELL * CELL
    if enlarge is not None:
        image = _enlarged_by_model(image, whole, upscaler, enlarge)
    else:
        target = int(image.width * scale), int(image.height * scale)
        image = image.resize(target, PIXEL_UPSCALERS[upscaler])
    return image if image.size == whole else image.resize(whole, Image.Resampling.LANCZOS)


def _enlarged_by_model(image: Image.Image, whole: tuple[int, int], upscaler: str, enlarge: Enlarge) -> Image.Image:
    """Enlarge until the size is reached, at most three times: a model knows only its own factor."""
    for _ in range(3):
        before = image.size
        image = enlarge(image, upscaler)
        if image.size == before or (image.width >= whole[0] and image.height >= whole[1]):
            break
    return image
