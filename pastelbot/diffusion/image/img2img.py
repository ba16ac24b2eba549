"""img2img: the pixels and latents to start from, at the size that is painted, and what becomes of the result."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from pastelbot.choices import PIXEL_UPSCALERS
from pastelbot.diffusion.image.hires import Enlarge, enlarged_to
from pastelbot.diffusion.networks.vae import Pixels, from_pixels
from pastelbot.formats.init_pictures import Resize, fitted
from pastelbot.formats.inpainting.colours import corrected
from pastelbot.formats.inpainting.masks import Inpainting, inpainting
from pastelbot.formats.resizing import Size, resized
from pastelbot.records import InitImage, Mask


@dataclass(frozen=True, kw_only=True, eq=False)
class InitPicture:
    """A picture to start from: `pixels` are encoded. Without `masked` all of it is painted."""

    pixels: Pixels
    init: InitImage
    masked: Inpainting | None = None
    resize: Resize = resized

    @property
    def notes(self) -> tuple[str, ...]:
        """Return sentences about what the user may not expect."""
        if self._mask is None or self.masked is not None:
            return ()
        return ("The mask is blank, so there is nothing to paint alone: the whole picture was painted.",)

    @property
    def done(self) -> InitImage:
        """Return what was asked for as it was done: a blank mask is not painted alone, nor filled with anything."""
        if self._mask is None or self.masked is not None:
            return self.init
        return replace(self.init, mask=replace(self._mask, only_masked=False, filling="original"))

    @property
    def fills_latents(self) -> bool:
        """Return whether the masked latents are emptied before painting."""
        return self._mask is not None and self._mask.filling.startswith("latent")

    @property
    def fills_with_noise(self) -> bool:
        """Return whether the emptied latents are noise."""
        return self._mask is not None and self._mask.filling == "latent noise"

    @property
    def _mask(self) -> Mask | None:
        return self.init.mask

    def latent_mask(self, rows: int, columns: int) -> Tensor | None:
        """Return which latents are painted (rows, columns), 0 to 1; None is all."""
        if self.masked is None:
            return None
        small = resized(self.masked.mask.convert("RGB"), (columns, rows), Image.Resampling.BICUBIC)
        shares = torch.from_numpy(np.asarray(small)[:, :, 0].astype(np.float32) / 255)
        return shares.round() if self._rounds else shares

    @property
    def painted(self) -> Tensor:
        """Return which pixels are painted (height, width), 0 to 1."""
        if self.masked is None:
            return torch.ones(self.pixels.shape[:2])
        shares = torch.from_numpy(np.asarray(self.masked.mask).astype(np.float32) / 255)
        return shares.round() if self._rounds else shares

    @property
    def kept(self) -> Tensor:
        """Return the image (3, height, width) of what stays, grey where it is painted."""
        return from_pixels(self.pixels) * (1 - self.painted)

    @property
    def _rounds(self) -> bool:
        return self._mask is not None and self._mask.rounded

    def finished(self, pixels: Pixels) -> Pixels:
        """Return the whole picture of what was painted: its colours corrected, and what was not painted over it."""
        painted = Image.fromarray(pixels, "RGB")
        if self.init.corrected:
            painted = corrected(painted, Image.fromarray(self.pixels, "RGB"))
        return np.asarray(painted if self.masked is None else self.masked.finished(painted, self.resize))


def prepare_init(init: InitImage, size: Size, enlarge: Enlarge | None = None) -> InitPicture:
    """Return a picture to start from, brought to `size` (width, height); raises RequestError.

    Where the mask is blank and only the masked part was to be painted, the whole picture is.
    """

    def resize(image: Image.Image, size: Size) -> Image.Image:
        return enlarged_to(image, size, init.upscaler, None if init.upscaler in PIXEL_UPSCALERS else enlarge)

    masked = None if init.mask is None else inpainting(init, init.mask, size, resize)
    picture = fitted(init, size, resize) if masked is None else masked.picture
    return InitPicture(pixels=np.asarray(picture), init=init, masked=masked, resize=resize)


def resize_latents(latents: Tensor, rows: int, columns: int) -> Tensor:
    """Return latents (channels, rows, columns), resized bilinearly where they have another size."""
    if latents.shape[1:] == (rows, columns):
        return latents
    return functional.interpolate(latents.unsqueeze(0), size=(rows, columns), mode="bilinear")[0]
