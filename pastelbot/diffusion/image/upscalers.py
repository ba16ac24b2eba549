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
from pastelbot.errors import CheckpointError, PaintingError

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
        import spandrel  # noqa: PLC0415 - an extra, with torchvision behind it
    except ImportError as error:
        raise PaintingError(
            f"The upscaler {path.stem} needs the package spandrel, which is not installed: the operator can install "
            "it with `pip install 'pastelbot[upscale]'`. Without it, choose Latent or Lanczos."
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
    """The models of a folder by name; the one used last stays loaded."""

    def __init__(self, folder: Path | None, device: torch.device, *, load: Loader = _load_with_spandrel) -> None:
        self._folder = folder
        self._device = device
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
        """Return the picture as the network enlarges it, by the network's own factor."""
        model = self._model(name)
        canvas = np.zeros((image.height * model.scale, image.width * model.scale, 3), np.float32)
        for top, bottom in _spans(image.height):
            row = np.zeros(((bottom - top) * model.scale, *canvas.shape[1:]), np.float32)
            for left, right in _spans(image.width):
                tile = self._run(model, image.crop((left, top, right, bottom)))
                _blend(row.swapaxes(0, 1), tile.swapaxes(0, 1), left * model.scale, _OVERLAP * model.scale)
            _blend(canvas, row, top * model.scale, _OVERLAP * model.scale)
        return Image.fromarray(canvas.astype(np.uint8), "RGB")

    def _model(self, name: str) -> UpscalerModel:
        if self._kept is None or self._kept[0] != name:
            self._kept = None  # two at once would be one too many
            self._kept = name, self._load(self.files[name], self._device)
        return self._kept[1]

    def _run(self, model: UpscalerModel, tile: Image.Image) -> np.ndarray:
        """Return a tile's enlarged levels (height, width, 3), whole numbers. The webui hands in blue, green, red."""
        levels = np.ascontiguousarray(np.asarray(tile)[:, :, ::-1].transpose(2, 0, 1))
        image = torch.from_numpy(levels).to(self._device).float().unsqueeze(0) / 255
        with torch.inference_mode():
            larger = model(image)[0].float().clamp(0, 1).cpu().numpy()
        return np.round(larger * 255).transpose(1, 2, 0)[:, :, ::-1]


def _spans(length: int) -> Iterator[_Span]:
    """Yield where the tiles along one side begin and end: evenly spread, `_OVERLAP` or more in common."""
    if length <= _TILE:
        yield 0, length
        return
    count = -(-(length - _OVERLAP) // (_TILE - _OVERLAP))
    stride = (length - _TILE) / (count - 1)
    for number in range(count):
        start = min(int(number * stride), length - _TILE)
        yield start, start + _TILE


def _blend(canvas: np.ndarray, tile: np.ndarray, start: int, overlap: int) -> None:
    """Lay a tile on a canvas along its first axis; over the first `overlap` lines it fades in."""
    if start == 0:
        canvas[: len(tile)] = tile
        return
    share = (np.arange(overlap, dtype=np.float32) / overlap).reshape(-1, 1, 1)
    canvas[start : start + overlap] = canvas[start : start + overlap] * (1 - share) + tile[:overlap] * share
    canvas[start + overlap : start + len(tile)] = tile[overlap:]
