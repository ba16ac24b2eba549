"""Wildcards in files: one text a line, `#` begins a comment, a file in a folder is called `folder/name`.

A YAML or JSON file holds several lists: `colors: {warm: [red, orange]}` is `colors/warm`.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from importlib.resources import files
from pathlib import Path

import yaml  # type: ignore[import-untyped]  # its types are a package of their own

from pastelbot.formats.file_forms import form_of_no_text
from pastelbot.formats.json_texts import parse_json
from pastelbot.formats.texts.decoding import decoded
from pastelbot.prompt.wildcard_lists import Wildcards

_LONGEST_LINE = 4000
_LARGEST_FILE = 4 * 2**20
_MOST_FILES = 2000
_MOST_LINES = 200_000  # of a file with several lists: a small one can name the same list again and again
_DEEPEST = 20
_OF_COUNTRIES = ("cp932", "euc_jp", "gb18030", "big5", "cp949", "cp1252", "cp1251")
_SUFFIXES = (".txt", ".yaml", ".yml", ".json")


_KEY = re.compile(r"""^([ \t]*+)(?:- )?["']?([^\s"'#{}\[\],:][^"'#{}\[\],:\n]{0,100}+)["']?\s*+:""", re.MULTILINE)


class _UnreadableError(ValueError):
    """Why a file is not a list; `lists` are the names that it seems to give."""

    def __init__(self, reason: str, lists: Iterable[str] = ()) -> None:
        super().__init__(reason)
        self.lists = tuple(lists)


def load_wildcards(folder: Path | None) -> Wildcards:
    """Read the operator's folder and what ships with the project; a file of the operator's wins by its name."""
    lists: dict[str, list[str]] = {}
    unreadable: dict[str, str] = {}
    for place in (Path(str(files("pastelbot").joinpath("data", "wildcards"))), folder):
        for name, path in _files(place):
            try:
                lists |= _lists(name, path)
            except _UnreadableError as error:
                unreadable |= dict.fromkeys((name, *error.lists), str(error))
    return Wildcards(lists, unreadable)


def _files(folder: Path | None) -> Iterator[tuple[str, Path]]:
    if folder is None or not folder.is_dir():
        return
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES and not path.is_dir())
    for path in found[:_MOST_FILES]:
        yield path.relative_to(folder).with_suffix("").as_posix(), path


def _lists(name: str, path: Path) -> dict[str, list[str]]:
    """Return the lists of a file by name."""
    text = _text(path)
    if path.suffix.lower() == ".txt":
        return {name: _lines(text.splitlines())}
    try:
        content = _json(text) if path.suffix.lower() == ".json" else _yaml(text)
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        raise _UnreadableError(_reason(path, error), _keys(text)) from error
    entries: dict[str, list[str]] = {}
    for number, (place, line) in enumerate(_entries(content, (), name)):
        if number >= _MOST_LINES:
            raise _UnreadableError(f"its file {path.name} has more than {_MOST_LINES:,} lines")
        entries.setdefault(place, []).append(line)
    return {place: _lines(lines, comments=False) for place, lines in entries.items()}


def _reason(path: Path, error: Exception) -> str:
    """Return why a file of YAML or JSON cannot be read, with the line where that is known."""
    mark = error.problem_mark if isinstance(error, yaml.MarkedYAMLError) else None
    line = error.lineno if isinstance(error, json.JSONDecodeError) else mark and mark.line + 1
    form = path.suffix[1:].upper()
    if line:
        return f"its file {path.name} is not valid {form}: see line {line}"
    return f"its file {path.name} is not valid {form}"


def _keys(text: str) -> Iterator[str]:
    """Yield the names of lists that a file seems to give which cannot be read, by how its keys are set in."""
    above: list[tuple[int, str]] = []
    for match in _KEY.finditer(text):
        depth = len(match[1])
        above = [*(each for each in above if each[0] < depth), (depth, match[2].strip())][-_DEEPEST:]
        yield "/".join(key for _depth, key in above)


def _entries(content: object, trail: tuple[str, ...], name: str) -> Iterator[tuple[str, str]]:
    """Yield (list, line) of what a file says; a list without a name has the file's."""
    if isinstance(content, dict) and len(trail) < _DEEPEST:
        for key, value in content.items():
            yield from _entries(value, (*trail, str(key)), name)
    elif isinstance(content, list):
        for line in content:
            if (text := _as_line(line)) is not None:
                yield "/".join(trail) or name, text
    elif isinstance(content, str | int | float):
        yield "/".join(trail) or name, str(content)


def _yaml(text: str) -> object:
    """Return what YAML says, every value as it is written: `no` and 1e3 are words of a list."""
    loader = yaml.SafeLoader(text)
    nothing = [("tag:yaml.org,2002:null", re.compile("~|null"))]
    loader.yaml_implicit_resolvers = {"~": nothing, "n": nothing}
    node = loader.get_single_node()
    if node is None:
        return None
    _Joiner().join(node)
    return loader.construct_document(node)


class _Joiner:
    """Makes one list of those that a key has which is there several times: YAML's reader keeps the last one alone."""

    def __init__(self) -> None:
        self._seen: set[int] = set()
        self._left = _MOST_LINES  # entries that may be joined: what names itself has no end

    def join(self, node: yaml.Node, depth: int = 0) -> None:
        """Join what a node has of the same name, and what is inside of it."""
        if id(node) in self._seen or depth > _DEEPEST or not isinstance(node, yaml.CollectionNode):
            return
        self._seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            node.value = self._without_doubled(node.value)
        for entry in node.value:
            self.join(entry[1] if isinstance(entry, tuple) else entry, depth + 1)

    def _without_doubled(self, entries: Sequence[tuple[yaml.Node, yaml.Node]]) -> list[tuple[yaml.Node, yaml.Node]]:
        kept: dict[str, tuple[yaml.Node, yaml.Node]] = {}
        for number, (key, value) in enumerate(entries):
            name = key.value if isinstance(key, yaml.ScalarNode) and key.value != "<<" else f"\n{number}"
            kept[name] = (key, self._joined(kept[name][1], value) if name in kept else value)
        return list(kept.values())

    def _joined(self, first: yaml.Node, second: yaml.Node) -> yaml.Node:
        """Return two values as one: mappings as a mapping, anything else as a list."""
        if isinstance(first, yaml.MappingNode) is not isinstance(second, yaml.MappingNode):
            raise yaml.MarkedYAMLError(problem="both lines and lists have this name", problem_mark=second.start_mark)
        if isinstance(first, yaml.MappingNode):
            tag, entries = first.tag, [*first.value, *second.value] if first is not second else first.value
            made = yaml.MappingNode
        else:
            tag, made = "tag:yaml.org,2002:seq", yaml.SequenceNode
            lists = (node.value if isinstance(node, yaml.SequenceNode) else [node] for node in (first, second))
            entries = [inner for each in lists for inner in each]
        self._left -= len(entries)
        if self._left < 0:
            raise ValueError("too much of it has the same name")
        return made(tag, entries, first.start_mark, second.end_mark)


def _json(text: str) -> object:
    """Return what JSON says; a key that is there several times has all of its lines."""
    return parse_json(text, pairs=_merged)


def _merged(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        found[key] = _both(found[key], value) if key in found else value
    return found


def _both(first: object, second: object) -> object:
    if isinstance(first, dict) is not isinstance(second, dict):
        raise ValueError("both lines and lists have one name")
    if isinstance(first, dict) and isinstance(second, dict):
        return _merged([*first.items(), *second.items()])
    return [inner for value in (first, second) for inner in (value if isinstance(value, list) else [value])]


def _as_line(entry: object) -> str | None:
    """Return an entry of a list as text; YAML takes a colon in it for a mapping."""
    if isinstance(entry, bool):
        return str(entry).lower()
    if isinstance(entry, str | int | float):
        return str(entry)
    if isinstance(entry, dict):
        return ", ".join(f"{key}: {_as_line(value) or ''}".rstrip(": ") for key, value in entry.items())
    return None


def _text(path: Path) -> str:
    try:
        if not path.is_file():  # a pipe, or a link to what is not there
            raise _UnreadableError(f"its file {path.name} cannot be opened")
        if path.stat().st_size > _LARGEST_FILE:
            raise _UnreadableError(f"its file {path.name} is larger than {_LARGEST_FILE:,} bytes")
        content = path.read_bytes()
    except OSError as error:
        raise _UnreadableError(f"its file {path.name} cannot be opened") from error
    if (form := form_of_no_text(content)) is not None:
        raise _UnreadableError(f"its file {path.name} is {form}")
    try:
        return decoded(content)
    except UnicodeDecodeError as error:
        at = f"{path.name} (line {content[: error.start].count(bytes([10])) + 1})"
        lists = dict.fromkeys(each for text in _guessed(content) for each in _keys(text))
        raise _UnreadableError(f"its file {at} is not text in UTF-8 or UTF-16: save it as UTF-8", lists) from error


def _guessed(content: bytes) -> Iterator[str]:
    """Yield a text as it would be in the encodings of single countries; which of them it has cannot be known."""
    for encoding in _OF_COUNTRIES:
        with suppress(UnicodeDecodeError):
            yield content.decode(encoding)


def _lines(texts: list[str], *, comments: bool = True) -> list[str]:
    lines = ((text.split("#", 1)[0] if comments else text).strip()[:_LONGEST_LINE] for text in texts)
    return [line for line in lines if line]
