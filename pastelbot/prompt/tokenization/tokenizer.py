"""CLIP's byte-pair tokenizer (Radford et al. 2021), with the webui's text repairs.

A text is repaired by ftfy (curly quotes, full-width letters, HTML entities, ...), lower-cased and cut into words; each
word is spelt in bytes and its neighbouring pieces are merged, the earliest learned merge first.
"""

import heapq
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import ftfy

from pastelbot.errors import CheckpointError

_START_TOKEN = "<|startoftext|>"  # noqa: S105 - the vocabulary's name for it
_END_TOKEN = "<|endoftext|>"  # noqa: S105
_END_OF_WORD = "</w>"
_CACHE_SIZE = 50_000
_ONE_FILE = "tokenizer.json"
_CLIPS = "BPE"  # byte-pair encoding
_TWO_FILES = ("vocab.json", "merges.txt")

_SPECIAL = re.compile(rf"({re.escape(_START_TOKEN)}|{re.escape(_END_TOKEN)})")
# Letters come with other numbers (², Ⅷ) here: `_words` separates them.
_WORD = re.compile(rf"{_SPECIAL.pattern}|'s|'t|'re|'ve|'m|'ll|'d|[^\W\d_]+|\d|(?:[^\s\w]|_)+")


class ClipTokenizer:
    """Turns text into token ids, without start and end tokens."""

    def __init__(self, vocabulary: Mapping[str, int], merges: Sequence[tuple[str, str]]) -> None:
        self._ids = vocabulary
        self._ranks = {pair: rank for rank, pair in enumerate(merges)}
        self._letters = _byte_letters()
        self._cache: dict[str, tuple[int, ...]] = {}
        self.start = vocabulary[_START_TOKEN]
        self.end = vocabulary[_END_TOKEN]
        self.comma = vocabulary["," + _END_OF_WORD]

    @classmethod
    def from_folder(cls, folder: Path) -> "ClipTokenizer":
        """Read a checkpoint's tokenizer folder: `vocab.json` and `merges.txt`, or the one `tokenizer.json` of today.

        Where both are there, the older files count. Raises CheckpointError where neither can be read.
        """
        one_file = folder / _ONE_FILE
        try:
            if one_file.is_file() and not all((folder / name).is_file() for name in _TWO_FILES):
                return cls.from_json(_text(one_file))
            vocabulary = _vocabulary("vocab.json", _json("vocab.json", _text(folder / "vocab.json")))
            lines = _text(folder / "merges.txt").splitlines()
            merges = [pair for line in lines if not line.startswith("#version") and len(pair := line.split()) == 2]
            return cls(vocabulary, _pairs(merges))
        except ValueError as error:
            raise CheckpointError(
                f"{folder} has no readable tokenizer (tokenizer.json, or vocab.json and merges.txt): {error}. Download "
                "it again, or remove the folder: then the usual vocabulary is used."
            ) from error

    @classmethod
    def from_json(cls, text: str) -> "ClipTokenizer":
        """Read the text of a `tokenizer.json`, of the library tokenizers; a ValueError says what is wrong with it."""
        read = _json(_ONE_FILE, text)
        content = read if isinstance(read, dict) else {}
        model = next(_objects([content.get("model")]), {})
        if not model:
            raise ValueError(f"{_ONE_FILE} has no model")
        if model.get("type", _CLIPS) != _CLIPS:
            raise ValueError(f"{_ONE_FILE} is a {str(model['type'])[:40]} tokenizer, and CLIP's is a {_CLIPS} one")
        added = {str(token.get("content")): token.get("id") for token in _objects(content.get("added_tokens"))}
        special = {name: added[name] for name in (_START_TOKEN, _END_TOKEN) if name in added}
        known = model.get("vocab")
        vocabulary = _vocabulary(_ONE_FILE, {**special, **known} if isinstance(known, dict) else known)
        merges = model.get("merges")
        # Older versions of the library write a pair as one text.
        pairs = (merge.split(" ") if isinstance(merge, str) else merge for merge in _listed(merges))
        return cls(vocabulary, _pairs(pairs))

    @property
    def size(self) -> int:
        """Return the number of token ids."""
        return max(self._ids.values()) + 1

    def encode(self, text: str) -> list[int]:
        """Return the token ids of a text."""
        ids: list[int] = []
        for part in _SPECIAL.split(text):
            if part in (_START_TOKEN, _END_TOKEN):
                ids.append(self._ids[part])
            elif part:
                ids.extend(self._encode_part(part))
        return ids

    def pieces(self, word: str) -> list[str]:
        """Return what one word of lower-case ASCII letters is made of, a token each."""
        names = self._merge([*word[:-1], word[-1] + _END_OF_WORD])
        return [*names[:-1], names[-1].removesuffix(_END_OF_WORD)]

    def _encode_part(self, text: str) -> Iterator[int]:
        repaired = " ".join(repaired_text(text).split()).lower()
        for word in _words(repaired):
            yield from self._encode_word(word)

    def _encode_word(self, word: str) -> tuple[int, ...]:
        known = self._cache.get(word)
        if known is None:
            if len(self._cache) >= _CACHE_SIZE:
                self._cache.clear()
            known = self._cache[word] = self._spell(word)
        return known

    def _spell(self, word: str) -> tuple[int, ...]:
        if word in (_START_TOKEN, _END_TOKEN):
            return (self._ids[word],)
        pieces = [self._letters[byte] for byte in word.encode("utf-8", errors="replace")]
        pieces[-1] += _END_OF_WORD
        return tuple(self._ids.get(piece, self.end) for piece in self._merge(pieces))

    def _merge(self, pieces: list[str]) -> list[str]:
        """Merge neighbours, the earliest learned pair first, leftmost first among equals."""
        following = [*range(1, len(pieces)), -1]
        previous = list(range(-1, len(pieces) - 1))
        heap: list[tuple[int, int, str, str]] = []

        def offer(left: int) -> None:
            right = following[left] if left >= 0 else -1
            if right >= 0 and (rank := self._ranks.get((pieces[left], pieces[right]))) is not None:
                heapq.heappush(heap, (rank, left, pieces[left], pieces[right]))

        for index in range(len(pieces)):
            offer(index)
        while heap:
            _, left, first, second = heapq.heappop(heap)
            right = following[left]
            if pieces[left] != first or right < 0 or pieces[right] != second:
                continue  # one of the two was merged meanwhile
            pieces[left], pieces[right] = first + second, ""
            following[left] = following[right]
            if following[left] >= 0:
                previous[following[left]] = left
            offer(previous[left])
            offer(left)
        return [piece for piece in pieces if piece]


def repaired_text(text: str) -> str:
    """Return a text as the tokenizer repairs it: entities, escape codes and broken encodings become letters."""
    return text if text.isascii() and text.isprintable() and "&" not in text else ftfy.fix_text(text)


def _text(path: Path) -> str:
    """Return what is in a file; a ValueError says why it cannot be read."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise ValueError(f"there is no {path.name}") from error
    except OSError as error:
        raise ValueError(f"{path.name} cannot be opened ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"{path.name} is not text in UTF-8") from error


def _json(name: str, text: str) -> object:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"{name} is not valid JSON: see line {error.lineno}") from error
    except RecursionError as error:
        raise ValueError(f"{name} is nested too deeply") from error


def _vocabulary(name: str, found: object) -> dict[str, int]:
    """Return words with their numbers; raises ValueError for anything else, and where CLIP's own are not among them."""
    if not isinstance(found, dict) or not all(type(number) is int and number >= 0 for number in found.values()):
        raise ValueError(f"{name} is not a table of words with their numbers")
    missing = [word for word in (_START_TOKEN, _END_TOKEN, "," + _END_OF_WORD) if word not in found]
    if missing:
        raise ValueError(f"{name} lacks the word {missing[0]} of CLIP's vocabulary")
    return found


def _objects(found: object) -> Iterator[Mapping[str, Any]]:
    yield from (each for each in _listed(found) if isinstance(each, dict))


def _listed(found: object) -> Sequence[Any]:
    return found if isinstance(found, list) else ()


def _pairs(merges: Iterable[object]) -> list[tuple[str, str]]:
    """Return merges as pairs; raises ValueError for what is no pair."""
    pairs = [tuple(merge) if isinstance(merge, list) else () for merge in merges]
    if not pairs:
        raise ValueError("it has no pairs that are merged")
    wrong = next((number for number, pair in enumerate(pairs, 1) if list(map(type, pair)) != [str, str]), None)
    if wrong is not None:
        raise ValueError(f"what is merged as number {wrong} is not a pair of texts")
    return pairs


def _words(text: str) -> Iterator[str]:
    """Yield contractions, runs of letters, single digits and runs of signs."""
    for match in _WORD.finditer(text):
        word = match[0]
        if word.isalpha() or not word[0].isalnum():
            yield word
            continue
        for is_letters, run in groupby(word, str.isalpha):
            if is_letters:
                yield "".join(run)
            else:
                yield from run


def _byte_letters() -> list[str]:
    """Return the letter that stands for each byte: itself where printable, else one from U+0100 on."""
    printable = {*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)}
    others = iter(range(256, 512))
    return [chr(byte) if byte in printable else chr(next(others)) for byte in range(256)]
