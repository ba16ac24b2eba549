"""A small picture of half-done latents, without running the VAE."""

import io

import torch
from PIL import Image
from torch import Tensor

from pastelbot.diffusion.vae import Vae

_SIDE = 8  # cells of the random latents that the fit looks at
_LONGEST = 256  # pixels
_QUALITY = 80


class Previewer:
    """Turns latents into colours by the linear map that comes nearest to the checkpoint's VAE.

    The map is fitted when the first preview is wanted: decode a few smooth random latents, and solve for the colours of
    their cells. So any VAE gets previews in its own colours.
    """

    def __init__(self, vae: Vae) -> None:
        self._vae = vae
        self._map: Tensor | None = None

    def preview(self, latents: Tensor) -> bytes:
        """Return a small JPEG of latents (channels, height, width)."""
        if self._map is None:
            self._map = self._fit(latents.shape[0], latents.device)
        cells = _with_one(latents.float()).movedim(0, -1)
        colours = ((cells @ self._map + 1) / 2).clamp(0, 1) * 255
        image = Image.fromarray(colours.to(torch.uint8).cpu().numpy(), "RGB")
        scale = min(8, max(1, _LONGEST // max(image.size)))
        image = image.resize((image.width * scale, image.height * scale), Image.Resampling.BICUBIC)
        buffer = io.BytesIO()
        image.save(buffer, format="JPEG", quality=_QUALITY)
        return buffer.getvalue()

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


def _with_one(latents: Tensor) -> Tensor:
    """Append a channel of ones, for the map's constant."""
    return torch.cat([latents, torch.ones_like(latents[:1])])
