"""Word lists: whole words and tags found in a prompt, however they are spelt, in every text painted from it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from pastelbot.prompt.attention import Fragment
from pastelbot.prompt.composition import split_and
from pastelbot.prompt.confusables import BORDER, readings, words_of
from pastelbot.prompt.parsing import PromptParser
from pastelbot.prompt.tokenization.tokenizer import repaired_text

_BREAK = f" {BORDER} "


class WordList:
    """A searchable list of words and tags of several words; an entry without any word is ignored."""

    def __init__(self, entries: Iterable[str]) -> None:
        self.entries = tuple(entries)
        self._phrases: dict[str, list[tuple[list[str], str]]] = defaultdict(list)
        for entry in self.entries:
            words = phrase_of(entry)
            if words:
                self._phrases[words[0]].append((words, entry))

    def find(self, texts: Iterable[str]) -> str | None:
        """Return the first entry that one of the texts contains as adjacent whole words; else None."""
        return next(self.find_in(read_all(texts)), None)

    def find_in(self, texts: Iterable[list[str]]) -> Iterator[str]:
        """Yield all entries, each once, for texts from `read_all`, which several lists can share."""
        found = (entry for words in texts for entry in self._found(words)) if self._phrases else iter(())
        seen: set[str] = set()
        for entry in found:
            if entry not in seen:
                seen.add(entry)
                yield entry

    def _found(self, words: list[str]) -> Iterator[str]:
        for start, word in enumerate(words):
            for phrase, entry in self._phrases.get(word, ()):
                if words[start : start + len(phrase)] == phrase:
                    yield entry


def read_all(texts: Iterable[str]) -> list[list[str]]:
    """Return every reading of each text, as words to search."""
    return [words for text in texts for words in readings(text)]


def phrase_of(entry: str) -> list[str]:
    """Return the words of a list's entry; empty where it has none."""
    words = words_of(entry)
    inner = [place for place, word in enumerate(words) if word != BORDER]
    return words[inner[0] : inner[-1] + 1] if inner else []


def painted_texts(
    prompt: str, *, steps: int, hires_steps: int | None = None, parser: PromptParser | None = None
) -> list[str]:
    """Return the prompt as written, and every text that its syntax turns it into while it is painted.

    `nu(de:1)`, `n[u|u]de` and `nu<lora:x:0>de` all reach the text encoder as "nude". Raises PromptError. `parser` is
    that of the request.
    """
    parser = parser or PromptParser()
    texts = [prompt]
    for part in split_and(parser.networks(prompt).prompt):
        timed = dict.fromkeys(entry.text for entry in parser.both_passes(part.text, steps, hires_steps))
        texts += [part.text, *(_without_attention(parser.attention(text)) for text in timed)]
    return list(dict.fromkeys(text for written in texts for text in (written, repaired_text(written))))


def wanted_of_negative(
    prompt: str, *, steps: int, hires_steps: int | None = None, parser: PromptParser | None = None
) -> list[str]:
    """Return what a negative prompt asks for through weights below 0; `parser` is that of the request."""
    parser = parser or PromptParser()
    timed = dict.fromkeys(entry.text for entry in parser.both_passes(prompt, steps, hires_steps))
    pieces = [piece for text in timed for piece in parser.attention(text)]
    texts = [piece.text for piece in pieces if piece.weight < 0 and not piece.is_break]
    return list(dict.fromkeys(text for written in texts for text in (written, repaired_text(written))))


def _without_attention(pieces: Iterable[Fragment]) -> str:
    return "".join(_BREAK if piece.is_break else piece.text for piece in pieces)
