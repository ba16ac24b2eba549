"""The webui's styles: read, put around prompts, and found in prompts again."""

import json

import pytest
from golden_cases import cases, folder

from pastelbot.prompt.styles import Style, read_styles, with_styles, without_styles


def recorded():
    """Return the set's table of styles, empty where it has none."""
    return json.loads((folder() / "styles.json").read_text(encoding="utf-8")) if cases("styles.json", "cases") else {}


TABLE = recorded()
STYLES = [Style(*row) for row in TABLE.get("styles", ())]


@pytest.mark.skipif(not TABLE, reason="the set has no styles")
def test_a_styles_file_is_read():
    assert STYLES == read_styles((folder() / TABLE["file"]).read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", TABLE.get("cases", ()), ids=lambda case: ", ".join(case["styles"]))
def test_styles_are_put_around_prompts_and_found_there(case):
    named = {style.name: style for style in STYLES}
    styles = [named[name] for name in case["styles"] if name in named]
    both = with_styles(case["prompt"], case["negative_prompt"], styles)

    assert tuple(case["result"]) == both
    assert case["extracted"] == list(without_styles(*both, STYLES))


@pytest.mark.parametrize("case", TABLE.get("extract", ()), ids=str)
def test_one_style_is_found(case):
    style, prompt, (found, rest) = case
    names, left, _negative = without_styles(
        prompt, "", [Style("a", style, "")] if style else [Style("a", "", "{prompt}")]
    )

    assert (found, rest) == (names == ["a"], left)


@pytest.mark.parametrize("case", TABLE.get("parse", ()), ids=lambda case: case["infotext"][:20])
def test_styles_are_found_in_an_infotext(case):
    from pastelbot.infotext import read_fields

    read = read_fields(case["infotext"])
    found = without_styles(read.prompt, read.negative_prompt, STYLES)

    assert (case["prompt"], case["negative_prompt"]) == (found.prompt, found.negative_prompt)
