import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pastelbot.bot.plain_text import neutral, plain

SIGNS = r"\*_~|`[<"

ESCAPED = re.compile(r"\\([^0-9A-Za-z\s])")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("1girl, (red hair:1.2), smile - x > y # 3", "1girl, (red hair:1.2), smile - x > y # 3"),
        ("[a](http://x) **b** [c](http://y)", r"\[a](http\://x) \*\*b\*\* \[c](http\://y)"),
        ("[red](hair), ||x||, (y)", r"\[red](hair), \|\|x\|\|, (y)"),
        ("see https://discord.gg/abc", r"see https\://discord\.gg/abc"),
        ("<t:1:R> <:e:12> </imagine:12> <#1>", r"\<t:1:R> \<:e:12> \</imagine:12> \<#1>"),
        ("# loud", r"\# loud"),
        ("-# small\n> quote\n- point", "\\-# small\n\\> quote\n\\- point"),
        (":-) --seed", ":-) --seed"),
        ("@everyone @here <@&6>", "@\u200beveryone @\u200bhere \\<@&6>"),
        (f"<@{10**17}>", f"\\<@\u200b{10**17}>"),
        ("red_hair \\", r"red\_hair " + "\\\\"),
        ("", ""),
    ],
)
def test_people_read_what_was_typed(text, shown):
    assert shown == plain(text)


@given(st.text(alphabet="ab \n#>-+1.:/@\\*_~|`[]()<", max_size=40))
def test_no_sign_has_its_meaning(text):
    """Discord takes a backslash in front of a sign for the sign itself."""
    written = plain(text)
    left = ESCAPED.sub("x", written)

    assert not set(SIGNS) & set(left)
    assert "://" not in left
    assert not re.search(r"^\s*(?:#|>|[-+][\s#])", left, re.MULTILINE)
    assert text == ESCAPED.sub(r"\1", written)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("see discord.gg/abc", r"see discord\.gg/abc"),
        ("DISCORD.com/invite/x", r"DISCORD\.com/invite/x"),
        ("discordapp.com/invite/x", r"discordapp\.com/invite/x"),
        ("discord\u200b.gg/abc", r"discord\.gg/abc"),
        ("accord. good", "accord. good"),
    ],
)
def test_nothing_becomes_an_invitation(text, shown):
    assert shown == plain(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("x\u202eabc\u202c \u2066y\u2069 \u200fz", "xabc y z"),
        ("a\u200bb\u2060c\ufeffd\u00ade\u3164f\U000e0041g", "abcdefg"),
        ("a\u200db", "ab"),
        ("e" + "\u0301" * 500 + "x", "e" + "\u0301" * 4 + "x"),
        ("one\ntwo\tthree\x1b[1m\x07", "one\ntwo\tthree[1m"),
    ],
)
def test_what_is_not_seen_is_left_out(text, shown):
    assert shown == neutral(text)


@pytest.mark.parametrize(
    "text",
    [
        "Ünïcödé, größe",
        "Tiếng Việt, 日本語、がぎぐ",
        "می\u200cخواهم",
        "क्\u200dष",
        "👩\u200d👩\u200d👧 ⚠️ 👍🏽 🏳️\u200d🌈",
        "ภาษาไทยที่นี่",
    ],
)
def test_what_languages_and_emoji_need_stays(text):
    assert text == neutral(text)
