"""Previews of unfinished latents, without running the VAE."""

import io
from pathlib import Path

import torch
from diffusers import AutoencoderTiny
from PIL import Image
from torch import Tensor

from pastelbot.diffusion.networks.vae import Vae
from pastelbot.errors import CheckpointError

_SIDE = 8  # cells of the random latents that the fit looks at
_LONGEST = 256  # pixels
_MOST_CELLS = 64  # along the longer side, for the tiny decoder; one cell is 8 pixels
_QUALITY = 80


class Previewer:
    """Turns latents into colours by the linear map that comes nearest to the checkpoint's VAE.

    The map is fitted when the first preview is wanted: decode a few smooth random latents, and solve for the colours of
    their cells. So any VAE gets previews in its own colours. With a `tiny` decoder for the checkpoint's latents, as
    TAESD is one, previews have details too.
    """

    def __init__(self, vae: Vae, tiny: AutoencoderTiny | None = None) -> None:
        self._vae = vae
        self._tiny = tiny
        self._map: Tensor | None = None

    def preview(self, latents: Tensor) -> bytes:
        """Return a small JPEG of latents (channels, height, width)."""
        image = self._colours(latents) if self._tiny is None else _decoded(self._tiny, latents)
        buffer = io.BytesIO()
        image.save(buffer, format="JPEG", quality=_QUALITY)
        return buffer.getvalue()

    def _colours(self, latents: Tensor) -> Image.Image:
        """Return one colour a cell, smoothly enlarged."""
        if self._map is None:
            self._map = self._fit(latents.shape[0], latents.device)
        cells = _with_one(latents.float()).movedim(0, -1)
        image = _image(cells @ self._map)
        scale = min(8, max(1, _LONGEST // max(image.size)))
        return image.resize((image.width * scale, image.height * scale), Image.Resampling.BICUBIC)

    def _fit(self, channels: int, device: torch.device) -> Tensor:
        """Return the (channels + 1, 3) map with the smallest squared error."""
        generator = torch.Generator().manual_seed(0)
        samples, colours = [], []
        for _ in range(4):
            coarse = torch.randn(1, channels, _SIDE // 4, _SIDE // 4, generator=generator)
            latents = torch.nn.functional.interpolate(coarse, size=(_SIDE, _SIDE), mode="nearest")[0].to(device)
            image = self._vae.decode(latents)
            cells = torch.nn.functional.interpolate(image.unsqueeze(0), size=(_SIDE, _SIDE), mode="area")[0]
            samples.append(_with_one(latents).flatten(1))
            colours.append(cells.flatten(1))
        x, y = torch.cat(samples, 1).T.cpu(), torch.cat(colours, 1).T.cpu()
        solution: Tensor = torch.linalg.lstsq(x, y).solution
        return solution.to(device)


def load_tiny(folder: Path | None, device: torch.device) -> AutoencoderTiny | None:
    """Return the tiny decoder in a diffusers folder; None where there is no such folder.

    Raises CheckpointError where the folder holds something else.
    """
    if folder is None or not folder.is_dir():
        return None
    try:
        tiny = AutoencoderTiny.from_pretrained(folder, local_files_only=True, low_cpu_mem_usage=False)
    except (OSError, ValueError, KeyError, RuntimeError, TypeError) as error:
        raise CheckpointError(f"checkpoint.taesd {folder} holds no tiny autoencoder for previews: {error}.") from error
    return tiny.requires_grad_(requires_grad=False).eval().to(device)


def _decoded(tiny: AutoencoderTiny, latents: Tensor) -> Image.Image:
    """Decode latents, made smaller first where they are large: a preview must not cost what a picture does."""
    batch = latents.float().unsqueeze(0)
    cells = max(batch.shape[2:])
    if cells > _MOST_CELLS:
        size = [max(1, side * _MOST_CELLS // cells) for side in batch.shape[2:]]
        batch = torch.nn.functional.interpolate(batch, size=size, mode="area")
    decoded = tiny.decode(batch / tiny.config.scaling_factor, return_dict=False)[0]
    return _image(decoded[0].movedim(0, -1))


def _image(colours: Tensor) -> Image.Image:
    """Return the image of colours (height, width, 3) in -1 to 1."""
    levels = ((colours + 1) / 2).clamp(0, 1) * 255
    return Image.fromarray(levels.to(torch.uint8).cpu().numpy(), "RGB")


def _with_one(latents: Tensor) -> Tensor:
    """Append a channel of ones, for the map's constant."""
    return torch.cat([latents, torch.ones_like(latents[:1])])
