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
