"""Settings typed inside a prompt."""

import random

import pytest
from helpers.option_flags import SYNTAX

from pastelbot.errors import PromptError
from pastelbot.prompt.flags import escape_flags, read_flags


def read(text):
    prompt, flags = read_flags(text, SYNTAX)
    return prompt, [(flag.name, flag.value) for flag in flags]


def test_the_flags_of_the_issue():
    expected = ("1girl, red hair", [("seed", "5"), ("ar", "3:2"), ("no", "bad hands"), ("steps", "30")])

    assert expected == read("1girl, red hair --seed 5 --ar 3:2 --no bad hands --steps 30")


@pytest.mark.parametrize("dash", ["--", "—", "–", "−−", "‐‐", "―", "---"])
def test_the_dashes_of_phones_are_as_good(dash):
    assert ("1girl", [("seed", "5"), ("nohires", "")]) == read(f"1girl {dash}seed 5 {dash}nohires")


@pytest.mark.parametrize(
    "text",
    [
        "a--b, x--seed",
        "--, -- , :-), :--, >-<",
        "smile -- seed 5",
        "<lora:my --seed 5:1>",
        "(1girl --seed 5:1.2), [a --cfg 3:b:0.5], {x --steps 3}",
        "-seed 5, 1-2, --5",
        "red – blue — green",
        "( --seed 3)",
        "１girl、笑顔",
    ],
)
def test_what_is_no_flag_is_left_as_it_is(text):
    assert (text, []) == read(text)


def test_an_open_bracket_hides_no_flag():
    assert ("(1girl", [("seed", "5")]) == read("(1girl --seed 5")
    assert (">_< :)", [("seed", "5")]) == read(">_< --seed 5 :)")


def test_words_behind_a_value_belong_to_the_prompt():
    assert ("1girl, red hair", [("seed", "5")]) == read("1girl --seed 5, red hair")
    assert ("1girl red hair", [("seed", "5")]) == read("1girl --seed 5 red hair")
    assert ("1girl, smile", [("sampler", "Euler a")]) == read("1girl --sampler Euler a, smile")
    assert ("1girl smile", [("hires", ""), ("style", "")]) == read("1girl --hires smile --style")
    assert ("1girl smile", [("hires", "1.5x")]) == read("--hires 1.5x 1girl smile")


def test_lists_of_tags_reach_to_the_next_flag_and_quotes_hold_together():
    assert ("1girl", [("no", "bad hands, blurry"), ("seed", "1")]) == read("1girl --no bad hands, blurry --seed 1")
    assert ("1girl, smile", [("no", "hat, --x")]) == read('1girl --no "hat, --x", smile')
    assert ("1girl, smile", [("no", "hat")]) == read("1girl --no “hat”, smile")


def test_spellings():
    assert ("", [("clip-skip", "2"), ("clip-skip", "3"), ("clip-skip", "4")]) == read(
        "--CLIP_SKIP=2 --clipskip 3 --clip-skip: 4"
    )
    assert ("1girl", [("seed", "-1")]) == read("1girl,--seed -1")


def test_a_backslash_keeps_hyphens():
    assert ("1girl --seed 5", []) == read(r"1girl \--seed 5")


@pytest.mark.parametrize(
    ("text", "position", "words"),
    [
        ("1girl --sed 5", 6, "There is no flag --sed (at character 7). Did you mean --seed"),
        ("1girl —step 5", 6, "Did you mean --steps"),
        ("1girl --foo", 6, "There is no flag --foo (at character 7). Known are --"),
        ("--seed", 0, "The flag --seed at character 1 has no value"),
        ("a --seed --cfg 7", 2, "for example --seed 5"),
        ("a --no , ", 2, "for example --no bad hands"),
        ('a --no ""', 2, "has no value"),
    ],
)
def test_errors_say_where_and_what_there_is(text, position, words):
    with pytest.raises(PromptError) as caught:
        read_flags(text, SYNTAX)

    assert position == caught.value.position
    assert words in str(caught.value)


def test_every_flag_has_an_example_that_can_be_read():
    for syntax in SYNTAX:
        prompt, [flag] = read_flags(f"1girl {syntax.written}", SYNTAX)
        assert ("1girl", syntax.name) == (prompt, flag.name)


PIECES = [
    "1girl",
    " ",
    ", ",
    "--",
    "—",
    "-",
    "seed",
    "5",
    "no",
    "<lora:a:1>",
    "<",
    ">",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "\\",
    '"',
    "\n",
]


def test_any_text_is_read_or_refused_and_escaping_keeps_it():
    """Whatever people type, reading ends in a result or a PromptError, and an escaped prompt stays as it was."""
    draw = random.Random(5)
    for _ in range(3000):
        text = "".join(draw.choice(PIECES) for _ in range(draw.randrange(14)))
        try:
            prompt, _flags = read_flags(text, SYNTAX)
        except PromptError:
            continue
        assert (prompt, ()) == read_flags(escape_flags(prompt), SYNTAX)


def test_a_long_prompt_full_of_brackets_is_read_quickly():
    assert [] == read("(" * 4000 + ")" * 4000)[1]
    assert 1 == len(read("([{<" * 1000 + " --seed 5")[1])
