import pytest

from pastelbot.config import Settings
from pastelbot.drafting import SAMPLER_CHOICES, Wish, draft, read_sampler, read_seed
from pastelbot.errors import RequestError
from pastelbot.prompt.samplers import AUTOMATIC
from pastelbot.records import HiresFix


def drafted(**options):
    return draft(Wish(prompt=" 1girl ", **options), Settings(), random_seed=lambda: 99)


def test_left_out_options_are_the_cards():
    request = drafted()

    assert (request.prompt, request.width, request.height, request.seed, request.count) == ("1girl", 448, 640, 99, 1)
    assert (
        request.steps,
        request.cfg_scale,
        request.sampler,
        request.schedule,
        request.clip_skip,
    ) == (20, 7, "DPM++ 2M", "Karras", 2)
    assert HiresFix(width=960, height=1280, steps=20, denoising_strength=0.6, upscaler="Latent") == request.hires
    assert request.negative_prompt.startswith("lowres, ((bad anatomy))")


def test_typed_options_win():
    request = drafted(negative="", size="landscape", seed=5, steps=8, cfg=4.5, sampler="Euler a", hires=False, count=3)

    assert (
        request.negative_prompt,
        request.width,
        request.height,
        request.seed,
        request.steps,
        request.cfg_scale,
        request.sampler,
        request.schedule,
        request.hires,
        request.count,
    ) == ("", 640, 448, 5, 8, 4.5, "Euler a", AUTOMATIC, None, 3)


@pytest.mark.parametrize("size", ["448x640", "448 X 640", "448×640"])
def test_a_named_sizes_pixels_get_its_hires_size(size):
    assert (drafted(size=size).hires.width, drafted(size=size).hires.height) == (960, 1280)


def test_another_size_is_doubled():
    assert (drafted(size="512x768").hires.width, 0, drafted(size="512x768").hires.scale) == (0, 0, 2.0)


def test_unknown_names_are_refused_with_what_there_is():
    with pytest.raises(RequestError, match="portrait, landscape, square"):
        drafted(size="poster")
    with pytest.raises(RequestError, match=r"DPM\+\+ 2M Karras"):
        drafted(sampler="DPM++ 2M Karas")


def test_seeds_are_read():
    assert [read_seed(text) for text in (" 7 ", "0", "4294967295", "", "-1")] == [7, 0, 2**32 - 1, None, None]
    for text in ("abc", "1.5", "-2", "4294967296", "²"):
        with pytest.raises(RequestError, match="seed"):
            read_seed(text)


def test_every_choice_is_a_sampler_that_paints():
    """The bot process knows the names without torch; the worker knows the algorithms."""
    from pastelbot.diffusion import catalog

    assert len(SAMPLER_CHOICES) <= 25
    for name in SAMPLER_CHOICES:
        sampler, schedule = read_sampler(name)
        assert sampler == catalog.resolve(sampler, schedule)[0].name
