import pytest
from helpers.support import png

from pastelbot.config import LimitSettings
from pastelbot.errors import LimitError, NotFoundError, PromptError, RequestError
from pastelbot.formats.network_files import LoraFiles, ModelNames
from pastelbot.infotext import read_request
from pastelbot.records import GenerationRequest, HiresFix, InitImage
from pastelbot.rules import limits

LIMITS = LimitSettings()
PICTURE = png(size=(3000, 64))
GOOD = GenerationRequest(prompt="1girl, ((red hair))", hires=HiresFix(width=960, height=1280))


def test_the_cards_request_passes():
    limits.check_request(GOOD, LIMITS)


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"prompt": " \n"}, PromptError, ["empty"]),
        ({"prompt": ", ,,"}, PromptError, ["nothing but commas"]),
        ({"prompt": "((,)) BREAK [ ] AND 、"}, PromptError, ["nothing but commas"]),
        ({"prompt": "a" * 4001}, LimitError, ["4,001", "4,000"]),
        ({"negative_prompt": "a" * 4001}, LimitError, ["negative prompt", "4,000"]),
        ({"prompt": "1girl, (hair:1.2.3)"}, PromptError, ["prompt"]),
        ({"width": 1288}, LimitError, ["width", "1288", "1280"]),
        ({"height": 450}, LimitError, ["height", "multiple of 8", "The nearest is 448."]),
        ({"height": 641}, LimitError, ["height", "The nearest is 640."]),
        ({"width": 3}, LimitError, ["width", "The nearest is 64."]),
        ({"width": 0}, LimitError, ["width"]),
        ({"steps": 61}, LimitError, ["61", "60"]),
        ({"steps": 0}, LimitError, ["steps"]),
        ({"cfg_scale": 31}, LimitError, ["CFG", "30"]),
        ({"cfg_scale": 0.5}, LimitError, ["CFG"]),
        ({"count": 5}, LimitError, ["pictures", "4"]),
        ({"seed": 2**32}, LimitError, ["seed", "4294967295"]),
        ({"seed": -2}, LimitError, ["seed"]),
        ({"seed": 2**32 - 3, "count": 4}, LimitError, ["seeds of 4 pictures", "4294967295"]),
        ({"subseed": -5}, LimitError, ["variation seed -5"]),
        ({"subseed": 2**32}, LimitError, ["variation seed 4294967296"]),
        ({"subseed_strength": 55}, LimitError, ["variation strength of 55"]),
        ({"subseed_strength": float("nan")}, LimitError, ["variation strength of nan"]),
        ({"eta_noise_seed_delta": -4294967296}, LimitError, ["ENSD -4294967296", "-4294967295 to 4294967295"]),
        (
            {"seed_resize_width": 10**9, "seed_resize_height": 10**9},
            LimitError,
            ["1000000000x1000000000", "64 to 1280"],
        ),
        ({"seed_resize_width": 512}, LimitError, ["512x0", "64 to 1280"]),
        ({"prompt": "1girl, \ud83d smile"}, PromptError, ["prompt has an invalid character at position 8"]),
        ({"negative_prompt": "a\0b"}, PromptError, ["negative prompt has an invalid character at position 2"]),
        ({"hires": HiresFix(prompt="\ude00")}, PromptError, ["hires prompt has an invalid character at position 1"]),
        ({"hires": HiresFix(scale=0)}, LimitError, ["0x0", "at least 64"]),
        ({"hires": HiresFix(scale=-1)}, LimitError, ["-448x-640", "at least 64"]),
        ({"hires": HiresFix(width=2048, height=8)}, LimitError, ["2048x8", "at least 64"]),
        ({"width": 64, "height": 1280, "hires": HiresFix(width=2048, height=64)}, LimitError, ["a shape like 64x1280"]),
        ({"hires": HiresFix(width=4096, height=4096)}, LimitError, ["4096x4096", "2048"]),
        ({"width": 1280, "hires": HiresFix(scale=2)}, LimitError, ["2560", "2048"]),
        ({"hires": HiresFix(denoising_strength=0)}, LimitError, ["strength of 0", "0.01 to 1"]),
        ({"hires": HiresFix(upscaler="Latent (bicubik)")}, LimitError, ["'Latent (bicubik)'", "Latent (bicubic)"]),
        ({"hires": HiresFix(sampler="Eular a")}, LimitError, ["Eular a", "Euler a"]),
        ({"hires": HiresFix(schedule="Karas")}, LimitError, ["Karas", "Karras"]),
        ({"sampler": "DPM++ 2N"}, LimitError, ["DPM++ 2N", "DPM++ 2M"]),
        ({"sampler": "DPM adaptiv"}, LimitError, ["DPM adaptiv", "DPM adaptive"]),
        ({"sampler": "DDIM CFG+"}, LimitError, ["DDIM CFG+", "DDIM CFG++"]),
        ({"schedule": "Exponentiel"}, LimitError, ["Exponentiel", "Exponential"]),
        ({"prompt": "1girl <lora:My LoRA v1:0.8>"}, NotFoundError, ["no LoRA 'My LoRA v1'", "this bot has none"]),
        ({"hires": HiresFix(prompt="<lyco:x:1> a")}, NotFoundError, ["no LoRA 'x'"]),
        ({"prompt": "a <lora:x:y>"}, PromptError, ["<lora:x:y>", "'y' where a number belongs"]),
        ({"prompt": "a" + "<lora:x:1>" * 11}, LimitError, ["11 LoRAs", "10"]),
        ({"prompt": "a <hypernet:x:1>"}, RequestError, ["Hypernetworks are not supported", "<hypernet:x:1>"]),
        ({"checkpoint": "anything"}, NotFoundError, ["no checkpoint 'anything'", "none to choose from"]),
        ({"vae": "soft"}, NotFoundError, ["no VAE 'soft'"]),
        ({"init": InitImage.of(PICTURE)}, RequestError, ["hires fix do not go together"]),
        ({"hires": None, "init": InitImage.of(b"?")}, RequestError, ["cannot be read"]),
        ({"hires": None, "init": InitImage.of(PICTURE, denoising_strength=2)}, LimitError, ["strength of 2", "0 to 1"]),
        ({"hires": None, "init": InitImage.of(PICTURE, resize_mode="Crop")}, LimitError, ["Crop and resize"]),
        (
            {"hires": None, "init": InitImage.of(PICTURE, resize_mode="Just resize (latent upscale)")},
            LimitError,
            ["3000x64", "2048"],
        ),
    ],
)
def test_refusals_name_cause_and_limit(changes, error, words):
    with pytest.raises(error) as caught:
        limits.check_request(GOOD.replace(**changes), LIMITS)

    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("Sampler: Euler, Hires upscale: 2, Hires upscaler: R-ESRGAN 4x+ Anime6B", "no upscaler 'R-ESRGAN"),
    ],
)
def test_an_infotext_that_cannot_be_painted_is_refused_before_it_is_queued(written, words):
    request = read_request(f"a\nSteps: 20, {written}, CFG scale: 7, Seed: 1, Size: 64x64").request

    with pytest.raises(LimitError, match=words):
        limits.check_request(request, LIMITS)


def test_an_operators_upscaler_is_let_through_by_its_files_name():
    own = GOOD.replace(hires=HiresFix(upscaler="4x-AnimeSharp"))

    limits.check_request(own, LIMITS, upscaler_models=["4x-AnimeSharp"])
    with pytest.raises(LimitError, match="4x-AnimeSharp"):
        limits.check_request(own, LIMITS)


def test_what_the_operator_has_is_let_through_by_name(tmp_path):
    (tmp_path / "soft_light.safetensors").touch()
    models = ModelNames(loras=LoraFiles(tmp_path), checkpoints=("default", "Anything v3"), vaes=("soft",))
    own = GOOD.replace(prompt="a <lora:soft_light:0.5:te=1> <lyco:soft light>", checkpoint="Anything v3", vae="soft")

    limits.check_request(own, LIMITS, models=models)
    for wrong, words in (
        ({"prompt": "a <lora:soft_night:1>"}, "no LoRA 'soft_night'. Did you mean soft_light"),
        ({"hires": HiresFix(prompt="a <lora:hard:1>")}, "no LoRA 'hard'. Known are soft_light"),
        ({"checkpoint": "Anything"}, "Did you mean Anything v3"),
        ({"vae": "hard"}, "no VAE 'hard'. Known are soft"),
    ):
        with pytest.raises(NotFoundError, match=words):
            limits.check_request(own.replace(**wrong), LIMITS, models=models)


def test_a_tag_that_is_no_network_and_a_tag_in_the_negative_prompt_pass():
    """The webui ignores the one, and takes the other for text."""
    limits.check_request(GOOD.replace(prompt="1girl <note:x>", negative_prompt="<lora:x:1>"), LIMITS)


def test_a_picture_to_start_from_passes():
    limits.check_request(GOOD.replace(hires=None, init=InitImage.of(PICTURE, denoising_strength=0)), LIMITS)
