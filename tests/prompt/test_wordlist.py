import pytest

from pastelbot.errors import PromptError
from pastelbot.prompt.word_list import WordList, painted_texts, wanted_of_negative

WORDS = WordList(["nude", "bad word", "r-18", "Çå", "rating:explicit", "全裸", " , "])


def find(prompt):
    return WORDS.find(painted_texts(prompt, steps=20, hires_steps=10))


@pytest.mark.parametrize(
    "prompt",
    [
        "nude",
        "1girl, NUDE, smile",
        "a_nude_girl",
        "nude-girl",
        "nude's",
        "nude2",
        "(nude:1.2)",
        "((nude))",
        "[nude]",
        "[[nu]de]",
        "nu(de:1)",
        "nu((de))",
        r"\(nude\)",
        r"nu\de",
        "[nude:cat:0.5]",
        "[cat:nude:0.5]",
        "[nude:25]",  # after the last step
        "[cat|nude]",
        "n[u|u]de",
        "n[u:o:0.5]de",
        "[(nude:1.3):cat:3]",
        "cat AND nude :0.3",
        "cat BREAK nude",
        "nu<lora:style:0>de",
        "<lora:nude_style:1>",
        "{nude|cat}",
        "&#110;ude",
        "n&uuml;de",
        "nu\x1b[0mde",
        "nu\u200bde",
        "nude\u200bgirl",
        "nu\u00adde",
        "n u d e",
        "n.u.d.e",
        "nüde",
        "\uff4eude",
        "nud\u0435",
        "bad_word",
        "bad   word",
        "bad\nword",
        "bad-word",
        "(bad) word",
        "bad [word]",
        "BAD (word:1.3)",
        "bad, bad word",
        "R18",
        "r_18",
        "ca",
        "rating:explicit",
        "rating: explicit",
        "全裸",
        "全裸の少女",
    ],
)
def test_listed_words_are_found_however_they_are_written(prompt):
    assert find(prompt) is not None


@pytest.mark.parametrize(
    "prompt",
    [
        "",
        "nudes",
        "denude",
        "nudel",
        "nu de",
        "nu, de",
        "canude dress",
        "badword",
        "bad words",
        "bad, word",
        "bad red word",
        "bad BREAK word",
        "bad AND word",
        "[bad:word:0.5]",
        "r180",
        "r, 18",
        "bar18",
        "1girl, class, grass, assassin",
        "全身",
        "caca",
    ],
)
def test_parts_of_words_and_words_of_different_tags_are_not(prompt):
    assert find(prompt) is None


def test_the_entry_is_named_as_it_was_written():
    assert find("BAD_WORD") == "bad word"
    assert find("c\u0327a") == "Çå"


def test_a_list_without_words_finds_nothing():
    assert WordList(["", ",", "()"]).find(["anything, at all ()"]) is None


def test_what_cannot_be_read_is_an_error_and_no_pass():
    with pytest.raises(PromptError):
        find("(nude:1.2.3)")


def test_the_longest_prompt_is_read_in_time():
    """60 steps of alternation over 4,000 characters are the worst that a prompt can do."""
    prompt = "[a|b|c|d|e|f|g]" + "(x y:1.1) " * 395

    assert find(prompt) is None
    assert find(f"{prompt} nude") == "nude"


@pytest.mark.parametrize(
    ("negative", "wanted"),
    [
        ("nude, lowres", []),
        ("(nude:1.5)", []),
        ("(nude:-1)", ["nude"]),
        ("lowres BREAK bad", []),
        ("[(nude:-2):0.5]", ["nude"]),
    ],
)
def test_a_negative_prompt_asks_for_what_weighs_less_than_nothing(negative, wanted):
    assert wanted_of_negative(negative, steps=20) == wanted
