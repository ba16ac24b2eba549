"""What the word lists promise, for any text."""

import contextlib
import string

from hypothesis import given
from hypothesis import strategies as st

from pastelbot.errors import PromptError
from pastelbot.prompt.word_list import WordList, painted_texts

WORDS = WordList(["nude", "bad word"])
LETTERS = {
    "n": "nN\uff4e\U0001d427\u24dd\u0274\u00f1\u0146",
    "u": "uU\uff55\U0001d42e\u24e4\u1d1c\u00fc\u016f\u03c5",
    "d": "dD\uff44\U0001d41d\u24d3\u1d05\u0111\u0501",
    "e": "eE\uff45\U0001d41e\u24d4\u1d07\u00e9\u0435",
}
UNSEEN = ["", "\u200b", "\u00ad", "\ufeff", "\u0301", "\ufe0f", "\u202e"]
WRAPPERS = ["{}", "({})", "(({}))", "[{}]", "({}:1.2)", "(a, {}:0.8)", "[{}:b:0.5]", "[b:{}:7]", "[b|{}]", "x AND {}"]

disguised = st.tuples(
    *(st.tuples(st.sampled_from(letters), st.sampled_from(UNSEEN)) for letters in LETTERS.values())
).map(lambda parts: "".join(letter + unseen for letter, unseen in parts))


def find(prompt):
    return WORDS.find(painted_texts(prompt, steps=20, hires_steps=10))


@given(disguised, st.lists(st.sampled_from(WRAPPERS), max_size=3), st.sampled_from([", ", " ", "_", "-", "\n"]))
def test_a_listed_word_is_found_in_any_disguise(word, wrappers, between):
    for wrapper in wrappers:
        word = wrapper.format(word)

    assert find(f"1girl{between}{word}{between}smile") == "nude"


@given(st.text(string.ascii_lowercase, min_size=1), st.text(string.ascii_lowercase))
def test_a_longer_word_never_is(before, after):
    assert find(f"1girl, {before}nude{after}, smile") is None
    assert find(f"1girl, {before}bad word{after}, bad word{before}") is None


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text):
    with contextlib.suppress(PromptError):
        assert find(text) in {None, "nude", "bad word"}


@given(st.text("ab()[]:|<>{}\\#,_ 0.5\u200bé", max_size=60))
def test_what_is_listed_is_found_behind_any_syntax(text):
    """Whatever stands in front of a tag border, a tag behind it is read."""
    with contextlib.suppress(PromptError):
        assert find(f"{text}, nude") == "nude"
