"""From flags and single values to options, and from options over others."""

import pytest
from helpers.option_flags import SYNTAX

from pastelbot.config import LimitSettings, Settings
from pastelbot.errors import LimitError, PromptError, RequestError
from pastelbot.options import GenerationOptions, draft
from pastelbot.options.clamping import clamp
from pastelbot.options.flags import options_from_prompt
from pastelbot.options.reading import read_aspect, read_hires, read_negative, read_strength, size_with_aspect
from pastelbot.records import GenerationRequest


def test_every_flag_is_read():
    for flag in SYNTAX:
        options = options_from_prompt(f"1girl {flag.written}")
        assert options.prompt == "1girl"
        assert len(options.set_fields()) >= 2, flag.name


def test_flags_become_options():
    options = options_from_prompt(
        "1girl --seed -1 --cfg 7.5 --clip-skip 1 --hires 1.5 --strength 0.3 --no a --no b --nostyle --private # 9"
    )

    assert (
        GenerationOptions(
            prompt="1girl",
            seed=-1,
            cfg=7.5,
            clip_skip=1,
            hires=True,
            hires_scale=1.5,
            denoise=0.3,
            avoid="a, b",
            style=False,
            private=True,
        )
        == options
    )
    assert options_from_prompt("1girl --hires 2x --nohires") == GenerationOptions(prompt="1girl", hires=False)


@pytest.mark.parametrize(
    "text",
    [
        "--steps ²",
        "--steps 1.5",
        "--steps --5",
        "--steps 999999999999999999",
        "--cfg inf",
        "--count x",
        "--seed 99999999999",
        f"--seed {'9' * 5000}",
    ],
)
def test_what_is_no_number_is_refused_with_its_place(text):
    with pytest.raises(PromptError, match="at character 7") as caught:
        options_from_prompt(f"1girl {text}")
    assert caught.value.position == 6


def test_hires_is_read():
    assert [(True, None), (False, None), (True, 1.5), (True, 2.0), (True, 1.25)] == [
        read_hires(text) for text in ("on", " OFF ", "1.5x", "2", "1.25 X")
    ]
    for text in ("1x", "0.5x", "5x"):
        with pytest.raises(LimitError):
            read_hires(text)
    with pytest.raises(RequestError, match="off, on, or a scale"):
        read_hires("big")


def test_small_words():
    assert ["", "", "lowres"] == [read_negative(text) for text in ("none", " - ", "lowres")]
    assert [0.5, 1.0] == [read_strength(text) for text in ("0,5", "1")]
    for text in ("2", "nan", "x"):
        with pytest.raises(RequestError, match="not a valid strength"):
            read_strength(text)


@pytest.mark.parametrize("text", ["0:1", "1:0", "a:b", "3", ""])
def test_what_is_no_aspect_ratio(text):
    with pytest.raises(RequestError, match="not an aspect ratio"):
        read_aspect(text)


@pytest.mark.parametrize(
    ("size", "ratio", "expected"),
    [
        ((448, 640), "3:2", (640, 448)),
        ((448, 640), "1:1", (512, 512)),
        ((448, 640), "2:1", (768, 384)),
        ((512, 512), "21:9", (768, 320)),
        ((128, 128), "3:2", (160, 112)),
        ((64, 64), "4:1", (128, 64)),
        ((1280, 1280), "2:1", (1280, 640)),
    ],
)
def test_an_aspect_ratio_keeps_the_number_of_pixels(size, ratio, expected):
    assert expected == size_with_aspect(size, read_aspect(ratio), largest=1280)


def test_sizes_with_any_ratio_are_within_the_caps():
    for side in range(64, 1281, 56):
        for tenth in range(3, 40):
            width, height = size_with_aspect((side, side), tenth / 10, largest=1000)
            assert width % 8 == height % 8 == 0
            assert 64 <= min(width, height) <= max(width, height) <= 1000


def test_options_over_others():
    upper = GenerationOptions(size="square", sampler="Euler", cfg=5)
    lower = GenerationOptions(aspect="3:2", hires_size="960x1280", schedule="Karras", cfg=7, steps=9, seed=3)

    assert GenerationOptions(size="square", sampler="Euler", cfg=5, steps=9, seed=3) == upper.merged_over(lower)
    assert lower == GenerationOptions().merged_over(lower)
    assert (
        "a, 1girl, b"
        == GenerationOptions(prompt="1girl").merged_over(GenerationOptions(prompt="a, {prompt}, b")).prompt
    )
    assert "1girl" == GenerationOptions(prompt="1girl").merged_over(GenerationOptions(prompt="2girls")).prompt


def test_options_survive_being_stored():
    options = GenerationOptions(prompt="1girl", hires=False, steps=9)

    assert options == GenerationOptions.of({**options.set_fields(), "gone_by_now": 5})


def test_what_was_typed_is_never_clamped():
    limits = LimitSettings(max_steps=10, max_side=256, max_count=1, max_hires_side=300)
    typed = GenerationOptions(prompt="1girl", size="512x512", steps=30, cfg=40, count=3, hires=True)
    request = draft(typed, Settings(), random_seed=int)

    assert request == clamp(request, limits, typed)


def test_a_picture_to_start_from_brings_a_size_that_is_clamped():
    limits, typed = LimitSettings(max_side=200), GenerationOptions(prompt="1girl")

    def clamped(width, height):
        request = clamp(GenerationRequest(prompt="1girl", width=width, height=height), limits, typed)
        return request.width, request.height

    assert (200, 96) == clamped(2000, 1000)
    assert (200, 64) == clamped(5000, 10)
    assert (128, 136) == clamped(128, 136)
