import pytest
from support import png

from pastelbot import painting
from pastelbot.drafting import Wish
from pastelbot.errors import RequestError


def test_a_picture_to_start_from_is_read_and_painted_over(tmp_path, settings):
    path = tmp_path / "start.png"
    path.write_bytes(png(size=(64, 96)))

    wish = Wish(prompt="1girl", init=painting.read_init(path), denoise=0.4)
    request, notes = painting.request_of(wish, settings, None)

    assert (64, 96, 0.4, None) == (request.width, request.height, request.init.denoising_strength, request.hires)
    assert () == notes


def test_a_missing_picture_is_named(tmp_path):
    with pytest.raises(RequestError, match=r"nowhere\.png"):
        painting.read_init(tmp_path / "nowhere.png")


def test_an_operators_upscaler_may_be_asked_for(tmp_path, settings):
    (tmp_path / "4x-AnimeSharp.pth").touch()
    checkpoint = settings.checkpoint.model_copy(update={"upscalers": tmp_path})
    wish = Wish(prompt="1girl", hires_upscaler="4x-AnimeSharp")

    request, _ = painting.request_of(wish, settings.model_copy(update={"checkpoint": checkpoint}), None)
    assert "4x-AnimeSharp" == request.hires.upscaler
    with pytest.raises(RequestError, match="4x-AnimeSharp"):
        painting.request_of(wish, settings, None)
