"""The six example pictures of the Pastel-Mix card: their infotexts, as published, are understood whole."""

import json
from pathlib import Path

import pytest

from pastelbot.config import LimitSettings, Settings
from pastelbot.infotext import format_infotext, read_fields, read_request
from pastelbot.options import GenerationOptions, draft
from pastelbot.records import GenerationRequest, HiresFix
from pastelbot.rules import limits

CARD = json.loads((Path(__file__).parent / "card.json").read_text(encoding="utf-8"))

QUALITY = "masterpiece, best quality, ultra-detailed, illustration, "
PORTRAIT, LANDSCAPE = (448, 640, 960, 1280), (640, 448, 1280, 960)
PICTURES = [
    (QUALITY + "portrait, 1girl", None, PORTRAIT),
    (QUALITY + "portrait, hakurei reimu, 1girl, throne room, dimly lit", None, PORTRAIT),
    (
        QUALITY + "1girl, witch hat, purple eyes, blonde hair, wielding a purple staff blasting purple energy, "
        "purple beam, purple effects, dragons, chaos",
        None,
        PORTRAIT,
    ),
    (QUALITY + "close-up, straight on, 1girl, black hair, yellow eyes, red roses, chains", 2203084815, LANDSCAPE),
    (
        QUALITY + "close-up, straight on, face focus, 1girl, white hair, golden eyes, long hair, halo, angel wings, "
        "serene expression, looking at viewer",
        240742293,
        LANDSCAPE,
    ),
    (
        (
            "mksks style, masterpiece, best quality, upper body, 1girl, looking at viewer, red hair, medium hair, "
            "purple eyes, demon horns, black coat, indoors, dimly lit"
        ),
        580841049,
        PORTRAIT,
    ),
]


def test_there_are_six():
    assert len(PICTURES) == len(CARD)


@pytest.mark.parametrize(("text", "expected"), list(zip(CARD, PICTURES, strict=False)))
def test_each_infotext_is_the_request_that_it_says(text, expected):
    """Every field is understood; the first three pictures, which were grids, have no seed."""
    prompt, seed, (width, height, hires_width, hires_height) = expected
    read = read_request(text)

    assert read.request == GenerationRequest(
        prompt=prompt,
        negative_prompt=Settings().defaults.negative_prompt,
        width=width,
        height=height,
        seed=seed or 0,
        steps=20,
        cfg_scale=7,
        sampler="DPM++ 2M",
        schedule="Karras",
        clip_skip=2,
        eta_noise_seed_delta=31337,
        noise_source="NV",
        hires=HiresFix(width=hires_width, height=hires_height, steps=20, denoising_strength=0.6, upscaler="Latent"),
    )
    assert (("pastelmix-fp32", "7edc8e08"), ()) == ((read.checkpoint, read.checkpoint_hash), read.notes)
    assert read.missing == (() if seed else ("Seed",))
    limits.check_request(read.request, LimitSettings())


@pytest.mark.parametrize("text", CARD)
def test_each_infotext_comes_back(text):
    """As a list of fields letter for letter, and through a request with the same meaning."""
    request = read_request(text).request

    assert text == read_fields(text).format()
    assert request == read_request(format_infotext(request, checkpoint="m", checkpoint_hash="")).request


def test_the_defaults_are_the_settings_of_the_card():
    """A prompt and nothing else gives the card's picture."""
    card = read_request(CARD[5]).request
    drafted = draft(GenerationOptions(prompt=card.prompt, seed=card.seed), Settings(), random_seed=int)

    assert card == drafted
