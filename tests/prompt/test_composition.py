import pytest

from pastelbot.prompt.composition import compose, split_and


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
