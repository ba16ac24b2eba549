import pytest
from helpers.support import cpu_seconds

from pastelbot.errors import PromptError
from pastelbot.prompt.attention import parse_attention


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a (b) c", [("a ", 1.0), ("b", 1.1), (" c", 1.0)]),
        ("((b))", [("b", 1.1 * 1.1)]),
        ("[b]", [("b", 1 / 1.1)]),
        ("(b:1.4)", [("b", 1.4)]),
        (r"\(b\)", [("(b)", 1.0)]),
        ("(b", [("b", 1.1)]),
        ("b)", [("b)", 1.0)]),
        ("a BREAK b", [("a", 1.0), ("BREAK", -1.0), ("b", 1.0)]),
        ("(a)(b)", [("ab", 1.1)]),
        ("", [("", 1.0)]),
    ],
)
def test_brackets_weigh_what_they_hold(text, expected):
    assert expected == [tuple(fragment) for fragment in parse_attention(text)]


def test_only_a_break_of_weight_minus_one_is_a_break():
    plain, *_ = [fragment for fragment in parse_attention("a BREAK b") if fragment.text == "BREAK"]
    weighted, *_ = [fragment for fragment in parse_attention("(a BREAK b:1.3)") if fragment.text == "BREAK"]

    assert plain.is_break
    assert not weighted.is_break


def test_a_weight_that_is_no_number_is_named_with_its_place():
    with pytest.raises(PromptError, match=r"'1\.2\.3' at character 6") as caught:
        parse_attention("1 (x:1.2.3)")

    assert caught.value.position == 5


@pytest.mark.parametrize("text", ["(" * 5000 + "a" + ")" * 5000, "[" * 5000, ": " * 50_000, " " * 100_000 + "x"])
def test_long_and_deep_texts_are_read_quickly(text):
    assert cpu_seconds(lambda: parse_attention(text)) < 5  # measured: 0.15 at most
