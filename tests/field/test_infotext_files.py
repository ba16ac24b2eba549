"""Shapes of pictures and infotexts that people met, as small files in `data`; names begin with the case's number."""

from pathlib import Path

import pytest

from pastelbot.formats.pictures import read_infotext
from pastelbot.infotext import completed, read_request

DATA = Path(__file__).parent / "data"


@pytest.mark.parametrize(
    ("name", "prompt"),
    [
        ("30-quality.jpg", "最高品質, 1girl"),
        ("30-one.webp", "一个女孩"),
        ("32-horde.jpg", "1girl, red hair"),
        ("34-fooocus.jpg", "1girl, red hair"),
        ("34-fooocus.webp", "1girl, red hair"),
        ("38-fenced.txt", "1girl, red hair"),
        ("38-fenced-one-line.txt", "1girl, red hair"),
        ("41-infotext-ab12cd.txt", "1girl, red hair"),
        ("42-it.txt", "1girl, red hair"),
        ("46-anc.txt", "1girl, red hair"),
        ("46-cap.txt", "1girl, red hair"),
        ("46-k.txt", "1girl, red hair"),
        ("50-it.txt", "1girl, red hair"),
        ("52-it.txt", "1girl, red hair"),
        ("58-bom.txt", "1girl, red hair"),
        ("58-utf16.txt", "1girl, red hair"),
    ],
)
def test_the_infotext_of_a_file_is_read_exactly(name, prompt):
    read = read_request(read_infotext(DATA / name))

    assert (prompt, "hat", ()) == (read.request.prompt, read.request.negative_prompt, read.missing)
    assert (12, "Euler a", 6, 77, 128, 192) == (
        read.request.steps,
        read.request.sampler,
        read.request.cfg_scale,
        read.request.seed,
        read.request.width,
        read.request.height,
    )


@pytest.mark.parametrize("name", ["44-big.txt", "44-five.txt", "44-minus.txt"])
def test_a_seed_that_cannot_be_is_drawn_and_said(name):
    read = completed(read_request(read_infotext(DATA / name)), random_seed=lambda: 5)

    assert (5, 1) == (read.request.seed, len(read.notes))


def test_civitais_list_is_read_as_it_is():
    assert {"Soft: style": 0.8} == read_request(read_infotext(DATA / "50-it.txt")).resources


@pytest.mark.parametrize(
    ("name", "program"),
    [
        ("35-nai.png", "NovelAI"),
        ("36-comfy.png", "ComfyUI"),
        ("36-invoke.png", "InvokeAI"),
        ("36-easydiffusion.png", "Easy Diffusion"),
        ("36-fooocus.png", "Fooocus"),
    ],
)
def test_a_picture_of_another_program_is_named(name, program):
    read = read_request(read_infotext(DATA / name))

    assert read.notes[0].startswith(f"It was made with {program}")
    assert read.request.prompt.startswith("1girl")
    assert "Seed" not in read.missing
    assert read.request.seed in (5, 123456)


def test_a_text_hidden_in_the_pixels_is_read():
    assert "1girl, red hair" == read_request(read_infotext(DATA / "36-stealth.png")).request.prompt
