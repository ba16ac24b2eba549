"""Tag vocabularies in the format of tag-completion files: one line `name,category,count,"alias,alias"` per tag."""

import codecs
import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from pastelbot.errors import TagFileError
from pastelbot.prompt.tags.names import tag_key

CATEGORIES: Mapping[int, str] = {0: "general", 1: "artist", 3: "copyright", 4: "character", 5: "meta"}

LARGEST_FILE = 64 * 2**20
_LONGEST_NAME = 200
_LONGEST_LINE = 20_000
_HIGHEST_CATEGORY = 15
_HIGHEST_COUNT = 2**53
_MOST_SPELLINGS = 2**24
_BAD_SHARE = 10
_HEADERS = (
    {"name", "tag", "tags", "tag_name"},
    {"category", "type"},
    {"count", "post_count", "posts"},
    {"aliases", "alias"},
)
_NEEDED = 'It needs lines such as `long_hair,0,4350743,"longhair"`.'
_KINDS = {
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"GIF8": "a GIF picture",
    b"RIFF": "a WebP picture or a sound",
    b"PK\x03\x04": "a zip archive",
    b"\x1f\x8b": "a gzip archive",
    b"SQLite format 3": "a database",
    b"%PDF": "a PDF",
    b"version https://git-lfs": "a pointer of Git LFS (`git lfs pull` gets the file)",
}


@dataclass(frozen=True, kw_only=True)
class Tag:
    """One tag; `count` is the number of posts that carry it at its source."""

    name: str
    category: int = 0
    count: int = 0
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class TagFile:
    """The tags of a file, with a sentence about every line that could not be read."""

    tags: tuple[Tag, ...]
    problems: tuple[str, ...] = ()


class _LineError(ValueError):
    """What is wrong with a line."""


def read_tag_file(content: bytes, source: str) -> TagFile:
    """Read a tag-completion CSV; raise TagFileError where it is not one, or a tenth of its lines are wrong."""
    lines = list(_records(_text(content, source).splitlines()))
    found: dict[str, Tag] = {}
    problems, rows, repeated = [], 0, 0
    columns: Sequence[int] = ()
    for number, line in lines:
        if (header := _columns(line)) is not None and (rows == 0 or _has_titles(line)):
            columns = header
            continue
        if not line.strip() or _SEPARATOR.fullmatch(line):
            continue
        rows += 1
        try:
            tag = _read_line(line, columns)
        except _LineError as error:
            problems.append(f"Line {number}: {error}.")
        else:
            repeated += tag.name in found
            found.setdefault(tag.name, tag)
    _check_share(rows, problems, source)
    if repeated:
        problems.append(f"{repeated:,} lines repeat a tag: the first line of each counts.")
    return TagFile(tags=tuple(found.values()), problems=tuple(problems))


def _records(lines: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Yield lines with their numbers; aliases in quotes may stand on two, which are one then."""
    waiting: tuple[int, str] | None = None
    for number, line in enumerate(lines, start=1):
        if waiting is not None and _is_open(line) and len(waiting[1]) + len(line) < _LONGEST_LINE:
            yield waiting[0], f"{waiting[1]},{line}"
            waiting = None
            continue
        if waiting is not None:
            yield waiting
        waiting = (number, line) if _is_open(line) else None
        if waiting is None:
            yield number, line
    if waiting is not None:
        yield waiting


def _is_open(line: str) -> bool:
    """Return whether quotation marks that begin in a line do not end in it."""
    return line.count('"') % 2 == 1


def combine(vocabularies: Iterable[Iterable[Tag]]) -> dict[str, Tag]:
    """Merge vocabularies: later counts and categories win, aliases are joined."""
    combined: dict[str, Tag] = {}
    for vocabulary in vocabularies:
        for tag in vocabulary:
            under = combined.get(tag.name)
            combined[tag.name] = tag if under is None else _with_aliases(tag, under.aliases)
    return combined


def _with_aliases(tag: Tag, more: tuple[str, ...]) -> Tag:
    return tag if more == tag.aliases else replace(tag, aliases=tuple(dict.fromkeys(tag.aliases + more)))


def spellings(tag: Tag) -> Iterator[str]:
    """Yield the keys by which a tag is found, its name's first."""
    seen = set()
    for text in (tag.name, *tag.aliases):
        key = tag_key(text)
        if key and key not in seen:
            seen.add(key)
            yield key


def category_name(number: int) -> str:
    """Return a category's name."""
    return CATEGORIES.get(number, f"category {number}")


_POINT_ZERO = re.compile(r"(?<=[0-9])\.0++\Z")  # what pandas makes of whole numbers where some are missing
_SEPARATOR = re.compile(r'"?sep=[,;]"?,*+', re.IGNORECASE)  # what spreadsheets read first
_PYTHON_LIST = re.compile(r"\[(?:\s*+'[^']*+'\s*+,?)*+\s*+\]")
_TOML = re.compile(rb"\[\[?[A-Za-z][\w.-]*\]\]?\s*[#\r\n]")  # a section's heading


def _text(content: bytes, source: str) -> str:
    start = content[:4096].lstrip(codecs.BOM_UTF8).lstrip()
    kind = next((kind for magic, kind in _KINDS.items() if content.startswith(magic)), None)
    if start[:1] in b"<{[" and start.lower().startswith((b"<!doctype", b"<html", b"<?xml", b"<svg", b"{", b"[")):
        kind = "a web page" if start.startswith(b"<") else "TOML" if _TOML.match(start) else "JSON"
    if kind is not None:
        raise TagFileError(f"{source} is {kind}, not a list of tags. {_NEEDED}")
    if not start:
        raise TagFileError(f"{source} is empty. {_NEEDED}")
    try:
        text = content.decode(_encoding(content))
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise TagFileError(f"{source} is not UTF-8 text: see line {line}. Save it as UTF-8.") from error
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise TagFileError(f"{source} is not text: line {line} has a zero byte. {_NEEDED}")
    return text.replace("\ufeff", "").rstrip("\x1a")  # files that were joined, and those of DOS


def _encoding(content: bytes) -> str:
    """Return the encoding that the mark or the zero bytes at the start say: of UTF-16 nearly half are zeros."""
    if content.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    start = content[:4096]
    if start.count(0) * 5 <= len(start):
        return "utf-8-sig"
    return "utf-16-le" if start[1::2].count(0) >= start[::2].count(0) else "utf-16-be"


def _columns(line: str) -> Sequence[int] | None:
    """Return which columns hold name, category, count and aliases, -1 for none, where a line is a header of such."""
    titles = [title.strip('" ').lower() for title in line.split(",")]
    places = [next((n for n, title in enumerate(titles) if title in known), -1) for known in _HEADERS]
    if titles[0] in _HEADERS[0]:
        return ()  # the usual order
    return places if places[0] == 1 and places[2] >= 0 and titles[0] == "id" else None


def _has_titles(line: str) -> bool:
    """Return whether a line is the header of another list that was joined, not of a tag such as `name`."""
    titles = {title.strip('" ').lower() for title in line.split(",")[1:3]}
    return not titles.isdisjoint(_HEADERS[1] | _HEADERS[2])


def _read_line(line: str, columns: Sequence[int] = ()) -> Tag:
    if len(line) > _LONGEST_LINE:
        raise _LineError(f"it has {len(line):,} characters, more than {_LONGEST_LINE:,}")
    try:
        (fields,) = csv.reader([line], strict=True)
    except csv.Error as error:
        raise _LineError(f"its quotes are wrong ({error})") from error
    if columns:
        fields = [fields[n] if 0 <= n < len(fields) else "" for n in columns]
    if not 2 <= len(fields) <= 4:
        raise _LineError(f'it has {len(fields)} fields; name,category,count,"aliases" are needed')
    name, category, count, aliases, *_others = (*(field.strip() for field in fields), "", "", "")
    return Tag(
        name=_name(name),
        category=_number(category or "0", "category", _HIGHEST_CATEGORY),
        count=_number(count or "0", "count", _HIGHEST_COUNT),
        aliases=_aliases(aliases),
    )


def _name(name: str) -> str:
    if not tag_key(name):
        raise _LineError("the name is empty")
    if len(name) > _LONGEST_NAME:
        raise _LineError(f"the name has {len(name)} characters, more than {_LONGEST_NAME}")
    if "," in name or not name.isprintable():
        raise _LineError(f"the name {name[:40]!r} has a comma or a control character")
    return name.replace(" ", "_")


def _number(text: str, what: str, highest: int) -> int:
    text = _POINT_ZERO.sub("", text)
    if not (text.isascii() and text.isdigit()) or len(text) > 16 or int(text) > highest:
        raise _LineError(f"the {what} {text[:20]!r} is not a whole number from 0 to {highest}")
    return int(text)


def _aliases(text: str) -> tuple[str, ...]:
    if _PYTHON_LIST.fullmatch(text):
        text = text[1:-1].replace("'", "")
    found = (alias.strip() for alias in text.split(","))
    return tuple(alias for alias in found if alias and len(alias) <= _LONGEST_NAME and alias.isprintable())


def _check_share(rows: int, problems: list[str], source: str) -> None:
    if rows and len(problems) * _BAD_SHARE <= rows:
        return
    if not rows:
        raise TagFileError(f"{source} is a header without tags. {_NEEDED}")
    first = f" {problems[0]}" if problems else ""
    raise TagFileError(
        f"{source} is not a list of tags: {len(problems):,} of {rows:,} lines cannot be read.{first} {_NEEDED}"
    )
