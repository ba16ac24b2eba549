import pytest
from helpers.support import cpu_seconds

from pastelbot.errors import LimitError
from pastelbot.infotext import Infotext, parse_infotext, read_fields, read_request, with_line_breaks

FIELDS = {"Steps": "20", "Sampler": "Euler a", "CFG scale": "7"}


def test_prompts_may_have_several_lines():
    infotext = Infotext("one\ntwo", "three\nfour", FIELDS)

    assert infotext.format() == "one\ntwo\nNegative prompt: three\nfour\nSteps: 20, Sampler: Euler a, CFG scale: 7"
    assert read_fields(infotext.format()) == infotext


@pytest.mark.parametrize("value", ["a, b", "a: b", "a\nb", 'say "x", y', '"x"', "\\", "é,ü", "512x512", 'x "y"'])
def test_any_value_survives(value):
    infotext = Infotext("p", "", {**FIELDS, "Some field": value})

    assert value == read_fields(infotext.format()).fields["Some field"]


def test_unknown_fields_are_kept_in_their_order():
    fields = {**FIELDS, "Zeta": "1", "Alpha": "x: y, z"}

    assert list(read_fields(Infotext("p", "n", fields).format()).fields.items()) == list(fields.items())


def test_fewer_than_three_fields_are_part_of_the_prompt():
    assert read_fields("a\nSteps: 20, Sampler: Euler a").prompt == "a\nSteps: 20, Sampler: Euler a"


def test_a_value_with_an_open_quote_ends_at_its_comma():
    assert read_fields('p\nAa: "x, Bb: y, Cc: z').fields == {"Aa": '"x', "Bb": "y", "Cc": "z"}


def test_release_candidates_come_before_their_release():
    line = "[a]\nSteps: 1, Sampler: Euler, CFG scale: 1, Version: "

    assert "Old prompt editing timelines" in parse_infotext(line + "v1.6.0-RC-10-g0123")
    assert "Old prompt editing timelines" not in parse_infotext(line + "v1.6.0-10-g0123")
    assert "Downcast alphas_cumprod" in parse_infotext(line + "v1.7.0-224-g0123")
    assert "Downcast alphas_cumprod" not in parse_infotext(line + "nonsense")


@pytest.mark.parametrize("text", ["a" * 64_000, "a: " * 20_000, 'ab: "x, ' * 8_000, "\n" * 64_000, "1x" * 32_000 + ":"])
def test_long_texts_are_read_quickly(text):
    assert cpu_seconds(lambda: parse_infotext(text)) < 5  # measured: 0.15 at most


@pytest.mark.parametrize("read", [read_fields, parse_infotext, read_request, with_line_breaks])
def test_no_reader_looks_at_more_than_64_ki_characters(read):
    read("a" * 64 * 2**10)

    with pytest.raises(LimitError, match=r"The infotext has 65,537 characters; the cap is 65,536\."):
        read("a" * (64 * 2**10 + 1))
