"""What people send is read in time that grows with its length, not with its square: else one text stops the bot."""

import contextlib
import gc
import time

import pytest
from helpers.option_flags import SYNTAX

from pastelbot.bot.components.gallery_views import EntryButton, PageButton
from pastelbot.bot.components.job_buttons import JobButton
from pastelbot.bot.components.modals import typed_again
from pastelbot.bot.plain_text import plain
from pastelbot.errors import PastelError
from pastelbot.formats.programs.pasted import pasted_infotext
from pastelbot.formats.programs.table import translated
from pastelbot.formats.texts.decoding import decode_comment
from pastelbot.formats.texts.infotext_cap import MAX_INFOTEXT
from pastelbot.i18n.languages import Languages
from pastelbot.infotext import (
    find_infotexts,
    parse_infotext,
    read_fields,
    read_request,
    refuse_infotext,
    with_line_breaks,
)
from pastelbot.options.flags import options_from_prompt
from pastelbot.options.reading import read_negative
from pastelbot.options.tokens import count_tokens
from pastelbot.prompt import check, check_not_blank
from pastelbot.prompt.attention import parse_attention
from pastelbot.prompt.comments import strip_comments
from pastelbot.prompt.composition import end_as_tag, split_and
from pastelbot.prompt.confusables import readings
from pastelbot.prompt.editing import prompt_schedule
from pastelbot.prompt.expansion import escape, expand
from pastelbot.prompt.extra_networks import extract_networks
from pastelbot.prompt.flags import escape_flags, read_flags
from pastelbot.prompt.lora_tags import read_lora_tags, rename_loras
from pastelbot.prompt.tags.completion import unfinished, without_arrows
from pastelbot.prompt.tags.names import tag_key, tags_in, whole_tags_in
from pastelbot.prompt.tags.vocabulary import read_tag_file
from pastelbot.prompt.wildcard_lists import Wildcards
from pastelbot.prompt.word_list import painted_texts, phrase_of, read_all, wanted_of_negative
from pastelbot.rules.grids import read_axis
from pastelbot.rules.picture_names import read_picture_name
from pastelbot.rules.sampling.sampler_names import recognised_sampler
from pastelbot.rules.timing.durations import read_duration
from pastelbot.store.gallery import View, match_query

LANGUAGES = Languages.shipped()
LISTS = Wildcards({"a": ["{b|c}", "d"]})
PAGE = PageButton("n", View.NEWEST, 0, "", "", upto=None, pages=2)

READERS = {
    "check": check,
    "check_not_blank": check_not_blank,
    "parse_attention": parse_attention,
    "prompt_schedule": lambda text: prompt_schedule(text, 3),
    "split_and": split_and,
    "strip_comments": strip_comments,
    "count_tokens": count_tokens,
    "extract_networks": extract_networks,
    "read_lora_tags": read_lora_tags,
    "rename_loras": lambda text: rename_loras(text, lambda name: name),
    "expand": lambda text: expand(text, seeds=[1], wildcards=LISTS, limit=10),
    "escape": escape,
    "read_flags": lambda text: read_flags(text, SYNTAX),
    "options_from_prompt": options_from_prompt,
    "escape_flags": escape_flags,
    "typed_again": typed_again,
    "read_negative": read_negative,
    "painted_texts": lambda text: painted_texts(text, steps=3),
    "wanted_of_negative": lambda text: wanted_of_negative(text, steps=3),
    "read_all": lambda text: read_all([text]),
    "phrase_of": phrase_of,
    "readings": readings,
    "tags_in": tags_in,
    "tag_key": tag_key,
    "unfinished": unfinished,
    "without_arrows": lambda text: without_arrows(f"{text} → "),
    "read_tag_file": lambda text: read_tag_file(text.encode(), "a.csv"),
    "match_query": match_query,
    "read_fields": read_fields,
    "parse_infotext": parse_infotext,
    "read_request": read_request,
    "with_line_breaks": with_line_breaks,
    "find_infotexts": lambda text: find_infotexts(f"{text}\nSteps: 1, Sampler: Euler, Seed: 1"),
    "find_infotexts in one line": lambda text: find_infotexts(f"Steps: 1, {text}".replace("\n", " ")),
    "find_infotexts in brackets": lambda text: find_infotexts(f"(a{text}Steps: 1, Sampler: Euler, Seed: 1 )"),
    "end_as_tag": end_as_tag,
    "end_as_tag behind tags": lambda text: end_as_tag(f":3 {text} <a:b> "),
    "whole_tags_in": whole_tags_in,
    "refuse_infotext": refuse_infotext,
    "decode_comment": lambda text: decode_comment(b"UNICODE\0" + text.encode("utf-16-le")),
    "decode_comment of other bytes": lambda text: decode_comment(text.encode()),
    "translated from a command line": lambda text: translated({"Dream": f"{text} -"}, (64, 64), "The picture"),
    "translated from pasted flags": lambda text: pasted_infotext(f"--prompt {text}"),
    "translated from a call": lambda text: pasted_infotext(f"pipe(prompt='{text}"),
    "translated from a log": lambda text: pasted_infotext(f"prompt,seed,width,height,sampler,cfgs,steps,\n{text}"),
    "translated from a graph": lambda text: translated({"prompt": f'{{"class_type": {text}'}, (64, 64), "The picture"),
    "translated from plain texts": lambda text: translated({"num_inference_steps": text}, (64, 64), "The picture"),
    "recognised_sampler": lambda text: recognised_sampler(f"{text}x"),
    "plain": plain,
    "read_duration": read_duration,
    "read_axis": lambda text: read_axis("steps", text),
    "read_axis of prompts": lambda text: read_axis("prompt", text),
    "read_picture_name": read_picture_name,
    "custom id of a job": lambda text: JobButton("edit", "0" * 12).template.fullmatch(f"pb:{text}"),
    "custom id of an entry": lambda text: EntryButton("vote", 1).template.fullmatch(f"pb:entry:vote:{text}"),
    "custom id of a page": lambda text: PAGE.template.fullmatch(f"pb:page:nn0:{text}"),
    "translate": lambda text: LANGUAGES.translate(f"There is no preset {text}", "ja"),
    "translate a line": lambda text: LANGUAGES.translate(text, "ja"),
}
SHAPES = [
    *(" ", "\n", "é", "\\", "#", "1", "{", "[", "(:"),
    *("[)", "(a", "{a,", "[a:", "[a|b]", "[a:b:1]", "<lora:", "<lora:a:1>", "-__a", "__a__ ", "(a) --no b ", "a AND "),
    *("```", "` ", "> a\n", "**a:** ", "Steps: 1, ", "Seed: 1\n", "Negative prompt: "),
    *("-abcd ", " -a", "gpu", '{"a":'),
    *(":", "<prompt>", "\u200b", ", prompt='"),
    *('ab: "', " Steps: 1", "a: b, ", "1d ", "1-5, ", '"a', "a_(b", "`|*<@", "discord.gg/", " · ", "/channels/1/"),
]
CAPPED = {  # 64 Ki characters are all they take
    *("find_infotexts", "find_infotexts in one line", "find_infotexts in brackets"),
    *("read_fields", "parse_infotext", "read_request", "with_line_breaks"),
}
SHORT, LONG = 4000, 2**20
ENOUGH = 0.004  # seconds of processor time, which measure well
CERTAIN = 0.04  # which no memory that the system hands out for the first time changes much
TRIES = 8


def seconds(read, shape, length):
    """Return the processor time that a reader takes for a text of that shape."""
    text = shape * (length // len(shape))
    start = time.process_time()
    with contextlib.suppress(PastelError):
        read(text)
    return time.process_time() - start


def is_slow(read, shape, longest):
    """Return whether the time grows with more than the length; what seems to, is tried again with a longer text."""
    return all(grows_faster(read, shape, longest, enough) for enough in (ENOUGH, CERTAIN))


def grows_faster(read, shape, longest, enough):
    """Return whether twice the length takes more than 2.5 times as long, each time that it is tried.

    The text is made longer until reading it takes long enough to be measured, or is as long as one may be.
    """
    seconds(read, shape, SHORT // 10)  # what is done once
    length, half, whole = SHORT, 0.0, seconds(read, shape, SHORT)
    while whole < enough and 2 * length <= longest:
        length, half, whole = 2 * length, whole, seconds(read, shape, 2 * length)
    for _try in range(TRIES):
        if whole <= max(2.5 * half, enough):
            return False
        half, whole = (seconds(read, shape, each) for each in (length // 2, length))
    return True


@pytest.mark.parametrize("name", READERS)
def test_twice_the_length_takes_about_twice_the_time(name):
    gc.disable()
    try:
        longest = MAX_INFOTEXT if name in CAPPED else LONG
        slow = [shape for shape in SHAPES if is_slow(READERS[name], shape, longest)]
    finally:
        gc.enable()

    assert slow == []


def test_a_reader_whose_time_grows_faster_is_found():
    """With the cube, as the square's is not told from a straight line on every machine that others use too."""

    def linear(text):
        return sum(text.count("aa", start, start + 99) for start in range(len(text)))

    def cube(text):
        return sum(text.count("aa", start) for start in range(len(text)) for _again in range(len(text) // 400))

    assert [is_slow(linear, "ab", LONG), is_slow(cube, "ab", LONG)] == [False, True]


@pytest.mark.parametrize("text", ["[a:b:" * 5000, "(a" * 5000 + ")" * 5000, "[a|" * 5000 + "]" * 5000])
def test_no_depth_is_too_deep(text):
    check(text)

    assert list(painted_texts(text, steps=3))
