"""Content filter, pure: a server's word list, and the tags of the age gate.

Negative prompts say what to leave out, so only what they ask for through weights below 0 is checked.
"""

import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path

from pastelbot.errors import NotAllowedError, WordError, quoted
from pastelbot.prompt.parsing import PromptParser
from pastelbot.prompt.word_list import WordList, painted_texts, read_all, wanted_of_negative
from pastelbot.records import GenerationRequest
from pastelbot.rules import grids
from pastelbot.rules.vocabulary import split_as_tokens

SHIPPED = Path(__file__).resolve().parents[1] / "data" / "adult.toml"
NO_WORDS = WordList(())
_MOST_NAMED = 10  # words in a refusal


@dataclass(frozen=True, kw_only=True)
class AgeGate:
    """The tags for age-restricted channels only, those of minors that never go with them, and those never painted.

    `unrelated` are words that end in a token of the lists and mean something else.
    """

    adult: WordList
    minors: WordList
    never: WordList = NO_WORDS
    unrelated: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class ContentRules:
    """The rules for the prompts of one user in one place."""

    gate: AgeGate
    words: WordList = field(default=NO_WORDS)
    own_adult: WordList = field(default=NO_WORDS)
    adult_allowed: bool = False


def read_gate(path: Path) -> AgeGate:
    """Read the lists of the age gate; raises NotAllowedError, for without them nothing may be painted."""
    try:
        lists = tomllib.loads(path.read_text(encoding="utf-8"))
        adult, minors, never, unrelated = (_read(lists, key) for key in ("adult", "minors", "never", "unrelated"))
        if not adult or not minors:
            raise ValueError("a list is empty")
    except (OSError, ValueError) as error:
        raise NotAllowedError(
            "The list of adult tags cannot be read, so nothing is painted until it can: tell the bot's operator."
        ) from error
    return AgeGate(
        adult=WordList(adult), minors=WordList(minors), never=WordList(never), unrelated=frozenset(unrelated)
    )


def check_content(request: GenerationRequest, rules: ContentRules, parser: PromptParser | None = None) -> None:
    """Raise NotAllowedError where the request's prompts, or those of a grid's cells, say what may not be painted here.

    `parser` is that of the request.
    """
    refusal = next(refusals(request, rules, parser), None)
    if refusal is not None:
        raise refusal


def refusals(
    request: GenerationRequest, rules: ContentRules, parser: PromptParser | None = None
) -> Iterator[WordError]:
    """Yield every reason not to paint a request here, each with all words that it is for."""
    texts = read_all(_request_texts(request, parser or PromptParser()))
    if words := _first(rules.words.find_in(texts)):
        yield WordError(_not_allowed(words))
    texts = _as_encoded(texts, rules.gate)
    if words := _first(rules.gate.never.find_in(texts)):
        yield WordError(f"The prompt has {_quoted(words)}. That is not painted anywhere.")
    adult = _first(_adult_words(texts, rules))
    minors = _first(rules.gate.minors.find_in(texts)) if adult else []
    if minors:
        yield WordError(f"The prompt has {_quoted(adult)} and {_quoted(minors)}. That is not painted anywhere.")
    elif adult and not rules.adult_allowed:
        yield WordError(_for_adults(adult))


def adult_word(request: GenerationRequest, rules: ContentRules) -> str | None:
    """Return an adult tag of the request's prompts, or None."""
    texts = _as_encoded(read_all(_request_texts(request, PromptParser())), rules.gate)
    return next(_adult_words(texts, rules), None)


def _as_encoded(texts: list[list[str]], gate: AgeGate) -> list[list[str]]:
    """Return the texts, and each as the text encoder reads words that are glued together, where it does so."""
    glued = (split_as_tokens(words, but=gate.unrelated) for words in texts)
    return texts + [split for split, words in zip(glued, texts, strict=True) if len(split) > len(words)]


def _request_texts(request: GenerationRequest, parser: PromptParser) -> list[str]:
    """Return every text that the request is painted from, in each picture and cell of a grid; raises RequestError."""
    found: dict[str, None] = {}
    seen = set()
    for one in chain.from_iterable(cell.with_each_prompt() for cell in grids.pictures_of(request)):
        prompts = (one.prompt, one.negative_prompt, one.hires and (one.hires.prompt, one.hires.negative_prompt))
        timing = (one.steps, (one.hires.steps or one.steps) if one.hires is not None else None)
        if (prompts, timing) not in seen:
            seen.add((prompts, timing))
            found |= dict.fromkeys(_texts_of(one, *timing, parser))
    return list(found)


def _adult_words(texts: list[list[str]], rules: ContentRules) -> Iterator[str]:
    return chain(rules.gate.adult.find_in(texts), rules.own_adult.find_in(texts))


def _not_allowed(words: Sequence[str]) -> str:
    if len(words) == 1:
        return f"The prompt has {_quoted(words)}, which is not allowed in this server: take it out."
    return f"The prompt has {_quoted(words)}, which are not allowed in this server: take them out."


def _for_adults(tags: Sequence[str]) -> str:
    if len(tags) == 1:
        return (
            f"The prompt has the adult tag {_quoted(tags)}, and this is not an age-restricted channel (nor is a direct "
            "message): take it out, or ask in a channel that is."
        )
    return (
        f"The prompt has the adult tags {_quoted(tags)}, and this is not an age-restricted channel (nor is a direct "
        "message): take them out, or ask in a channel that is."
    )


def _first(words: Iterable[str]) -> list[str]:
    return list(islice(words, _MOST_NAMED))


def _quoted(words: Iterable[str]) -> str:
    return ", ".join(map(quoted, words))


def _texts_of(request: GenerationRequest, steps: int, hires_steps: int | None, parser: PromptParser) -> list[str]:
    hires = request.hires
    wanted = [request.prompt, *((hires.prompt or "",) if hires is not None else ())]
    avoided = [request.negative_prompt, *((hires.negative_prompt or "",) if hires is not None else ())]
    return [
        text
        for read, prompts in ((painted_texts, wanted), (wanted_of_negative, avoided))
        for prompt in prompts
        for text in read(prompt, steps=steps, hires_steps=hires_steps, parser=parser)
    ]


def _read(lists: dict[str, object], key: str) -> list[str]:
    found = lists.get(key, [])
    if not isinstance(found, list) or not all(isinstance(entry, str) for entry in found):
        raise ValueError(f"{key} is not a list of texts")
    return found
