import pytest
from helpers.support import png

from pastelbot.config import Settings
from pastelbot.errors import RequestError
from pastelbot.options import SAMPLER_CHOICES, GenerationOptions, amend, draft, read_sampler, read_seed
from pastelbot.records import GenerationRequest, HiresFix, InitImage
from pastelbot.rules.samplers import AUTOMATIC


def drafted(**options):
    return draft(GenerationOptions(prompt=" 1girl ", **options), Settings(), random_seed=lambda: 99)


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
    with pytest.raises(RequestError, match="Karras"):
        drafted(schedule="Karas")


def test_comments_are_not_painted():
    request = draft(
        GenerationOptions(prompt="1girl # not 2girls\nsmile", negative="# none"), Settings(), random_seed=int
    )

    assert ("1girl \nsmile", "") == (request.prompt, request.negative_prompt)


def test_seeds_are_read():
    assert [read_seed(text) for text in (" 7 ", "0", "4294967295", "", "-1")] == [7, 0, 2**32 - 1, None, None]
    for text in ("abc", "1.5", "-2", "4294967296", "²"):
        with pytest.raises(RequestError, match="seed"):
            read_seed(text)


def test_every_choice_is_a_sampler_that_paints():
    """The bot process knows the names without torch; the worker knows the algorithms."""
    from pastelbot.diffusion.sampling import registry

    assert len(SAMPLER_CHOICES) <= 25
    for name in SAMPLER_CHOICES:
        sampler, schedule = read_sampler(name)
        assert sampler == registry.resolve(sampler, schedule)[0].name


BASE = GenerationRequest(
    prompt="1boy", seed=7, sampler="Euler", schedule="Uniform", hires=HiresFix(scale=1.5, prompt="own", cfg_scale=4)
)


def amended(**options):
    return amend(BASE, GenerationOptions(**options), Settings(), random_seed=lambda: 99)


def test_empty_options_change_nothing():
    assert BASE == amended()


def test_options_change_what_they_name_and_keep_the_rest():
    request = amended(prompt="1girl", hires_size="640x960", denoise=0.3, seed=-1)

    assert ("1girl", 99, "Euler", "Uniform") == (request.prompt, request.seed, request.sampler, request.schedule)
    assert (
        HiresFix(width=640, height=960, scale=1.5, prompt="own", cfg_scale=4, denoising_strength=0.3) == request.hires
    )


def test_another_size_gets_the_hires_fix_that_belongs_to_it():
    assert (1280, 960) == (amended(size="landscape").hires.width, amended(size="landscape").hires.height)


def test_a_schedule_alone_keeps_the_sampler():
    assert ("Euler", "Karras") == (amended(schedule="Karras").sampler, amended(schedule="Karras").schedule)


def test_hires_details_ask_for_the_hires_fix():
    plain = BASE.replace(hires=None)

    assert 0.3 == amend(plain, GenerationOptions(denoise=0.3), Settings(), random_seed=int).hires.denoising_strength
    assert amend(plain, GenerationOptions(denoise=0.3, hires=False), Settings(), random_seed=int).hires is None


def test_a_picture_to_start_from_brings_its_size_and_no_hires_fix():
    request = drafted(init=png(size=(2000, 1001)), denoise=0.4, resize_mode="Crop and resize")

    assert (1280, 640, None) == (request.width, request.height, request.hires)
    assert InitImage.of(png(size=(2000, 1001)), denoising_strength=0.4, resize_mode="Crop and resize") == request.init


def test_a_photo_is_painted_at_the_size_of_the_largest_usual_picture():
    small = {"portrait": {"first": "128x192", "hires": "256x384"}}
    options = GenerationOptions(prompt="a", init=png(size=(1200, 800)))
    request = draft(options, Settings.model_validate({"sizes": small}), random_seed=int)

    assert (384, 256) == (request.width, request.height)


def test_a_size_beside_a_picture_to_start_from_wins():
    request = drafted(init=png(size=(100, 100)), size="448x640")

    assert (448, 640) == (request.width, request.height)


def test_a_stored_picture_to_start_from_is_kept_and_its_strength_can_be_changed():
    base = drafted(init=png(size=(64, 64)))
    changed = amend(base, GenerationOptions(denoise=0.2), Settings(), random_seed=int)

    assert changed == base.replace(init=InitImage.of(png(size=(64, 64)), denoising_strength=0.2))


def test_a_resize_mode_without_a_picture_is_refused():
    with pytest.raises(RequestError, match="picture to start from"):
        drafted(resize_mode="Just resize")


def test_a_prompt_that_ends_in_a_tag_with_a_number_keeps_it():
    request = draft(
        GenerationOptions(prompt="1girl, :3", negative="16:9", avoid="hat"), Settings(), random_seed=lambda: 99
    )

    assert ("1girl, :3,", "hat, 16:9,") == (request.prompt, request.negative_prompt)
    assert "a :3" == amend(request.replace(prompt="a :3"), GenerationOptions(), Settings(), random_seed=int).prompt
