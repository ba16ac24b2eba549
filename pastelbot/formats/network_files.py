"""Files of LoRAs and embeddings, found by their names in prompts. Torch-free, because the bot process looks too."""

import difflib
import re
import threading
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pastelbot.choices import nearest_names
from pastelbot.errors import CheckpointError
from pastelbot.formats.embedding_cards import SUFFIXES as CARDS
from pastelbot.formats.embedding_cards import is_card
from pastelbot.formats.file_forms import is_safetensors
from pastelbot.formats.hashes import HashIndex, as_wanted
from pastelbot.formats.safetensors_header import read_header

_LORA_SUFFIXES = (".safetensors", ".pt", ".ckpt", ".bin")
_EMBEDDING_FILES = (".safetensors", ".pt", ".bin")
EMBEDDING_SUFFIXES = (*_EMBEDDING_FILES, *CARDS)

# In cloneofsimo's form a LoRA is two files; this one comes with the other.
_PARTNER = ".text_encoder"
_CLOSE = 0.9
_TICK = 2_000_000_000  # nanoseconds: some file systems count in twos of seconds
_SIGNS = re.compile(r"[\s_.-]+")


@dataclass(frozen=True, kw_only=True)
class NetworkFolders:
    """The operator's folders of LoRAs and of embeddings."""

    loras: Path | None = None
    embeddings: Path | None = None


@dataclass(frozen=True)
class Found:
    """A file that a name means; `exact` where it is the file's own name or the one that its metadata give."""

    path: Path
    exact: bool

    @property
    def name(self) -> str:
        """Return what the file is called."""
        return _composed(self.path.stem)


def network_files(folder: Path | None, suffixes: Iterable[str]) -> dict[str, Path]:
    """Return the files in a folder and those below it, by name without the ending, nearer to the top first.

    A file that shares its name with another is called with its folder: `styles/soft`.
    """
    if folder is None or not folder.is_dir():
        return {}
    wanted = tuple(suffixes)
    found = sorted(
        (path for path in folder.rglob("*") if _is_network(path, wanted)),
        key=lambda path: (len(path.parts), path.suffix.lower() != ".safetensors", str(path)),
    )
    stems = {path.with_suffix("") for path in found}
    named: dict[str, Path] = {}
    for path in found:
        base = path.with_suffix("")
        if path.suffix.lower() != ".safetensors" and base.with_name(base.name.removesuffix(_PARTNER)) in stems - {base}:
            continue
        name = _composed(path.stem)
        if name in named:
            named.setdefault(_composed(base.relative_to(folder).as_posix()), path)
        else:
            named[name] = path
    return named


def _is_network(path: Path, suffixes: tuple[str, ...]) -> bool:
    """Return whether a file is a network by its ending; a picture mostly only shows one, so it is looked into."""
    suffix = path.suffix.lower()
    if suffix not in suffixes or not path.is_file():
        return False
    return suffix not in CARDS or (not _is_preview(path) and is_card(path))


def _is_preview(path: Path) -> bool:
    """Return whether a picture shows the network beside it, whose name it has."""
    return path.stem.lower().endswith(".preview") or any(path.with_suffix(end).exists() for end in _EMBEDDING_FILES)


class NetworkFolder:
    """The files of a folder by name, listed anew when a file was added, taken away or renamed.

    A folder says so by its time. What was listed within `_TICK` of it may have been changed in the same moment, and is
    not relied on. Several threads may ask at once.
    """

    def __init__(
        self, folder: Path | None, suffixes: Iterable[str], *, clock: Callable[[], int] = time.time_ns
    ) -> None:
        self._folder = folder
        self._suffixes = tuple(suffixes)
        self._clock = clock
        self._listed: dict[str, Path] = {}
        self._times: dict[Path, int] = {}
        self._listed_at = 0
        self._lock = threading.Lock()

    @property
    def files(self) -> dict[str, Path]:
        """Return the files by name, as they are now."""
        with self._lock:
            if not self._is_fresh():
                self._listed_at = self._clock()
                self._times = _folder_times(self._folder)
                self._listed = network_files(self._folder, self._suffixes)
            return self._listed

    def _is_fresh(self) -> bool:
        newest = max(self._times.values(), default=self._listed_at)
        try:
            unchanged = all(path.stat().st_mtime_ns == changed for path, changed in self._times.items())
        except OSError:
            return False
        return unchanged and self._listed_at - newest > _TICK


def _folder_times(folder: Path | None) -> dict[Path, int]:
    if folder is None or not folder.is_dir():
        return {}
    return {path: path.stat().st_mtime_ns for path in (folder, *folder.rglob("*/"))}


class LoraFiles:
    """The LoRAs of the operator's folder. What their metadata say is remembered until a file changes."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = NetworkFolder(folder, _LORA_SUFFIXES)
        self._metadata: dict[Path, tuple[tuple[int, int], Mapping[str, str]]] = {}
        self._hashes = HashIndex()

    @property
    def files(self) -> dict[str, Path]:
        """Return the files by name, as they are now."""
        return self._folder.files

    def find(self, name: str) -> Found | None:
        """Return the file of that name, else the one whose metadata say so, else the only one that is nearly so."""
        files, name = self.files, _composed(name)
        end = _LORA_SUFFIXES[0]
        stem = name[: -len(end)] if name.casefold().endswith(end) else name
        name = name if name in files or stem not in files else stem
        if name in files:
            return Found(files[name], exact=True)
        if (placed := _at(name, files.values())) is not None:
            return Found(placed, exact=True)
        titled = self._titles(files.values())
        if name in titled:
            return Found(titled[name], exact=True)
        near = _nearest(name, {**titled, **files})
        return None if near is None else Found(near, exact=False)

    def with_hash(self, shorthash: str) -> Found | None:
        """Return the file whose metadata have a hash that begins so, or which has such a hash itself."""
        paths, wanted = list(self.files.values()), as_wanted(shorthash)
        for path in paths:
            if wanted and self.metadata(path).get("sshs_model_hash", "").startswith(wanted):
                return Found(path, exact=True)
        hashed = self._hashes.find(paths, shorthash)
        return None if hashed is None else Found(hashed, exact=True)

    def refusal(self, name: str) -> str:
        """Return the sentence for a name that no file has."""
        known = sorted(self.files)
        if not known:
            return f"There is no LoRA {name[:60]!r}: this bot has none."
        near = nearest_names(name[:60], known)
        return f"There is no LoRA {name[:60]!r}. {near if len(near) < 400 else f'There are {len(known)} others.'}"

    def metadata(self, path: Path) -> Mapping[str, str]:
        """Return what a safetensors file says about itself; nothing where it says nothing or is damaged."""
        try:
            stat = path.stat()
            version = (stat.st_mtime_ns, stat.st_size)
            if self._metadata.get(path, ((0, 0), {}))[0] != version:
                self._metadata[path] = version, _read_metadata(path)
        except OSError:
            return {}
        return self._metadata[path][1]

    def _titles(self, paths: Iterable[Path]) -> dict[str, Path]:
        """Return files by the name that their trainer gave them; an ambiguous name is left out."""
        titles = [(self.metadata(path).get("ss_output_name", ""), path) for path in paths]
        count = Counter(title for title, _path in titles)
        return {title: path for title, path in titles if title and count[title] == 1}


@dataclass(frozen=True, kw_only=True)
class ModelNames:
    """What of the operator's a request may name, besides upscalers."""

    loras: LoraFiles = field(default_factory=LoraFiles)
    checkpoints: tuple[str, ...] = ()
    vaes: tuple[str, ...] = ()


def _nearest(name: str, known: Mapping[str, Path]) -> Path | None:
    """Return the file whose name differs in case and signs alone, or by a slip; None where several do.

    Another number is another version, not a slip.
    """
    wanted = plain_name(name)
    plain: dict[str, set[Path]] = {}
    for each, path in known.items():
        plain.setdefault(plain_name(each), set()).add(path)
    matching = plain.get(wanted, set())
    if not matching:
        numbers = re.findall(r"\d+", wanted)
        same = [each for each in plain if re.findall(r"\d+", each) == numbers]
        matching = {
            path for each in difflib.get_close_matches(wanted, same, n=3, cutoff=_CLOSE) for path in plain[each]
        }
    return next(iter(matching)) if len(matching) == 1 else None


def _at(name: str, paths: Iterable[Path]) -> Path | None:
    """Return the only file that a name with its folder means: `styles/soft`, as other programs write it."""
    end = "/" + name.replace("\\", "/")
    found = (
        [path for path in paths if _composed(path.with_suffix("").as_posix()).endswith(end)] if "/" in end[1:] else []
    )
    return found[0] if len(found) == 1 else None


def plain_name(name: str) -> str:
    """Return a file's or model's name in the form used for comparison: without case and signs."""
    return _SIGNS.sub("", unicodedata.normalize("NFKC", name).casefold())


def _composed(name: str) -> str:
    """Return a name in the one form of those that look the same: some systems write an umlaut as two characters."""
    return unicodedata.normalize("NFC", name)


def _read_metadata(path: Path) -> Mapping[str, str]:
    try:
        metadata = read_header(path).metadata if is_safetensors(path) else {}
    except CheckpointError:
        return {}
    return {str(key): str(value) for key, value in metadata.items() if key in ("ss_output_name", "sshs_model_hash")}
