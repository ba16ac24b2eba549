"""Infotexts are found in whatever people paste, and all that is printed here goes back in."""

import pytest
from helpers.infotexts import png_with
from hypothesis import example, given
from hypothesis import strategies as st

from pastelbot.errors import PromptError
from pastelbot.formats.pictures import read_infotext
from pastelbot.infotext import find_infotexts, format_infotext, read_request, refuse_infotext
from pastelbot.records import GenerationRequest, HiresFix

LINES = (
    "1girl, red hair",
    "Negative prompt: hat",
    "Steps: 12, Sampler: Euler a, CFG scale: 6, Seed: 77, Size: 128x192",
)
TEXT = "\n".join(LINES)
ONE = " ".join(LINES)
OTHER = TEXT.replace("77", "78")


def each_line(before, after=""):
    return "\n".join(f"{before}{line}{after}" for line in LINES)


@pytest.mark.parametrize(
    "pasted",
    [
        TEXT.replace("\n", "\r\n"), TEXT.replace("\n", "\r"), f"\ufeff{TEXT}", f"\u200b {TEXT} \u200b", ONE,
        f"```\n{TEXT}\n```", f"```{TEXT}```", f"```yaml\n{TEXT}\n```", f"``` {ONE} ```", f"```yaml {ONE} ```",
        f"```\n{TEXT}", f"look!\n```\n{TEXT}\n```\nnice?", f"look! ``` {ONE} ``` nice?",
        f"{LINES[0]}\n{LINES[1]}\n```\n{LINES[2]}\n```",
        f"`{ONE}`", f"``{ONE}``", f"try `{ONE}` once", each_line("`", "`"), f"`{TEXT}`",
        each_line("> "), each_line(">"), f"hey\n{each_line('> ')}\nnice", f">>> {TEXT}", f"hey\n>>> {TEXT}",
        each_line("> ").replace("\n", " "), f"> ```\n{each_line('> ')}\n> ```",
        f"**{TEXT}**", each_line("**", "**"), f"*{ONE}*", f"__{TEXT}__", f"||{TEXT}||", f"||```\n{TEXT}\n```||",
        f"~~{ONE}~~",
        f'"{TEXT}"', f"'{ONE}'", f"“{ONE}”", f"「{TEXT}」", f"«{ONE}»", each_line("- "),
        TEXT.replace("Negative prompt:", "**Negative prompt:**").replace("Steps:", "**Steps:**"),
        TEXT.replace("Negative prompt:", "**Negative prompt**:").replace("Steps:", "**Steps**:"),
        TEXT.replace("Negative prompt:", "Negative Prompt:"), TEXT.replace("Negative prompt:", "negative prompt:"),
        f"Prompt: {TEXT}", f"**Prompt:** {TEXT}", f"My settings, from the webui\nPositive prompt: {TEXT}",
        f"parameters: {TEXT}", f"{TEXT}\nthanks!", f"{TEXT}\n\nthanks, all",
        f"{TEXT}\nTemplate: a {{red|blue}} cat\nNegative Template: hat", f"{TEXT}\nTemplate: a\nb\n",
        f"{TEXT}\nNegative Template: hat", TEXT.replace(", CFG", "\nCFG"),
        TEXT.replace(", ", ",\n").replace("girl,\n", "girl, "),
        "\n".join([*LINES[:2], *LINES[2].split(", ")]),
    ],
)  # fmt: skip
def test_an_infotext_is_found_bare(pasted):
    assert [TEXT] == list(find_infotexts(pasted))
    assert read_request(TEXT) == read_request(pasted)


@pytest.mark.parametrize(
    "pasted",
    [
        f"{TEXT}\n\n{OTHER}",
        f"{TEXT}\n{OTHER}",
        f"```\n{TEXT}\n```\nand\n```\n{OTHER}\n```",
        f"```\n{TEXT}\n\n{OTHER}\n```",
        f"``` {TEXT}, Version: Pastelbot 0.1.0\n\n{OTHER} ```".replace("\n", " "),
        f"{TEXT}\nTemplate: a {{b|c}}\n\n{OTHER}\nTemplate: a",
        f"first `{ONE}` then `{OTHER}`".replace("\n", " "),
    ],
)
def test_of_several_infotexts_the_first_is_taken_and_the_others_are_noted(pasted):
    read = read_request(pasted)

    assert [77, 78] == [read_request(infotext).request.seed for infotext in find_infotexts(pasted)]
    assert read_request(TEXT).request == read.request
    assert "There are 2 infotexts; the first is taken." in read.notes


@pytest.mark.parametrize(
    "text",
    [
        "a cat", "", "`a`, b", "> a", "Steps: 20, Sampler: Euler a", "1girl, Steps: 5", "```\nred hair\n```",
        "Template: a", "**1girl**",
    ],
)  # fmt: skip
def test_what_is_no_infotext_stays_as_it_is(text):
    assert [text] == list(find_infotexts(text))


PIECES = st.sampled_from(
    ["a", "1girl", ", ", "\n", " ", "(b:1.2)", "[c:d:0.5]", "`", "```", ">", "> ", "*", "**", "_", '"', "'",
     "<lora:e:1>",
     "\\(", "|", "||", "~~", "- ", "最高", "é", "{f|g}", "Steps", ":", "#", "x: y", "\\"]
)  # fmt: skip


def is_prompt(text):
    """Return whether a text can be painted as a prompt, and does not begin as a block or quote of Discord's."""
    try:
        refuse_infotext(text)
    except PromptError:
        return False
    return not text.startswith((">>> ", "```"))


def trimmed(pieces):
    """Return a text whose lines have no blanks at their ends, which no infotext keeps."""
    return "\n".join(map(str.strip, "".join(pieces).split("\n"))).strip()


PROMPTS = st.lists(PIECES, max_size=12).map(trimmed).filter(is_prompt)


def painted_texts(prompt, negative, count):
    """Return what is printed of a job's pictures, each as it is, one after the other."""
    request = GenerationRequest(prompt=prompt, negative_prompt=negative, seed=5, count=count, hires=HiresFix())
    texts = [format_infotext(request, index=n, checkpoint="m", checkpoint_hash="0" * 10) for n in range(count)]
    return request.replace(count=1), texts


@given(PROMPTS, PROMPTS, st.sampled_from([1, 4]))
@example("```a```", "`b", 1)
@example('"a" "', "**b**", 4)
@example("a\n\nb", "> c\n> d", 4)
def test_what_is_printed_goes_back_in(prompt, negative, count):
    request, texts = painted_texts(prompt, negative, count)
    printed = "\n\n".join(texts)  # what the Infotext button shows, or sends as a file
    forms = [texts[0], f"{texts[0]}\n", printed, read_infotext(png_with(texts[0])), read_infotext(printed.encode())]
    if "```" not in printed:
        forms.append(f"```\n{printed}\n```")
    for form in forms:
        assert request == read_request(form).request, form


@given(st.lists(PIECES.filter(lambda piece: piece not in "\n  "), min_size=1).map(" ".join).map(str.strip))
def test_what_is_printed_goes_back_in_when_a_field_joins_its_lines(prompt):
    if not is_prompt(prompt) or "`" in prompt or prompt.startswith(">"):
        return
    request, texts = painted_texts(prompt, "hat", 2)
    block = f"```\n{texts[0]}\n\n{texts[1]}\n```".replace("\n", " ")

    assert request == read_request(block).request
    assert request == read_request(texts[0].replace("\n", " ")).request


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        (ONE, "This is an infotext, not a prompt (`Negative prompt:` at character 17): give it to /recreate"),
        (TEXT, "at character 17"),
        (f"```{ONE}```", "This is an infotext"),
        (f"1girl {LINES[2]}", "This is an infotext, not a prompt (`Steps: 12,` at character 7)"),
        ("1girl negative prompt: hat", "contains a negative prompt (`negative prompt:` at character 7)"),
        ("1girl\nNegative prompt: hat", "put that part into the option `negative`"),
    ],
)
def test_an_infotext_is_refused_as_a_prompt(prompt, message):
    with pytest.raises(PromptError) as error:
        refuse_infotext(prompt)

    assert message in str(error.value)


@pytest.mark.parametrize("prompt", ["1girl", "steps, stairs", "on steps: 3 cats", "Steps: 20, Sampler", "no negative"])
def test_words_alone_make_no_infotext(prompt):
    assert is_prompt(prompt)


def test_an_infotext_is_no_negative_prompt_either():
    """But it may be labelled as one."""
    with pytest.raises(PromptError, match="This is an infotext, not a prompt"):
        refuse_infotext(TEXT, negative=True)
    assert refuse_infotext("Negative prompt: hat", negative=True) is None
