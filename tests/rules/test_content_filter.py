from importlib.resources import files

import pytest
from helpers.support import png

from pastelbot.errors import NotAllowedError
from pastelbot.prompt.tags.vocabulary import read_tag_file
from pastelbot.prompt.word_list import WordList
from pastelbot.records import Axis, GenerationRequest, Grid, HiresFix, InitImage, Prompts
from pastelbot.rules.content_filter import SHIPPED, ContentRules, adult_word, check_content, read_gate

GATE = read_gate(SHIPPED)
GOOD = GenerationRequest(prompt="1girl, red hair", negative_prompt="nude, nsfw, loli, forbidden")


def rules(**changes):
    return ContentRules(gate=GATE, words=WordList(["forbidden"]), own_adult=WordList(["swimsuit"]), **changes)


@pytest.mark.parametrize("adult_allowed", [True, False])
def test_an_ordinary_prompt_passes_and_its_negative_prompt_may_say_anything(adult_allowed):
    check_content(GOOD, rules(adult_allowed=adult_allowed))


@pytest.mark.parametrize(
    "prompt",
    [
        "1girl, class, cockatoo, scunthorpe, analog, grape, assassin, peacock, cucumber, sussex, document, therapist",
        "1girl, large breasts, swimsuits, cleavage, bare shoulders, barefoot, kissing, child's drawing, school uniform",
        "uranus, wessex, velveteen dress, talcum, asexual, unisex, bisexual lighting, dickens, manuscript, teacup",
        "naked-eye-free: a nakedly honest title, sextant, pornichet",
    ],
)
def test_harmless_words_pass_everywhere(prompt):
    check_content(GOOD.replace(prompt=prompt.replace("naked-eye-free: ", "")), rules())


@pytest.mark.parametrize(
    "changes",
    [
        {"prompt": "1girl, (nsfw:1.2)"},
        {"prompt": "1girl, NIPPLES"},
        {"prompt": "1girl, swimsuit"},
        {"prompt": "[1girl:nude:0.9]"},
        {"hires": HiresFix(prompt="nude")},
        {"hires": HiresFix(negative_prompt="(nude:-1)")},
        {"negative_prompt": "(nude:-1)"},
        {"init": InitImage.of(png()), "prompt": "topless"},
        {"count": 2, "prompts": (Prompts(prompt="1girl"), Prompts(prompt="nude"))},
        {"grid": Grid(x=Axis(kind="prompt", values=("red hair", "nude")))},
    ],
)
def test_adult_tags_are_for_age_restricted_channels(changes):
    with pytest.raises(NotAllowedError, match=r"adult tag .* not an age-restricted channel"):
        check_content(GOOD.replace(**changes), rules())
    check_content(GOOD.replace(**changes), rules(adult_allowed=True))


@pytest.mark.parametrize(
    ("prompt", "sentence"),
    [
        ("nude", r"the adult tag `nude`, .*: take it out,"),
        ("nude, nsfw", r"the adult tags `\w+`, `\w+`, .*: take them out,"),
        ("forbidden", "`forbidden`, which is not allowed in this server: take it out"),
        ("banned, forbidden", r"`\w+`, `\w+`, which are not allowed in this server: take them out"),
    ],
)
def test_one_word_is_named_in_the_singular_and_several_in_the_plural(prompt, sentence):
    several = ContentRules(gate=GATE, words=WordList(["forbidden", "banned"]))
    with pytest.raises(NotAllowedError, match=sentence):
        check_content(GOOD.replace(prompt=prompt), several)


@pytest.mark.parametrize("prompt", ["xnude", "1girl, nnude", "a QSEX b", "n[x|x]nude", "xx(nude:1.1)", "uranus, xnude"])
def test_words_that_the_encoder_takes_apart_are_found(prompt):
    with pytest.raises(NotAllowedError, match="adult tag"):
        check_content(GOOD.replace(prompt=prompt), rules())


@pytest.mark.parametrize("prompt", ["xnude, loli", "nude, xchild"])
def test_glued_words_of_children_and_adult_tags_are_painted_nowhere(prompt):
    with pytest.raises(NotAllowedError, match="not painted anywhere"):
        check_content(GOOD.replace(prompt=prompt), rules(adult_allowed=True))


def test_no_tag_of_the_vocabulary_is_taken_apart_into_an_adult_one():
    names = files("pastelbot").joinpath("data", "tags.csv").read_bytes()
    tags = [tag.name.replace("_", " ") for tag in read_tag_file(names, "tags.csv").tags]
    harmless = [tag for tag in tags if GATE.adult.find([tag]) is None]

    assert [tag for tag in harmless if adult_word(GOOD.replace(prompt=f"({tag})"), ContentRules(gate=GATE))] == []


@pytest.mark.parametrize("adult_allowed", [True, False])
@pytest.mark.parametrize("prompt", ["nude, loli", "little_girl, (sex:1.2)", "l\u200boli, ｎｓｆｗ", "lolicon"])
def test_children_and_adult_tags_are_painted_nowhere(prompt, adult_allowed):
    with pytest.raises(NotAllowedError, match="not painted anywhere"):
        check_content(GOOD.replace(prompt=prompt), rules(adult_allowed=adult_allowed))


def test_a_servers_words_hold_in_age_restricted_channels_too():
    with pytest.raises(NotAllowedError, match="`forbidden`, which is not allowed in this server"):
        check_content(GOOD.replace(prompt="f\u00f6rbidden fruit"), rules(adult_allowed=True))


@pytest.mark.parametrize(
    "text",
    [None, "", "adult = []\nminors = ['a']", "adult = 'nude'\nminors = ['a']", "adult = [1]", "adult = [", "\xff"],
)
def test_a_list_that_cannot_be_read_refuses_everything(tmp_path, text):
    path = tmp_path / "adult.toml"
    if text is not None:
        path.write_bytes(text.encode("latin-1"))

    with pytest.raises(NotAllowedError, match="nothing is painted until it can"):
        read_gate(path)


def test_every_shipped_entry_can_be_found():
    for words in (GATE.adult, GATE.minors, GATE.never):
        assert words.entries
        for entry in words.entries:
            assert words.find([entry]) is not None
    assert len(set(GATE.adult.entries)) == len(GATE.adult.entries)
