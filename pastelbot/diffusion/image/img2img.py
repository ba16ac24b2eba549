"""img2img: the pixels and latents to start from, at the size that is painted."""

import numpy as np
import torch.nn.functional as F  # noqa: N812 - torch's own name for it
from torch import Tensor

from pastelbot.diffusion.networks.vae import Pixels
from pastelbot.formats.init_pictures import fitted
from pastelbot.formats.resizing import Size
from pastelbot.records import InitImage


def init_pixels(init: InitImage, size: Size) -> Pixels:
    """Return the uint8 pixels (height, width, 3) to encode for a picture of `size` (width, height)."""
    return np.asarray(fitted(init, size))


def resize_latents(latents: Tensor, rows: int, columns: int) -> Tensor:
    """Return latents (channels, rows, columns), resized bilinearly where they have another size."""
    if latents.shape[1:] == (rows, columns):
        return latents
    return F.interpolate(latents.unsqueeze(0), size=(rows, columns), mode="bilinear")[0]
