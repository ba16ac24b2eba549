"""Word lists: whole words and tags found in a prompt, however they are spelt, in every text painted from it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

import ftfy

from pastelbot.prompt.attention import parse_attention
from pastelbot.prompt.composition import split_and
from pastelbot.prompt.confusables import BORDER, readings, words_of
from pastelbot.prompt.editing import prompt_schedule
from pastelbot.prompt.extra_networks import extract_networks

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
        return self.find_in(read_all(texts))

    def find_in(self, texts: Iterable[list[str]]) -> str | None:
        """Return the same as `find` for texts from `read_all`, which several lists can share."""
        if not self._phrases:
            return None
        return next((entry for words in texts for entry in self._found(words)), None)

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


def painted_texts(prompt: str, *, steps: int, hires_steps: int | None = None) -> list[str]:
    """Return the prompt as written, and every text that its syntax turns it into while it is painted.

    `nu(de:1)`, `n[u|u]de` and `nu<lora:x:0>de` all reach the text encoder as "nude". Raises PromptError.
    """
    texts = [prompt]
    for part in split_and(extract_networks(prompt).prompt):
        texts.append(part.text)
        for timed in (prompt_schedule(part.text, steps), prompt_schedule(part.text, steps, hires_steps or steps)):
            texts += [_without_attention(entry.text) for entry in timed]
    return list(dict.fromkeys(text for written in texts for text in (written, _repaired(written))))


def wanted_of_negative(prompt: str, *, steps: int, hires_steps: int | None = None) -> list[str]:
    """Return what a negative prompt asks for through weights below 0."""
    texts = []
    for timed in (prompt_schedule(prompt, steps), prompt_schedule(prompt, steps, hires_steps or steps)):
        for entry in timed:
            texts += [piece.text for piece in parse_attention(entry.text) if piece.weight < 0 and not piece.is_break]
    return list(dict.fromkeys(text for written in texts for text in (written, _repaired(written))))


def _without_attention(text: str) -> str:
    return "".join(_BREAK if piece.is_break else piece.text for piece in parse_attention(text))


def _repaired(text: str) -> str:
    """Return the text as the tokenizer repairs it: entities, escape codes and broken encodings become letters."""
    return text if text.isascii() and text.isprintable() and "&" not in text else ftfy.fix_text(text)
