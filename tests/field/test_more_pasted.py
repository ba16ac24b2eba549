"""Twenty more ways in which people hand infotexts over: kind K of the cases from the field, and its neighbours."""

import pytest

from pastelbot.infotext import find_infotexts, read_request

LINES = (
    "1girl, red hair",
    "Negative prompt: hat",
    "Steps: 12, Sampler: Euler a, CFG scale: 6, Seed: 77, Size: 128x192",
)
TEXT = "\n".join(LINES)
ONE = " ".join(LINES)


def each(before, after="", between="\n"):
    return between.join(f"{before}{line}{after}" for line in LINES)


PASTED = {
    "JSON's line breaks": TEXT.replace("\n", "\\n"),
    "a string of JSON": f'"{TEXT}"'.replace("\n", "\\n"),
    "JSON's line breaks of Windows": TEXT.replace("\n", "\\r\\n"),
    "an object of JSON": '{"parameters": "' + TEXT.replace("\n", "\\n") + '"}',
    "no-break spaces": TEXT.replace(": ", ":\u00a0"),
    "line separators": TEXT.replace("\n", "\u2028"),
    "vertical tabs": TEXT.replace("\n", "\v"),
    "HTML's line breaks": TEXT.replace("\n", "<br>"),
    "HTML's line breaks and lines": TEXT.replace("\n", "<br />\n"),
    "a paragraph of HTML": f"<p>{TEXT}</p>".replace("\n", "<br>\n"),
    "empty lines between": each("", between="\n\n"),
    "lines set in by four": each("    "),
    "lines set in by tabs": each("\t"),
    "blanks at the lines' ends": each("", "  "),
    "small print": each("-# "),
    "stars of a list": each("* "),
    "dots of a list": each("• "),
    "exiftool": f"Parameters                      : {TEXT}",
    "exiftool's comment": f"User Comment                    : {TEXT}",
    "identify": f"    parameters: {TEXT}",
    "the time that it took": f"{TEXT}\nTime taken: 5.1 sec.",
    "capitals": TEXT.replace("Negative prompt", "NEGATIVE PROMPT").replace("Steps", "STEPS"),
    "a code block in hidden text": f"||```{TEXT}```||",
    "bold in a quote": each("> **", "**"),
    "a command as it was typed": f"/recreate infotext:{ONE}",
}


@pytest.mark.parametrize("name", PASTED)
def test_it_is_found_bare(name):
    found = list(find_infotexts(PASTED[name]))
    read = read_request(PASTED[name])

    assert len(found) == 1
    assert ("1girl, red hair", "hat") == (read.request.prompt, read.request.negative_prompt)
    assert (12, "Euler a", 6, 77, 128, 192) == (
        read.request.steps,
        read.request.sampler,
        read.request.cfg_scale,
        read.request.seed,
        read.request.width,
        read.request.height,
    )


UNCHANGED = {
    "a prompt with JSON's line break": "1girl, \\n, hat\nSteps: 12, Sampler: Euler a, Seed: 77, Size: 128x192",
    "a prompt with HTML": "<br> tag, 1girl\nNegative prompt: <p>\nSteps: 12, Sampler: Euler a, Seed: 77, Size: 64x64",
    "a prompt with a bullet": "• bullet, 1girl\nSteps: 12, Sampler: Euler a, Seed: 77, Size: 128x192",
}


@pytest.mark.parametrize("name", UNCHANGED)
def test_what_the_prompt_itself_has_stays(name):
    prompt = UNCHANGED[name].partition("\nNegative prompt:")[0].partition("\nSteps:")[0]

    assert prompt == read_request(UNCHANGED[name]).request.prompt
