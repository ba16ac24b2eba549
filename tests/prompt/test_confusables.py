import pytest
from hypothesis import given
from hypothesis import strategies as st

from pastelbot.prompt.confusables import BORDER, readings, words_of


@pytest.mark.parametrize(
    "written",
    [
        "nude",
        "NUDE",
        "nüde",
        "n\u0301u\u0308d\u0323e\u20dd",  # combining marks
        "\uff4e\uff55\uff44\uff45",  # full width
        "\U0001d427\U0001d42e\U0001d41d\U0001d41e",  # mathematical bold
        "\u24dd\u24e4\u24d3\u24d4",  # circled
        "\U0001f15d\U0001f164\U0001f153\U0001f154",  # circled in black
        "\U0001f1f3\U0001f1fa\U0001f1e9\U0001f1ea",  # what flags are made of
        "nu\u0501\u0435",  # Cyrillic
        "\u03b7\u03c5\u0111\u03b5",  # Greek, and a stroke
        "\u0274\u1d1c\u1d05\u1d07",  # small capitals
        "n\u1d58de",  # a raised letter
    ],
)
def test_whatever_it_is_written_with_it_is_the_same_word(written):
    assert words_of(written) == ["nude"]


def test_folding_keeps_what_makes_another_letter():
    assert words_of("ハ") != words_of("バ")
    assert words_of("か") != words_of("が")


def test_cases_that_fold_to_several_letters():
    assert words_of("Straße") == words_of("STRASSE") == ["strasse"]
    assert words_of("İSTANBUL") == ["istanbul"]


def test_words_end_at_signs_digits_and_tag_borders():
    assert words_of("big_cat (red-hair:1.2), 2girls r18") == (
        ["big", "cat", "red", "hair", BORDER, "1", "2", BORDER, "2", "girls", "r", "18"]
    )


def test_signs_of_scripts_without_spaces_stand_alone():
    assert words_of("全裸の少女") == ["全", "裸", "の", "少", "女"]


@pytest.mark.parametrize("unseen", ["\u200b", "\u200d", "\u00ad", "\ufeff", "\u2060", "\u3164", "\x00", "\u202e"])
def test_what_is_invisible_is_left_out_and_is_a_space(unseen):
    assert ["nude"] in readings(f"nu{unseen}de")
    assert ["nude", "girl"] in readings(f"nude{unseen}girl")


def test_single_letters_in_a_row_are_a_word_too():
    assert ["a", "nude", "cat"] not in readings("a cat")
    assert ["nude", BORDER, "cat"] in readings("n.u-d_e, cat")
    assert readings("o o") == [["o", "o"]]


@given(st.text(st.characters(max_codepoint=127)))
def test_plain_letters_are_the_same_words_beside_other_ones(text):
    """Plain texts have a faster way to be read, which a single sign of another script leaves."""
    assert words_of(f"{text} 全") == [*words_of(text), "全"]
