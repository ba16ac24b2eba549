"""A colon and a number at a prompt's end: kind R of the cases from the field, and its neighbours."""

import pytest
from helpers.small_checkpoints import make_lora, save

from pastelbot.prompt.attention import parse_attention
from pastelbot.prompt.composition import split_and
from pastelbot.prompt.tags.completion import Candidate, completions, unfinished

# What is typed, and what is painted: a comma keeps a tag from being the whole prompt's weight.
ENDS = {
    "1girl, :3": "1girl, :3,",
    "1girl, :3 ": "1girl, :3,",
    "1girl,:3": "1girl,:3,",
    ":3": ":3,",
    "1girl, >:3": "1girl, >:3,",
    "1girl, ::3": "1girl, ::3,",
    "1girl, ratio 16:9": "1girl, ratio 16:9,",
    "1girl, time 12:30": "1girl, time 12:30,",
    "a:-1": "a:-1,",
    "1girl, <lora:soft:1>:3": "1girl, <lora:soft:1>:3,",
    "(1girl:3), :3": "(1girl:3), :3,",
    "1girl, :3 --ar 2:3": "1girl, :3,",
    "1girl, :3 --no hat": "1girl, :3,",
    "1girl # a comment :3": "1girl",
    "cat AND dog:0.5": "cat AND dog:0.5",
    "1girl, :d": "1girl, :d",
    "nier:automata": "nier:automata",
    "1girl, ;3": "1girl, ;3",
    "(1girl:1.2)": "(1girl:1.2)",
    "(1girl, :3)": "(1girl, :3,)",
    "smile, ((>:3))": "smile, ((>:3,))",
    "(:3 ), hat": "(:3, ), hat",
    "(1girl, :1.3)": "(1girl, :1.3)",
    "(1girl:3)": "(1girl:3)",
    "(16:9)": "(16:9)",
    r"\(:3\)": r"\(:3\)",
    r"\\(:3\\)": r"\\(:3\\)",
}


async def test_the_end_is_a_tag(bot, tmp_path):
    save(make_lora(), tmp_path / "soft.safetensors")
    settings = {"limits": {"waiting_per_user": 100}, "quota": {"work_per_day": 0}, "checkpoint": {"loras": tmp_path}}
    for typed, painted in ENDS.items():
        said = await bot("imagine", settings=settings, prompt=typed, hires="off")
        assert f"PAINTS {painted!r} " in said, typed


@pytest.mark.parametrize("end", [":3", "16:9"])
async def test_the_end_of_an_infotext_is_a_weight_as_in_the_webui(bot, end):
    text = f"1girl, {end}\nSteps: 12, Sampler: Euler a, CFG scale: 6, Seed: 77, Size: 128x192"

    assert f"PAINTS '1girl, {end}' " in await bot("recreate", infotext=text)


@pytest.mark.parametrize(
    ("typed", "closed"),
    [
        ("1girl, :", ""),
        ("(1girl, :", ")"),
        ("(1girl, :)", ""),
        ("((:", "))"),
        ("cat AND dog, :", ""),
        ("(1girl, : )", ""),
    ],
)
@pytest.mark.parametrize("tag", [":3", ">:3", "2:3"])
def test_a_completed_tag_is_never_a_weight(typed, closed, tag):
    """Neither where the prompt ends, nor where its brackets are closed behind it."""
    (found,) = completions(unfinished(typed), [Candidate(tag)])

    for part in split_and(found.value + closed):
        assert part.weight == 1
        assert all(piece.weight in (1, 1.1, 1.1**2) for piece in parse_attention(part.text)), found.value
    assert f"{tag}," in found.value


@pytest.mark.parametrize(("typed", "value"), [("(1girl, ::1.2)", "(1girl, :3:1.2)"), ("1girl, :", "1girl, :3,")])
def test_a_weight_behind_a_completed_tag_stays(typed, value):
    (found,) = completions(unfinished(typed), [Candidate(":3")])

    assert value == found.value
