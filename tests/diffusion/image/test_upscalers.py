"""Upscaler models: found by their files' names, run in tiles, refused with what is missing."""

import builtins
import io
import re

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own name for it
from helpers.painting import paint
from PIL import Image
from safetensors.torch import save_file

from pastelbot.diffusion.image.upscalers import Upscalers
from pastelbot.errors import CheckpointError, LimitError, PaintingError, install_command
from pastelbot.records import GenerationRequest, HiresFix

CPU = torch.device("cpu")


class FakeModel:
    """Has a spandrel descriptor's interface; repeats every pixel `scale` times and notes what it was given."""

    def __init__(self, scale=2):
        self.scale = scale
        self.sizes = []
        self.last = None

    def __call__(self, image):
        """Return the picture enlarged."""
        self.sizes.append(tuple(image.shape[2:]))
        self.last = image[0, :, -1, -1].tolist()
        return F.interpolate(image, scale_factor=self.scale, mode="nearest")


@pytest.fixture
def folder(tmp_path):
    """Return a folder with two models and something else."""
    for name in ("4x-AnimeSharp.safetensors", "R-ESRGAN 4x+ Anime6B.pth", "notes.txt"):
        (tmp_path / name).touch()
    return tmp_path


def shelf(folder, model):
    """Return the folder's upscalers, all of them one model."""
    loads = []
    return Upscalers(folder, CPU, load=lambda path, _device: loads.append(path.name) or model), loads


def random_image(width, height):
    """Return a picture of noise."""
    return Image.fromarray(np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8), "RGB")


def test_models_are_called_by_their_files_names(folder):
    assert ["4x-AnimeSharp", "R-ESRGAN 4x+ Anime6B"] == list(Upscalers(folder, CPU).files)
    assert {} == Upscalers(None, CPU).files == Upscalers(folder / "nowhere", CPU).files


@pytest.mark.parametrize("size", [(48, 64), (192, 192), (193, 40), (448, 640)])
def test_tiles_join_without_a_seam(folder, size):
    """Repeating pixels knows no neighbours, so tiles must give what the whole gives."""
    model = FakeModel(scale=2)
    image = random_image(*size)

    larger = shelf(folder, model)[0].enlarge(image, "4x-AnimeSharp")

    assert (size[0] * 2, size[1] * 2) == larger.size
    expected = np.asarray(image).repeat(2, 0).repeat(2, 1).astype(int)
    assert np.abs(expected - np.asarray(larger)).max() <= 1
    assert {(192, 192)} == set(model.sizes)


def test_a_picture_smaller_than_a_tile_has_black_to_its_left_and_above_it(folder):
    seen = []

    class Watched(FakeModel):
        def __call__(self, image):
            seen.append(image[0])
            return super().__call__(image)

    shelf(folder, Watched())[0].enlarge(Image.new("RGB", (8, 4), (255, 255, 255)), "4x-AnimeSharp")

    (tile,) = seen
    assert tile[:, -4:, -8:].min() == 1
    assert tile.sum() == 3 * 4 * 8


def test_without_tiles_the_picture_goes_through_as_a_whole(folder):
    model = FakeModel()
    models = Upscalers(folder, CPU, tile=0, load=lambda _path, _device: model)
    models.enlarge(random_image(300, 200), "4x-AnimeSharp")

    assert [(200, 300)] == model.sizes


def test_the_network_is_given_blue_green_red_as_in_the_webui(folder):
    model = FakeModel()
    larger = shelf(folder, model)[0].enlarge(Image.new("RGB", (8, 8), (255, 51, 0)), "4x-AnimeSharp")

    assert pytest.approx([0.0, 0.2, 1.0]) == model.last
    assert (255, 51, 0) == larger.getpixel((3, 3))


def test_the_model_used_last_stays_loaded(folder):
    models, loads = shelf(folder, FakeModel())
    for name in ("4x-AnimeSharp", "4x-AnimeSharp", "R-ESRGAN 4x+ Anime6B"):
        models.prepare(name)

    assert ["4x-AnimeSharp.safetensors", "R-ESRGAN 4x+ Anime6B.pth"] == loads


@pytest.mark.parametrize("scale", [2, 4])
def test_hires_fix_through_a_model_has_its_size(small, folder, scale):
    """What the network makes too large or too small, Lanczos and a second run correct."""
    model = FakeModel(scale)
    fix = HiresFix(width=192, height=256, steps=2, denoising_strength=0.4, upscaler="4x-AnimeSharp")
    request = GenerationRequest(prompt="1girl", width=64, height=64, steps=2, hires=fix)

    (picture,) = paint(small, request, upscalers=shelf(folder, model)[0])

    assert (192, 256) == Image.open(io.BytesIO(picture.png)).size
    assert "Hires upscaler: 4x-AnimeSharp" in picture.infotext
    assert [(192, 192)] * 1 == model.sizes[:1]


def test_an_unknown_model_is_refused_with_the_nearest(small, folder):
    request = GenerationRequest(prompt="a", width=64, height=64, hires=HiresFix(upscaler="4x-AnimeShap"))
    with pytest.raises(LimitError, match="4x-AnimeSharp"):
        paint(small, request, upscalers=shelf(folder, FakeModel())[0])


def test_without_spandrel_the_extra_is_named(monkeypatch, tmp_path):
    """The extra is not part of the usual installation."""
    real = builtins.__import__

    def refuse(name, *args, **kwargs):
        if name == "spandrel":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    (tmp_path / "x.safetensors").touch()
    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(PaintingError, match=re.escape(install_command("upscale"))):
        Upscalers(tmp_path, CPU).prepare("x")


def test_with_spandrel_another_file_is_named(tmp_path):
    """Runs only where the extra is installed."""
    pytest.importorskip("spandrel", reason="the extra `upscale` is not installed")
    save_file({"x": torch.zeros(1)}, tmp_path / "x.safetensors")

    with pytest.raises(CheckpointError, match="no upscaler"):
        Upscalers(tmp_path, CPU).prepare("x")
