import pytest

from pastelbot.prompt.composition import compose, end_as_tag, split_and
from pastelbot.prompt.extra_networks import extract_networks


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("a cat AND a dog :1.3", [("a cat", 1.0), (" a dog", 1.3)]),
        ("a AND b:-.5", [("a", 1.0), (" b", -0.5)]),
        ("a: 7 cats", [("a: 7 cats", 1.0)]),
        ("a:b:2.", [("a:b", 2.0)]),
        ("a :1.5\x1f", [("a", 1.5)]),
        ("sANDy and b", [("sANDy and b", 1.0)]),
        ("", [("", 1.0)]),
    ],
)
def test_parts_have_the_weight_behind_their_last_colon(prompt, expected):
    assert expected == [tuple(part) for part in split_and(prompt)]


def test_equal_texts_of_a_batch_are_one():
    composition = compose(["a AND b", "a :2"])

    assert composition.texts == ("a", " b")
    assert composition.images == (((0, 1.0), (1, 1.0)), ((0, 2.0),))


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("1girl, cat ears, :3", "1girl, cat ears, :3,"),
        (":3", ":3,"),
        ("ratio 16:9", "ratio 16:9,"),
        ("clock, time: 12:30", "clock, time: 12:30,"),
        ("1girl, smile :3 ", "1girl, smile :3, "),
        ("1girl, >:3 <lora:soft:0.5>", "1girl, >:3, <lora:soft:0.5>"),
        ("1girl <lora:a:1> :3 <lora:b:1> <lora:c:2>", "1girl <lora:a:1> :3, <lora:b:1> <lora:c:2>"),
        ("cat, :3 AND dog, :3", "cat, :3, AND dog, :3,"),
        ("cat AND\n:3", "cat AND\n:3,"),
        ("red:2.5", "red:2.5,"),
        ("red:-1", "red:-1,"),
    ],
)
def test_a_tag_that_ends_in_a_number_is_no_weight_of_the_prompt(typed, expected):
    assert expected == end_as_tag(typed)
    assert {1.0} == {part.weight for part in split_and(extract_networks(end_as_tag(typed)).prompt)}


@pytest.mark.parametrize(
    "typed",
    [
        *("", "1girl", "(red hair:1.2)", "[a:b:3]", "1girl, :3,", ":d", "16:9 picture", "a cat :1.2 AND a dog :0.8"),
        *("<lora:a:1>", "a AND b:2", "(red hair:1.2", ">", "<a:3> b>"),
    ],
)  # fmt: skip
def test_other_ends_and_the_weights_of_a_composition_stay(typed):
    assert typed == end_as_tag(typed)
