"""Escaping of users' words, so that Discord shows them literally."""

import re
import unicodedata
from collections.abc import Iterator

from discord.utils import escape_mentions

_BEFORE_SIGNS = re.compile(r"^[^\S\n]*+(?=[#>]|[-+][\s#])|(?=[\\*_~|`\[<]|://)", re.MULTILINE)
# Discord makes invitations of these also where no https:// is in front.
_INVITATION = re.compile(r"(?<=discord|cordapp)\.(?=[a-z]{2,})", re.IGNORECASE)
# What turns the text around, what is not seen, and what only programs read; lines and tabs stay.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f"
    "\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
_JOINER = re.compile("[\u200c\u200d]")
# In the bot's sentences: code, mentions and times, which are the bot's; and texts of users as `repr` quotes them.
_MARKED = re.compile(
    r"(?P<marked>`[^`]++`|<(?:@[!&]?|#)\d++>|<t:\d++:[A-Za-z]>)"
    r"|(?<![0-9A-Za-z])(?:'(?:[^'\\\n]|\\.)*+'|\"(?:[^\"\\\n]|\\.)*+\")"
)
_DOUBLED = re.compile(r"\\([\\'])")  # by `repr`
_MOST_MARKS = 4  # on one letter: no language has more
_FIRST_MARK = "\u0300"


def neutral(text: str) -> str:
    """Return a text as others may see it: without what reverses, hides or piles up; every letter and emoji stays.

    Joiners stay where scripts and emoji need them.
    """
    text = _UNSEEN.sub("", text)
    if text.isascii():
        return text
    text = _JOINER.sub(_needed_joiner, text)
    return "".join(_few_marks(text)) if max(text, default="") >= _FIRST_MARK else text


def _needed_joiner(match: re.Match[str]) -> str:
    """Return a joiner between two letters of a script that joins, or between two emoji; else nothing."""
    before, after = match.string[match.start() - 1 : match.start()], match.string[match.end() : match.end() + 1]
    joins = before and after and unicodedata.category(before) in ("Lo", "Mn", "Mc", "So", "Sk")
    return match[0] if joins and unicodedata.category(after) in ("Lo", "So") else ""


def _few_marks(text: str) -> Iterator[str]:
    marks = 0
    for character in text:
        marks = marks + 1 if unicodedata.category(character) in ("Mn", "Me") else 0
        if marks <= _MOST_MARKS:
            yield character


def plain(text: str) -> str:
    """Write a text so that nothing in it is markdown, a link, an invitation, a time, an emoji or a mention.

    What is not seen or reverses the text is left out. discord.py's own function takes all from the first `[` to the
    last `)` for one link and leaves it as it is, and addresses too.
    """
    return escape_mentions(_INVITATION.sub(r"\.", _BEFORE_SIGNS.sub(r"\g<0>\\", neutral(text))))


def plain_line(text: str) -> str:
    """Write a text on one line, as `plain` does."""
    return plain(" ".join(text.split()))


def plain_sentence(text: str) -> str:
    """Write a sentence of the bot so that what it quotes is shown as it was typed; its code, mentions and times stay.

    What users typed stands in such sentences quoted by `repr`, or as code.
    """
    text, done, pieces = neutral(text), 0, list[str]()
    for found in _MARKED.finditer(text):
        pieces += (plain(text[done : found.start()]), found["marked"] or plain(_DOUBLED.sub(r"\1", found[0])))
        done = found.end()
    return "".join((*pieces, plain(text[done:])))
