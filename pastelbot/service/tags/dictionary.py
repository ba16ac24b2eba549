"""Tag dictionary: completion, search, suggestions, and import of a vocabulary."""

import asyncio
import hashlib
import heapq
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import structlog

from pastelbot.config import TagSettings
from pastelbot.errors import TagFileError
from pastelbot.prompt.tags.completion import MOST_CHOICES, Candidate, Completion, completions, label, unfinished
from pastelbot.prompt.tags.names import spoken, tag_key, whole_tags_in
from pastelbot.prompt.tags.vocabulary import Tag, TagFile, read_tag_file
from pastelbot.prompt.word_list import WordList
from pastelbot.records import Actor
from pastelbot.service.access import AccessPolicy
from pastelbot.similarity import allowed_errors, distance, is_slip
from pastelbot.store.tags.search import FoundTag, TagStore
from pastelbot.store.tags.sets import Filling, Progress, TagSets

log = structlog.get_logger(__name__)

_PAGE = 10
_MOST_SUGGESTIONS = 3

_LONGEST_QUERY = 100
# A tag's name and its aliases can fill many rows, and tags that the prompt has already fall out.
_ROWS = 100
_LOOKED_AT = 4
_MOST_TAGS = 150
_MOST_WORDS = 4
_BEGINNINGS = 100
_BEGUN_ALIKE = 600
_REMEMBERED = 50_000


@dataclass(frozen=True, kw_only=True)
class TagPage:
    """One page of what a search found; pages count from 0."""

    tags: tuple[Tag, ...]
    total: int
    page: int
    near: tuple[str, ...] = ()
    hidden: int = 0

    @property
    def pages(self) -> int:
        """Return how many pages there are, at least 1."""
        return max(1, -(-self.total // _PAGE))


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """An unknown tag, and the one that was probably meant; `certain` where no other well-used tag is spelt alike."""

    typed: str
    meant: str
    certain: bool = False


@dataclass(frozen=True, kw_only=True)
class ImportReport:
    """How many tags the vocabulary has now, how many were read, and what was wrong with the others."""

    total: int
    read: int
    problems: tuple[str, ...]


class Tags:
    """Completion, search and suggestions of tags. Users see no tags that may not be painted in their channel."""

    def __init__(
        self,
        store: TagStore,
        sets: TagSets,
        settings: TagSettings | None = None,
        access: AccessPolicy | None = None,
    ) -> None:
        self._settings = settings or TagSettings()
        self._access = access
        self._store = store
        self._stands_in = lru_cache(maxsize=_REMEMBERED)(_stands_in)
        self._sets = sets

    async def open(self) -> None:
        """Take in the shipped tags where they are new or have changed."""
        content = _shipped_file()
        digest = hashlib.sha256(content).hexdigest()
        state = await self._store.state()
        if state is not None and state.shipped == digest:
            return
        filling = Filling(
            shipped=(await asyncio.to_thread(read_tag_file, content, "tags.csv")).tags,
            digest=digest,
            imported=await self._store.imported(),
            source=state.source if state is not None else "",
        )
        try:
            await self._sets.fill(filling)
        except TagFileError as error:
            log.warning("shipped tags not taken in", reason=str(error))

    async def complete(self, prompt: str, actor: Actor | None = None) -> list[Completion]:
        """Return choices for the tag that is being typed at the end of a prompt."""
        typed = unfinished(prompt) if self._settings.complete else None
        if typed is None:
            return []
        if typed.key:
            found = await self._find(typed.key, whole_word=typed.whole_word)
        else:
            found = [] if typed.word.strip() else await self._store.popular(MOST_CHOICES + len(typed.present))
        shown = await self._shown_to(actor)
        return completions(typed, (Candidate(each.tag.name, each.alias) for each in found if shown(each)))

    async def complete_query(self, query: str, actor: Actor | None = None) -> list[Completion]:
        """Return choices for a search."""
        shown = await self._shown_to(actor)
        choices: dict[str, Completion] = {}
        for each in await self._find(tag_key(query[:_LONGEST_QUERY]), whole_word=False):
            value = spoken(each.tag.name)
            if value not in choices and len(value) <= _LONGEST_QUERY and shown(each):
                choices[value] = Completion(label(each.tag.name, each.tag.count, each.alias), value)
            if len(choices) == MOST_CHOICES:
                break
        return list(choices.values())

    async def search(self, query: str, category: int | None, page: int, actor: Actor | None = None) -> TagPage:
        """Return a page of the tags that have all the query's words; where there are none, what is spelt alike."""
        key = tag_key(query[:_LONGEST_QUERY])
        page = max(0, page)
        tags, total = await self._store.search(key, category, offset=page * _PAGE, limit=_PAGE)
        near = [] if total else await self._alike(key, _MOST_SUGGESTIONS)
        shown = await self._shown_to(actor)
        listed = tuple(tag for tag in tags if shown(FoundTag(tag=tag)))
        names = list(dict.fromkeys(spoken(found.tag.name) for found in near if shown(found)))
        if not total and not names and (words := await self._with_words_alike(key, category, shown)):
            names = [words]
        return TagPage(tags=listed, total=total, page=page, near=tuple(names), hidden=len(tags) - len(listed))

    async def _with_words_alike(self, key: str, category: int | None, shown: Callable[[FoundTag], bool]) -> str:
        """Return a search with words of tags in place of mistyped ones: no tag is "hair", but many have it; else ""."""
        words = []
        for word in key.split()[:_MOST_WORDS]:
            begun = await self._store.with_words(word[:1], _BEGUN_ALIKE)
            used = dict.fromkeys(part for each in begun if shown(each) for part in tag_key(each.tag.name).split())
            errors = allowed_errors(len(word))
            away = {other: distance(word, other, errors) for other in used}
            words.append(min(away, key=lambda other: away[other], default=word))
            if away.get(words[-1], 0) > errors:
                return ""
        other = " ".join(words)
        found, _total = await self._store.search(other, category, offset=0, limit=_PAGE)
        return other if other != key and any(shown(FoundTag(tag=tag)) for tag in found) else ""

    async def suggestions(self, prompt: str, actor: Actor | None = None) -> list[Suggestion]:
        """Return what was probably meant by unknown tags, three at most, in the prompt's order.

        Sentences are left alone: only what is short enough to be a tag, and spelt nearly like a well-used one, counts.
        """
        if not self._settings.suggest:
            return []
        typed = {tag_key(tag): tag for tag in whole_tags_in(prompt)[:_MOST_TAGS]}
        named, unknown = await self._in_english(typed), await self._unknown(typed)
        if not named and not unknown:
            return []
        shown = await self._shown_to(actor)
        found = [each for each in named if shown(FoundTag(tag=Tag(name=each.meant)))]
        for key in unknown[:_LOOKED_AT]:
            alike = await self._alike(key, _MOST_SUGGESTIONS)
            near = [
                each
                for each in alike
                if _well_used(each.tag, key) and is_slip(key, tag_key(each.alias or each.tag.name)) and shown(each)
            ]
            meant = spoken(near[0].tag.name) if near else ""
            if meant and tag_key(meant) not in typed:
                found.append(Suggestion(typed=typed[key], meant=meant, certain=len(_names(near)) == 1))
        places = {tag: place for place, tag in enumerate(typed.values())}
        return sorted(found[:_MOST_SUGGESTIONS], key=lambda each: places[each.typed])

    async def _unknown(self, keys: Iterable[str]) -> list[str]:
        """Return the keys that are no tag's though they are short enough to be one, those of fewest words first."""
        short = [key for key in keys if allowed_errors(len(key)) and len(key.split()) <= _MOST_WORDS]
        known = await self._store.known(short)
        return sorted((key for key in short if key not in known), key=lambda key: len(key.split()))

    async def _in_english(self, typed: Mapping[str, str]) -> list[Suggestion]:
        """Return the tags that names in other scripts are of: checkpoints know only the English ones."""
        found = []
        for key in [key for key in typed if not key.isascii()][:_LOOKED_AT]:
            named = await self._store.beginning_with(key, 1, whole_word=True)
            if named and named[0].alias == key:
                found.append(Suggestion(typed=typed[key], meant=spoken(named[0].tag.name), certain=True))
        return found

    async def import_tags(
        self, file: TagFile, source: str, *, merge: bool = False, on_progress: Progress = lambda _done, _total: None
    ) -> ImportReport:
        """Make a file's tags the vocabulary, over the shipped ones; with `merge` over those imported before, too."""
        before = await self._store.imported() if merge else []
        content = _shipped_file()
        filling = Filling(
            shipped=(await asyncio.to_thread(read_tag_file, content, "tags.csv")).tags,
            digest=hashlib.sha256(content).hexdigest(),
            imported=[*before, *file.tags],
            source=source,
        )
        total = await self._sets.fill(filling, on_progress)
        return ImportReport(total=total, read=len(file.tags), problems=file.problems)

    async def stats(self) -> tuple[dict[int, int], str]:
        """Return how many tags there are of each category, and where the imported ones came from."""
        state = await self._store.state()
        return await self._store.counts(), state.source if state is not None else ""

    async def _shown_to(self, actor: Actor | None) -> Callable[[FoundTag], bool]:
        """Return what tells whether a tag may be shown: what would be refused in a prompt is not offered for one."""
        if actor is None or self._access is None:
            return lambda _found: True
        rules = (await self._access.preview(actor)).content
        lists = [rules.words, rules.gate.never]
        if not rules.adult_allowed:
            lists += [rules.gate.adult, rules.own_adult]
        return lambda found: not any(self._stands_in(words, text) for words in lists for text in _texts(found))

    async def _find(self, key: str, *, whole_word: bool) -> list[FoundTag]:
        """Return tags that begin so, then those with such words, and only where there are none those spelt alike.

        What was typed to the end comes first; names come before aliases, and then what is used most.
        """
        if not key:
            return []
        found = await self._store.beginning_with(key, _ROWS, whole_word=whole_word)
        found.sort(key=lambda each: (tag_key(each.alias or each.tag.name) != key, each.alias is not None))
        if len(_names(found)) < MOST_CHOICES:
            found += await self._store.with_words(key, _ROWS, whole_word=whole_word)
        return found or await self._alike(key, MOST_CHOICES, beginning=not whole_word)

    async def _alike(self, key: str, limit: int, *, beginning: bool = False) -> list[FoundTag]:
        """Return tags with a spelling within a slip or two of the key, the nearest first; `beginning` if unfinished."""
        key = key[:_LONGEST_QUERY]
        errors = allowed_errors(len(key))
        if not errors:
            return []
        candidates = dict(await self._store.similar(key, errors))
        if beginning:
            head = key[: max(2, len(key) // 2)]
            candidates |= dict(await self._store.spellings_beginning_with(head, _BEGINNINGS))
        near = heapq.nsmallest(limit, _nearest(key, candidates.items(), errors, beginning=beginning))
        tags = await self._store.of_spellings([spelling for _, spelling in near])
        return [tags[spelling] for _, spelling in near if spelling in tags]


def _shipped_file() -> bytes:
    """Return the vocabulary that comes with the program, as a tag-completion CSV."""
    return files("pastelbot").joinpath("data", "tags.csv").read_bytes()


def _nearest(
    key: str, candidates: Iterable[tuple[int, str]], errors: int, *, beginning: bool
) -> Iterable[tuple[int, int]]:
    """Yield (distance, id) of what is near enough; ids ascend from the most used."""
    letters = set(key)
    for number, other in candidates:
        missing = letters.difference(other) if beginning else letters.symmetric_difference(other)
        if len(missing) > (errors if beginning else 2 * errors):
            continue
        found = distance(key, other, errors, beginning=beginning)
        if found <= errors:
            yield found, number


def _stands_in(words: WordList, text: str) -> bool:
    return words.find([text]) is not None


def _texts(found: FoundTag) -> list[str]:
    name = spoken(found.tag.name)
    return [name] if found.alias is None else [name, found.alias]


def _well_used(tag: Tag, key: str) -> bool:
    """Return whether a tag is so common that a mistyped one is more likely than a user's own word."""
    least = {4: 10_000, 5: 1_000}.get(len(key), 100)
    return tag.count >= least


def _names(found: Iterable[FoundTag]) -> set[str]:
    return {each.tag.name for each in found}
