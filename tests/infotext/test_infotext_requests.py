import re

import pytest

from pastelbot.infotext import completed, format_infotext, read_request
from pastelbot.records import GenerationRequest, HiresFix, InitImage

CARD = """mksks style, masterpiece, 1girl
Negative prompt: lowres, ((bad anatomy))
Steps: 20, Sampler: DPM++ 2M Karras, CFG scale: 7, Seed: 580841049, Size: 448x640, Model hash: 7edc8e08, \
Model: pastelmix-fp32, Denoising strength: 0.6, Clip skip: 2, ENSD: 31337, Hires resize: 960x1280, Hires steps: 20, \
Hires upscaler: Latent"""

REQUESTS = [
    GenerationRequest(prompt="a"),
    GenerationRequest(prompt="a\nb", negative_prompt="c\nd", seed=2**32 - 1, cfg_scale=7.5, clip_skip=1),
    GenerationRequest(prompt="a", sampler="Euler a", schedule="Automatic"),
    GenerationRequest(prompt="a", sampler="Euler a", schedule="Karras", eta_noise_seed_delta=0),
    GenerationRequest(prompt="a", subseed=5, subseed_strength=0.3, seed_resize_width=64, seed_resize_height=128),
    GenerationRequest(prompt="a", noise_source="CPU"),
    GenerationRequest(prompt="(a)", emphasis="No norm"),
    GenerationRequest(prompt="a", hires=HiresFix(scale=1.5, steps=0)),
    GenerationRequest(prompt="a", hires=HiresFix(width=960, height=1280, upscaler="Lanczos", denoising_strength=1)),
    GenerationRequest(
        prompt="a",
        hires=HiresFix(
            sampler="DPM++ 2M SDE",
            schedule="Exponential",
            cfg_scale=5.5,
            prompt='say "x": y,\nz',
            negative_prompt='"quoted"',
        ),
    ),
]


@pytest.mark.parametrize("request_", REQUESTS)
def test_a_request_survives_its_infotext(request_):
    text = format_infotext(request_, checkpoint="m, 1", checkpoint_hash="0123456789")
    read = read_request(text)

    assert read.request == request_
    assert (read.checkpoint, read.checkpoint_hash, read.notes, read.missing) == ("m, 1", "0123456789", (), ())


def test_the_card_is_understood():
    read = read_request(CARD)

    assert read.request == GenerationRequest(
        prompt="mksks style, masterpiece, 1girl",
        negative_prompt="lowres, ((bad anatomy))",
        seed=580841049,
        hires=HiresFix(width=960, height=1280),
    )
    assert (read.checkpoint, read.checkpoint_hash) == ("pastelmix-fp32", "7edc8e08")
    assert read.notes == ()


def test_a_seed_that_is_not_said_is_drawn_and_what_else_is_absent_is_noted():
    read = completed(read_request("a\nSteps: 30, Sampler: Euler a, Size: 64x64"), random_seed=lambda: 77)

    assert (77, 30) == (read.request.seed, read.request.steps)
    assert (
        "It does not say Seed; a random one was drawn.",
        "It does not say CFG scale; the default is taken.",
    ) == read.notes


def test_a_seed_that_is_said_stays():
    read = completed(
        read_request("a\nSteps: 30, Sampler: Euler a, CFG scale: 7, Seed: 0, Size: 64x64"), random_seed=int
    )

    assert (0, ()) == (read.request.seed, read.notes)


def test_missing_and_strange_fields_are_reported():
    read = read_request("a\nSteps: many, Sampler: Magic, Size: 64x64, Face restoration: GFPGAN, RNG: XPU")

    assert read.missing == ("CFG scale", "Seed")
    assert [note.split(" ")[0] for note in read.notes] == ["The", "Steps", "The", "Face"]
    assert (read.request.steps, read.request.sampler, read.request.width) == (20, "DPM++ 2M", 64)


def test_a_bare_prompt_is_a_request_with_usual_settings():
    assert read_request("a cat").request == GenerationRequest(prompt="a cat")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", (20, 0, 448, 640)),
        ("Steps: 1e999, Seed: nan, Size: 9x9, Aa: b", (20, 0, 9, 9)),
        ("Steps: 1, Sampler: x, Size: " + "9" * 5000 + "x9", (1, 0, 448, 9)),
    ],
)
def test_no_text_is_too_strange(text, expected):
    """What is no number, or one that is too long, has its usual value."""
    read = read_request(text).request

    assert (read.steps, read.seed, read.width, read.height) == expected


def test_each_picture_of_a_request_has_its_own_seed():
    seeds = GenerationRequest(prompt="a", seed=5, count=2)
    subseeds = seeds.replace(subseed=7, subseed_strength=0.5)

    assert "Seed: 6," in format_infotext(seeds, index=1, checkpoint="m", checkpoint_hash="")
    assert "Seed: 5," in format_infotext(subseeds, index=1, checkpoint="m", checkpoint_hash="")
    assert "Variation seed: 8," in format_infotext(subseeds, index=1, checkpoint="m", checkpoint_hash="")


def test_a_picture_painted_over_another_says_its_strength():
    request = GenerationRequest(prompt="a", init=InitImage(denoising_strength=0.4))
    text = format_infotext(request, checkpoint="m", checkpoint_hash="")

    assert "Denoising strength: 0.4" in text
    assert request.replace(init=None) == read_request(text).request
    assert ["painted over another picture" in note for note in read_request(text).notes] == [True]


def test_networks_and_vae_are_written_where_the_webui_has_them_and_read_without_a_note():
    request = GenerationRequest(prompt="a <lora:soft:1>, nice", hires=HiresFix(), emphasis="None")
    networks = {"Lora hashes": "soft: 0123456789ab, b c: ba9876543210", "TI hashes": "nice: 0123456789"}
    text = format_infotext(
        request.replace(prompt="(a) <lora:soft:1>, nice"),
        checkpoint="m",
        checkpoint_hash="0" * 10,
        vae="soft.vae.pt",
        vae_hash="1" * 10,
        networks=networks,
    )
    read = read_request(text)

    names = [name.strip() for name in re.findall(r"(?:^|, )([A-Z][\w ]+):", text.splitlines()[-1])]
    assert names[names.index("Model") :][:3] == ["Model", "VAE hash", "VAE"]
    assert names[-4:] == ["Lora hashes", "TI hashes", "Emphasis", "Version"]
    assert ({"soft": "0123456789ab", "b c": "ba9876543210"}, {"nice": "0123456789"}) == (read.loras, read.embeddings)
    assert ("soft.vae.pt", ()) == (read.vae, read.notes)


def test_hashes_that_are_none_are_left_out():
    text = 'a\nSteps: 1, Sampler: Euler, CFG scale: 1, Seed: 1, Size: 8x8, RNG: CPU, Lora hashes: "x, :, y: 1"'

    assert {"y": "1"} == read_request(text).loras
