"""Permutations and wildcards."""

import itertools
import random
import re

import pytest

from pastelbot.errors import LimitError, PromptError, RequestError
from pastelbot.prompt.expansion import escape, expand
from pastelbot.prompt.wildcard_lists import Wildcards

WILDCARDS = Wildcards(
    {
        "hair_color": ["red hair", "blue hair", "green hair"],
        "clothes/hat": ["{straw|top} hat", "cap"],
        "all": ["__hair_color__, __clothes/hat__", "__HairColor__ and {a,b}"],
        "loop": ["__loop__"],
        "many": ["__many__ __many__", "x"],
        "empty": [],
        "broken": ["{a"],
    }
)


def expanded(prompt, *, seed=5, limit=100):
    return [text for (text,) in expand(prompt, seeds=[seed], wildcards=WILDCARDS, limit=limit)]


def test_permutations_are_every_combination_in_order():
    assert ["red hair", "blue hair"] == expanded("{red,blue} hair")
    assert ["a 1", "a 2", "b 1", "b 2"] == expanded("{a, b} {1,2}")
    assert ["a x", "b x", "c x"] == expanded("{a,{b,c}} x")
    assert ["1girl, ", "1girl, hat"] == expanded("1girl, {,hat}")


@pytest.mark.parametrize(
    "text",
    [
        "((tag)), (a:1.2), [b], [a:b:0.5], [a|b], BREAK, x AND y :0.5",
        "<lora:soft_light{a,b}__hair_color__:0.8>",
        "{{1girl}}, {solo}",
        "^__^, o__o, a__b__c, |__|, __, ____",
        r"miku \(vocaloid\), \\",
        "}:), a}",
        "a, b | c",
        "",
    ],
)
def test_the_prompt_language_is_untouched(text):
    assert [text] == expanded(text)


def test_braces_inside_weights_and_edits():
    assert ["(red hair:1.2)", "(blue hair:1.2)"] == expanded("({red,blue} hair:1.2)")
    assert ["[a:b:0.5]", "[a:c:0.5]"] == expanded("[a:{b,c}:0.5]")
    assert ["(a, b:1.2)", "[c|d]"] == expanded("{(a, b:1.2),[c|d]}")


def test_what_a_backslash_keeps():
    assert ["{a,b} __hair_color__"] == expanded(r"\{a,b\} \__hair_color__")


def test_one_seed_is_one_expansion():
    prompt = "__hair_color__, {a|b|c}, __all__"
    by_seed = {seed: expanded(prompt, seed=seed) for seed in range(60)}

    assert by_seed == {seed: expanded(prompt, seed=seed) for seed in range(60)}
    assert len({text for texts in by_seed.values() for text in texts}) > 20
    assert ["green hair"] == expanded("__hair_color__", seed=7)  # and for ever


def test_all_combinations_pick_the_same():
    first, second = expanded("{a,b} __hair_color__")

    assert first[1:] == second[1:]


def test_lines_may_hold_wildcards_and_choices():
    texts = {expanded("__all__", seed=seed)[0] for seed in range(200)}

    assert "red hair, straw hat" in texts
    assert "green hair and b" in texts


def test_names_differ_by_no_signs():
    assert expanded("__hair_color__") == expanded("__Hair-Color__") == expanded("__haircolor__")


@pytest.mark.parametrize(
    ("text", "position", "words"),
    [
        ("1girl, {red,blue", 7, "The brace { at character 8 is never closed"),
        ("a {b {c}", 2, "at character 3"),
        ("a, __hair_colour__", 3, "(at character 4). Did you mean `__hair_color__`?"),
        ("__loop__", 0, "leads back to itself"),
        ("x __empty__", 2, "is empty"),
        ("__broken__", 0, "has a line with an error"),
    ],
)
def test_errors_say_where(text, position, words):
    with pytest.raises(PromptError) as caught:
        expanded(text)

    assert position == caught.value.position
    assert words in str(caught.value)


def test_no_wildcards_at_all():
    with pytest.raises(PromptError, match="this bot has none"):
        expand("__a__", seeds=[1], limit=1)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{a,b,c}{a,b,c}", "9 different prompts; the limit is 8"),
        ("{a,b}" * 800, "far too many different prompts"),
        ("{" * 100 + "a,b" + "}" * 100, "20 is the limit"),
        ("{a|b}" * 1200, "pick more than"),
    ],
)
def test_caps(text, words):
    with pytest.raises(LimitError, match=words):
        expanded(text, limit=8)


def test_equal_combinations_are_painted_once():
    assert ["a"] == expanded("{a,a}")


PIECES = [
    "{",
    "}",
    ",",
    "|",
    "a",
    "b c",
    "__hair_color__",
    "__",
    "_",
    "(",
    ")",
    "[",
    "]",
    "<lora:x:1>",
    "\\",
    " ",
    "__many__",
]


def test_any_text_is_expanded_or_refused_and_escaping_keeps_it():
    draw = random.Random(6)
    for _ in range(3000):
        text = "".join(draw.choice(PIECES) for _ in range(draw.randrange(12)))
        try:
            texts = expanded(text, seed=draw.randrange(2**32), limit=50)
        except RequestError:
            continue
        assert len(texts) == len(set(texts))
        for each in texts:
            if "\\{" not in each and "\\}" not in each and "\\__" not in each:
                assert [each] == expanded(escape(each))


COLOURS = Wildcards({"color": ["red", "blue", "green"], "weighed": ["9::red", "blue"]})


def drawn(prompt, count=60):
    return set(*expand(prompt, seeds=range(count), wildcards=COLOURS, limit=1))


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("{2$$red|blue} hair", {"red, blue hair", "blue, red hair"}),
        ("{2$$ and $$red|blue}", {"red and blue", "blue and red"}),
        ("{2$$, $$red|blue}", {"red, blue", "blue, red"}),
        ("{1-2$$+$$a|b}", {"a", "b", "a+b", "b+a"}),
        ("{2-$$+$$a|b}", {"a+b", "b+a"}),
        ("{-1$$a|b}", {"a", "b"}),
        ("{5$$a|b}", {"a, b", "b, a"}),
        ("{1$$a}", {"a"}),
        ("{~2$$a|b}", {"a, b", "b, a"}),
        ("{3$$-$$__color__}", {"-".join(each) for each in itertools.permutations(["red", "blue", "green"])}),
        ("{0::red|1::blue}", {"blue"}),
        ("{0.5::red|2::blue}", {"red", "blue"}),
        ("{2$$1::a|0::b|1::c}", {"a, c", "c, a"}),
        ("{x|{2$$a|b}}", {"x", "a, b", "b, a"}),
        ("__weighed__", {"red", "blue"}),
        ("{@_@|^_^}", {"@_@", "^_^"}),
        ("$5, 2$$ (a:1.2)", {"$5, 2$$ (a:1.2)"}),
        ("1::a", {"1::a"}),
    ],
)
def test_weights_and_counts_are_those_of_dynamic_prompts(prompt, expected):
    assert expected == drawn(prompt)


def test_a_weight_is_how_much_more_often_an_option_is_picked():
    (picks,) = expand("{3::a|b}", seeds=range(2000), limit=1)

    assert 1400 < picks.count("a") < 1600


@pytest.mark.parametrize(
    ("prompt", "position", "words"),
    [
        ("1girl, {2$$red,blue}", 7, "The braces at character 8 pick several: separate their options with `|`, as in"),
        ("1girl, {2::red,blue}", 7, "The braces at character 8 have a weight: separate their options with `|`, as in"),
        ("1girl, ${color=red}", 7, "`${c` at character 8 is not supported"),
        ("1girl, ${color}", 7, "is not supported"),
        ("1girl, __~color__", 7, "is not supported"),
        ("1girl, __@color__", 7, "is not supported"),
        ("1girl, __col*__", 7, "`__col*__` at character 8 is not supported"),
        ("1girl, __*/color__", 7, "is not supported"),
        ("1girl, __color(kind=warm)__", 7, "is not supported"),
    ],
)
def test_what_dynamic_prompts_has_and_this_has_not_is_refused_with_its_place(prompt, position, words):
    with pytest.raises(PromptError, match=re.escape(words)) as raised:
        expand(prompt, seeds=[1], wildcards=COLOURS, limit=9)

    assert position == raised.value.position
    assert [(prompt,)] == expand(escape(prompt), seeds=[1], wildcards=COLOURS, limit=9)
