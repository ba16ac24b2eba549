import random

import pytest

from pastelbot.prompt.attention import parse_attention
from pastelbot.prompt.composition import split_and
from pastelbot.prompt.tags.completion import Candidate, completions, label, short_count, unfinished, without_arrows

RED = [Candidate("red_hair")]


def completed(text, candidates=RED):
    typed = unfinished(text)
    return [choice.value for choice in completions(typed, candidates)] if typed is not None else None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("re", "red hair"),
        ("1girl, re", "1girl, red hair"),
        ("1girl,re", "1girl,red hair"),
        ("1girl, red_ha", "1girl, red hair"),
        ("((re", "((red hair"),
        ("(re:1.2", "(red hair:1.2"),
        ("(re:1.2)", "(red hair:1.2)"),
        ("((re))", "((red hair))"),
        ("(smile, re:1.2", "(smile, red hair:1.2"),
        ("[re", "[red hair"),
        ("[blue hair:re", "[blue hair:red hair"),
        ("{cat|re", "{cat|red hair"),
        ("<lora:a_b, c:0.5> re", "<lora:a_b, c:0.5> red hair"),
        ("cat AND re", "cat AND red hair"),
        ("cat\nre", "cat\nred hair"),
        ("re ", "red hair"),
        ("ｒｅ🎨", "red hair"),
        (",,,", ",,,red hair"),
        ("(" * 80 + "re", "(" * 80 + "red hair"),
    ],
)
def test_the_last_tag_is_completed_and_all_else_kept(text, value):
    assert [value] == completed(text)


@pytest.mark.parametrize(
    "text",
    [
        "<lora:re",
        "1girl, <lora:a_b:0.",
        "<lo",
        "__hair",
        "1girl --steps 3",
        "—ar 3",
        "[red:blue:0.5",
        "cat AND",
        "a BREAK",
    ],
)
def test_what_is_no_tag_is_left_alone(text):
    assert unfinished(text) is None


@pytest.mark.parametrize("text", ["a" * 8000, "(" * 8000, "a, " * 100, "(" * 200 + "re", "x" * 99 + ", re"])
def test_nothing_is_offered_that_would_not_fit(text):
    assert not completed(text)


def test_a_tag_that_just_fits_is_offered():
    assert ["x" * 90 + ", red hair"] == completed("x" * 90 + ", re")
    assert completed("x" * 91 + ", re") == []


def test_tags_that_the_prompt_has_already_are_not_offered():
    assert completed("red_hair, (Smile:1.2), r", [*RED, Candidate("smile"), Candidate("red_hat")]) == [
        "red_hair, (Smile:1.2), red hat"
    ]


def test_brackets_in_names_are_escaped_and_paint_as_brackets():
    (value,) = completed("1girl, sab", [Candidate("saber_(fate)")])

    assert value == r"1girl, saber \(fate\)"
    assert [("1girl, saber (fate)", 1.0)] == [tuple(fragment) for fragment in parse_attention(value)]


def test_an_alias_says_what_it_stands_for():
    (choice,) = completions(unfinished("1girl, (re h:1.2"), [Candidate("red_hair", "re hair")])

    assert choice == ("1girl, (re hair → red hair:1.2", "1girl, (red hair:1.2")


def test_an_alias_too_long_for_the_whole_prompt_is_shown_alone():
    head = "x" * 85 + ", "
    (choice,) = completions(unfinished(f"{head}re"), [Candidate("red_hair", "re hair")])
    assert choice == ("re hair → red hair", f"{head}red hair")

    (choice,) = completions(unfinished("re"), [Candidate("red_hair", "r" * 150)])
    assert len(choice.name) == 100


def test_there_are_25_choices_at_most_each_once():
    many = [Candidate(f"red_{number // 2}", "alias" if number % 2 else None) for number in range(100)]
    choices = completions(unfinished("re"), many)

    assert len(choices) == len({choice.value for choice in choices}) == 25
    assert choices[0].name == "red 0"


def test_any_text_gives_choices_within_the_limits_that_keep_what_was_typed():
    rng = random.Random(5)
    pieces = [
        "red",
        " hair",
        "_",
        ",",
        "(",
        ")",
        "[",
        "]",
        "{",
        "|",
        ":",
        "1.2",
        "<lora:x:1>",
        "🎨",
        "é",
        "\\(",
        "→",
        " AND ",
    ]
    for _ in range(2000):
        text = "".join(rng.choices(pieces, k=rng.randint(0, 40)))
        typed = unfinished(text)
        for name, value in completions(typed, [*RED, Candidate("a_(b)", "c" * 90)]) if typed else []:
            assert 1 <= len(name) <= 100
            assert 1 <= len(value) <= 100
            assert value.startswith(typed.head)
            assert value.endswith(typed.tail)
            assert (typed.head + typed.word + typed.tail) == text


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("re hair → red hair", "red hair"),
        ("1girl, (re hair → red hair:1.2), a → b", "1girl, (red hair:1.2), b"),
        (r"sebar → saber \(fate\), smile", r"saber \(fate\), smile"),
        ("a→b, smile", "a→b, smile"),
        ("smile", "smile"),
    ],
)
def test_people_may_type_on_from_what_a_choice_was_called(text, plain):
    assert plain == without_arrows(text)


def test_a_search_shows_counts():
    assert ["999", "1.0k", "10k", "437k", "1.0M", "6.0M", "12M"] == [
        short_count(number) for number in (999, 1000, 9990, 437_000, 999_999, 6_008_644, 12_300_000)
    ]
    assert label("red_hair", 520_000, "re hair") == "re hair → red hair (520k)"
    assert len(label("a" * 200, 1)) == 100


@pytest.mark.parametrize(("name", "end"), [(":3", ":3,"), (">:3", ">:3,"), (":d", ":d"), ("16:9", "16:9,")])
def test_a_completed_tag_never_becomes_the_prompts_weight(name, end):
    (choice,) = completions(unfinished("1girl, "), [Candidate(name)])

    assert f"1girl, {end}" == choice.value == choice.name
    assert [1.0] == [part.weight for part in split_and(choice.value)]
