"""Confusables: a text folded to plain letters, so that look-alike characters compare equal.

Accents, case, full-width and other fancy letters, letters of other alphabets that look like Latin ones, and invisible
characters are replaced by what they stand for. The result is words and the borders of tags, for comparing only.
"""

import re
import unicodedata
from collections.abc import Iterator

BORDER = ","

# Letters that look like Latin ones and that Unicode's compatibility forms leave alone: all lower case, because case is
# folded first.
_PAIRS = (
    "аa вb еe ёe іi їi јj кk мm нh оo рp сc тt уy хx ѕs ԁd һh ӏl ԛq ԝw гr пn "  # Cyrillic
    "αa βb γy εe ηn ιi κk νv οo ρp τt υu χx ωw "  # Greek
    "ᴀa ʙb ᴄc ᴅd ᴇe ꜰf ɢg ʜh ɪi ᴊj ᴋk ʟl ᴍm ɴn ᴏo ᴘp ʀr ꜱs ᴛt ᴜu ᴠv ᴡw ʏy ᴢz "  # small capitals
    "ıi ȷj łl øo đd ħh ŧt ƀb ɓb ɗd ɠg ɩi ɑa ɡg ɨi ɾr ʋv ƒf ǀl æae œoe ßss þth"  # Latin with strokes, and pairs
)
_LOOKALIKES = str.maketrans({pair[0]: pair[1:] for pair in _PAIRS.split()})
# Boxed and circled letters without a compatibility form, and the letters that flags are made of.
_BOXED = {start + number: chr(ord("a") + number) for start in (0x1F150, 0x1F170, 0x1F1E6) for number in range(26)}
# These are invisible although Unicode does not class them as format characters.
_UNSEEN = frozenset("\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180e\u3164\uffa0")
# Accents, enclosing marks, vowel points and variation selectors. The marks of other scripts, such as the voicing marks
# of Japanese, make another letter and stay.
_ACCENTS = re.compile(
    "[\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u064b-\u065f\u0670\u1ab0-\u1aff"
    "\u1dc0-\u1dff\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f\U000e0100-\U000e01ef]"
)
_BORDERS = frozenset(",:;|、，；")
_ASCII_WORD = re.compile(r"[a-z]+|[0-9]+|[,:;|]")
_LONE_LETTERS = 3


def _fold(text: str) -> str:
    """Return the text in plain lower-case letters, as far as its characters have such forms."""
    plain = unicodedata.normalize("NFKD", text.translate(_BOXED)).casefold()
    return _ACCENTS.sub("", unicodedata.normalize("NFKD", plain)).translate(_LOOKALIKES)


def words_of(text: str) -> list[str]:
    """Return the words of a text in order, with BORDER wherever one tag ends and another may begin."""
    return readings(text)[0]


def readings(text: str) -> list[list[str]]:
    """Return the ways to read a text: with invisible characters left out, and with them as spaces.

    Single letters in a row are read as one word too, because that is how words are hidden.
    """
    folded = _fold(text)
    unseen = {character for character in set(folded) if _is_unseen(character)}
    found = [_words(folded.translate(dict.fromkeys(map(ord, unseen))))]
    if unseen:
        found.append(_words(folded.translate(dict.fromkeys(map(ord, unseen), " "))))
    return found + [joined for words in list(found) if (joined := _join_lone_letters(words)) != words]


def _is_unseen(character: str) -> bool:
    category = unicodedata.category(character)
    return character in _UNSEEN or category == "Cf" or (category == "Cc" and not character.isspace())


def _words(folded: str) -> list[str]:
    if folded.isascii():  # the same, faster
        return [BORDER if word in _BORDERS else word for word in _ASCII_WORD.findall(folded)]
    return "".join(_pieces(folded)).split()


def _pieces(folded: str) -> Iterator[str]:
    """Yield the text with a space between any two words; digits, and letters of scripts without spaces, stand alone."""
    before = ""
    for character in folded:
        kind = _kind(character)
        if kind == "border":
            yield f" {BORDER} "
        elif kind == "space":
            yield " "
        else:
            yield character if kind == before and kind != "sign" else f" {character}"
        before = kind


def _kind(character: str) -> str:
    if character in _BORDERS:
        return "border"
    if "0" <= character <= "9":
        return "digit"
    category = unicodedata.category(character)[0]
    if category in "LM":
        return "sign" if "\u3400" <= character <= "\u9fff" or character >= "\U00020000" else "letter"
    return "digit" if category == "N" else "space"


def _join_lone_letters(words: list[str]) -> list[str]:
    joined: list[str] = []
    run: list[str] = []
    for word in [*words, ""]:
        if len(word) == 1 and word.isalpha() and word.isascii():
            run.append(word)
            continue
        joined += ["".join(run)] if len(run) >= _LONE_LETTERS else run
        run = []
        joined.append(word)
    return joined[:-1]
