"""Upscaler models (ESRGAN and its kin) of the operator's folder, through the optional package spandrel.

A picture goes through the network in overlapping tiles, as in the webui, so that its size does not decide over memory.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Protocol, cast

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from pastelbot.choices import upscaler_files
from pastelbot.diffusion.weights.files import read_tensors
from pastelbot.errors import CheckpointError, PaintingError, install_command

_TILE = 192
_OVERLAP = 8


class UpscalerModel(Protocol):
    """What is needed of a spandrel descriptor."""

    @property
    def scale(self) -> int:
        """Return how many times larger the network makes a picture."""

    def __call__(self, image: Tensor) -> Tensor:
        """Return the larger picture (1, 3, height, width), 0 to 1."""


Loader = Callable[[Path, torch.device], UpscalerModel]
_Span = tuple[int, int]


def _load_with_spandrel(path: Path, device: torch.device) -> UpscalerModel:
    """Load a model file in float32; raises PaintingError without spandrel, CheckpointError for another file."""
    try:
        import spandrel  # an extra, with torchvision behind it
    except ImportError as error:
        raise PaintingError(
            f"The upscaler {path.stem} needs the package spandrel, which is not installed: the operator can install "
            f"it with `{install_command('upscale')}`. Without it, choose Latent or Lanczos."
        ) from error
    tensors = read_tensors(path)
    try:
        model = spandrel.ModelLoader(device).load_from_state_dict(tensors)
    except spandrel.UnsupportedModelError as error:
        raise CheckpointError(f"{path} is not an upscaler that spandrel supports.") from error
    if not isinstance(model, spandrel.ImageModelDescriptor) or model.input_channels != 3:
        raise CheckpointError(f"{path} does not make pictures of pictures: it is not an upscaler.")
    return cast("UpscalerModel", model.to(device, torch.float32).eval())


class Upscalers:
    """The models of a folder by name; the one used last stays loaded.

    Pictures go through them in tiles of `tile` pixels (0: as a whole) with `overlap` pixels in common.
    """

    def __init__(
        self,
        folder: Path | None,
        device: torch.device,
        *,
        tile: int = _TILE,
        overlap: int = _OVERLAP,
        load: Loader = _load_with_spandrel,
    ) -> None:
        self._folder = folder
        self._device = device
        self._tile = tile
        self._overlap = overlap
        self._load = load
        self._kept: tuple[str, UpscalerModel] | None = None

    @property
    def files(self) -> Mapping[str, Path]:
        """Return the models' files by name."""
        return upscaler_files(self._folder)

    def prepare(self, name: str) -> None:
        """Load a model, so that what is wrong with it is an error before anything is painted."""
        self._model(name)

    def enlarge(self, image: Image.Image, name: str) -> Image.Image:
        """Return the picture as the network enlarges it, by the network's own factor.

        As in the webui, a picture that is smaller than a tile has black to its left and above it, and tiles are joined
        in whole levels, with masks of whole levels.
        """
        model = self._model(name)
        if self._tile == 0:
            return self._run(model, image)
        canvas = Image.new("RGB", (image.width * model.scale, image.height * model.scale))
        overlap = self._overlap * model.scale
        for top, bottom in _spans(image.height, self._tile, self._overlap):
            row = Image.new("RGB", (canvas.width, (bottom - top) * model.scale))
            for left, right in _spans(image.width, self._tile, self._overlap):
                tile = self._run(model, image.crop((left, top, right, bottom)))
                _paste(row, tile, left * model.scale, overlap, down=False)
            _paste(canvas, row, top * model.scale, overlap, down=True)
        return canvas

    def _model(self, name: str) -> UpscalerModel:
        if self._kept is None or self._kept[0] != name:
            self._kept = None  # two at once would be one too many
            self._kept = name, self._load(self.files[name], self._device)
        return self._kept[1]

    def _run(self, model: UpscalerModel, tile: Image.Image) -> Image.Image:
        """Return a tile enlarged. The webui hands in blue, green, red."""
        levels = np.ascontiguousarray(np.asarray(tile)[:, :, ::-1].transpose(2, 0, 1))
        image = torch.from_numpy(levels).to(self._device).float().unsqueeze(0) / 255
        with torch.inference_mode():
            larger = model(image)[0].float().clamp(0, 1).cpu().numpy()
        levels = np.round(larger * 255).astype(np.uint8).transpose(1, 2, 0)[:, :, ::-1]
        return Image.fromarray(np.ascontiguousarray(levels), "RGB")


def _spans(length: int, tile: int, overlap: int) -> Iterator[_Span]:
    """Yield where the tiles along one side begin and end: evenly spread, `overlap` or more in common.

    A tile that is longer than the side begins before it.
    """
    count = max(1, -(-(length - overlap) // (tile - overlap)))
    stride = (length - tile) / (count - 1) if count > 1 else 0.0
    for number in range(count):
        start = min(int(number * stride), length - tile)
        yield start, start + tile


def _paste(canvas: Image.Image, tile: Image.Image, start: int, overlap: int, *, down: bool) -> None:
    """Lay a tile on a canvas, from `start` on its way to the right or `down`; over `overlap` pixels it fades in."""
    if start == 0:
        canvas.paste(tile, (0, 0))
        return
    fade = (np.arange(overlap) * 255 / overlap).astype(np.uint8)
    if down:
        mask = Image.fromarray(np.tile(fade[:, None], (1, tile.width)), "L")
        canvas.paste(tile.crop((0, 0, tile.width, overlap)), (0, start), mask)
        canvas.paste(tile.crop((0, overlap, tile.width, tile.height)), (0, start + overlap))
    else:
        mask = Image.fromarray(np.tile(fade, (tile.height, 1)), "L")
        canvas.paste(tile.crop((0, 0, overlap, tile.height)), (start, 0), mask)
        canvas.paste(tile.crop((overlap, 0, tile.width, tile.height)), (start + overlap, 0))
