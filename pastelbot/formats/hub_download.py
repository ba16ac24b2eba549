"""Resumable downloads from the hub, also after a restart of the program.

The hub's own client throws away what it has of a file when it ends. So a file is fetched here first, under a name that
says which content it is, checked against the hub's hash, and only then put where the client looks for it.
"""

import errno
import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, cast
from urllib.parse import urlparse

from pastelbot.errors import CheckpointError
from pastelbot.paths import local_path

if TYPE_CHECKING:
    from huggingface_hub.utils import tqdm

# Receives what is being downloaded, the bytes that are here and the bytes in all.
Listener = Callable[[str, int, int], None]

_PART = ".part"
_SPARE = 2**20
_BLOCK = 2**22


def _ignore(_what: str, _done: int, _total: int) -> None:
    """Ignore progress."""


class HubUnreachableError(CheckpointError):
    """The hub cannot be reached."""


@dataclass(frozen=True, kw_only=True)
class HubFile:
    """One file of a repository at one commit; `etag` is its sha256, or git's sha1 of a small one."""

    repo: str
    name: str
    commit: str
    etag: str
    size: int
    address: str


@dataclass(frozen=True, kw_only=True)
class HubDownload:
    """What is fetched of repositories, and where it goes; the hub's address is the client's setting HF_ENDPOINT."""

    revision: str | None = None
    cache_dir: Path | None = None
    listener: Listener = _ignore

    def names(self, repo: str) -> list[str]:
        """Return the names of a repository's files; raises CheckpointError."""
        from huggingface_hub import HfApi

        with explaining(repo, self.revision):
            info = HfApi().model_info(repo, revision=self.revision)
        return [sibling.rfilename for sibling in info.siblings or ()]

    def look_up(self, repo: str, name: str) -> HubFile:
        """Return what the hub says about a file; raises CheckpointError."""
        from huggingface_hub import get_hf_file_metadata, hf_hub_url

        url = hf_hub_url(repo, name, revision=self.revision)
        with explaining(f"{repo}/{name}", self.revision):
            found = get_hf_file_metadata(url)
        if found.etag is None or found.commit_hash is None or found.size is None:
            raise CheckpointError(f"{repo}/{name} cannot be downloaded: the hub does not say what it is.")
        return HubFile(
            repo=repo, name=name, commit=found.commit_hash, etag=found.etag, size=found.size, address=found.location
        )

    def into_cache(self, repo: str, names: Iterable[str]) -> None:
        """Fetch files into the client's cache, where the client finds them; raises CheckpointError."""
        storage = self._cache / f"models--{repo.replace('/', '--')}"
        files = [self.look_up(repo, name) for name in names]
        missing = [file for file in files if not (storage / "snapshots" / file.commit / file.name).exists()]
        blobs = {storage / "blobs" / file.etag: file for file in missing}
        self._fetch_all({place: file for place, file in blobs.items() if not place.exists()})

    def into_folder(self, repo: str, names: Sequence[str], folder: Path) -> list[Path]:
        """Fetch files into a folder, under the names that they have on the hub; raises CheckpointError."""
        files = {folder / name: self.look_up(repo, name) for name in names}
        self._fetch_all({place: file for place, file in files.items() if not _is_there(place, file)})
        return list(files)

    @property
    def _cache(self) -> Path:
        from huggingface_hub import constants

        return local_path(self.cache_dir or str(constants.HF_HUB_CACHE))

    def _fetch_all(self, files: dict[Path, HubFile]) -> None:
        total = sum(file.size for file in files.values())
        here = sum(_size(_part(place, file)) for place, file in files.items())
        _check_space(next(iter(files), Path()), total - here)
        done = 0
        for place, file in files.items():
            self._fetch(file, place, done, total)
            done += file.size

    def _fetch(self, file: HubFile, place: Path, before: int, total: int) -> None:
        """Fetch one file under its part's name, check it, and give it its name."""
        from huggingface_hub.utils import WeakFileLock

        part = _part(place, file)
        with explaining(f"{file.repo}/{file.name}", self.revision, place):
            place.parent.mkdir(parents=True, exist_ok=True)
            lock = part.with_name(part.name + ".lock")
            with WeakFileLock(lock):
                if not _is_there(place, file):
                    self._receive(file, part, before, total)
                    _check(file, part)
                    part.replace(place)
            lock.unlink(missing_ok=True)

    def _receive(self, file: HubFile, part: Path, before: int, total: int) -> None:
        from huggingface_hub.file_download import http_get
        from huggingface_hub.utils import build_hf_headers

        headers = build_hf_headers()
        if urlparse(file.address).netloc != urlparse(self._url(file)).netloc:
            headers.pop("authorization", None)  # a token is for the hub, not for the host that stores its files
        start = min(_size(part), file.size)
        bar = _Bar.reporting_to(lambda done: self.listener(file.name, before + done, total), start)
        with part.open("r+b" if part.exists() else "w+b") as target:
            target.truncate(start)
            target.seek(start)
            http_get(file.address, target, resume_size=start, headers=headers, expected_size=file.size, tqdm_class=bar)

    def _url(self, file: HubFile) -> str:
        from huggingface_hub import hf_hub_url

        return hf_hub_url(file.repo, file.name, revision=self.revision)


def no_bar() -> "type[tqdm]":
    """Return an invisible progress bar for the client."""
    from huggingface_hub.utils import tqdm

    class NoBar(tqdm):
        def __init__(self, *arguments: object, **settings: object) -> None:
            super().__init__(*arguments, **{**settings, "disable": True})  # type: ignore[no-untyped-call]

    return NoBar


class _Bar:
    """What the client takes for a progress bar."""

    @classmethod
    def reporting_to(cls, report: Callable[[int], None], start: int) -> "type[tqdm]":
        """Return a function that the client calls as a class of progress bars."""

        def make(**_settings: object) -> "_Bar":
            return cls(report, start)

        return cast("type[tqdm]", make)

    def __init__(self, report: Callable[[int], None], start: int) -> None:
        self._report, self._done = report, start
        report(start)

    def update(self, count: float) -> None:
        self._done += int(count)
        self._report(self._done)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        return


@contextmanager
def explaining(what: str, revision: str | None, place: Path | None = None) -> Iterator[None]:
    """Turn what the client, its transport and the disk raise into a CheckpointError that says what to do."""
    try:
        yield
    except CheckpointError:
        raise
    except Exception as error:  # the client raises its own and its transport's errors
        sentence = explanation(error, what, revision, place)
        if place is None and _is_unreachable(error):
            raise HubUnreachableError(str(sentence)) from error
        raise sentence from error


def _is_unreachable(error: BaseException) -> bool:
    from huggingface_hub import errors

    if isinstance(error, errors.OfflineModeIsEnabled | ConnectionError | TimeoutError):
        return True
    answer = getattr(error, "response", None) if isinstance(error, errors.HfHubHTTPError) else None
    if answer is not None:
        return bool(answer.status_code >= 500)
    # The client's transport is a library that it may exchange.
    return any(kind.__name__ == "TransportError" for kind in type(error).__mro__)


def explanation(error: Exception, what: str, revision: str | None, place: Path | None = None) -> CheckpointError:
    """Return the sentence for an error of a download."""
    known = _refusal(error, what, revision) or _disk_trouble(error, what, place)
    if known:
        return CheckpointError(known)
    lines = str(error).strip().splitlines()
    reason = (lines[0] if lines else type(error).__name__).rstrip(".")
    return CheckpointError(f"{what} cannot be downloaded: {reason}. Try again; it goes on where it stopped.")


def _refusal(error: Exception, what: str, revision: str | None) -> str | None:
    from huggingface_hub import errors

    repo = "/".join(what.split("/")[:2])
    if isinstance(error, errors.GatedRepoError):
        return (
            f"{repo} is open only to those who accepted its conditions: accept them on its page, and set HF_TOKEN to "
            "a token of your account."
        )
    if isinstance(error, errors.RepositoryNotFoundError):
        return (
            f"{repo} is not a file or folder here and cannot be downloaded: the hub has no such repository, or it is "
            "private and HF_TOKEN is not set to a token that may read it."
        )
    if isinstance(error, errors.RevisionNotFoundError):
        return f"{repo} cannot be downloaded: it has no revision {revision!r}."
    if isinstance(error, errors.RemoteEntryNotFoundError):
        return f"{what} cannot be downloaded: there is no such file in {repo}."
    return None


def _disk_trouble(error: Exception, what: str, place: Path | None) -> str | None:
    if not isinstance(error, OSError):
        return None
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{what} does not fit: the disk of {place} is full. Make room; it goes on where it stopped."
    if isinstance(error, PermissionError | FileExistsError | NotADirectoryError | IsADirectoryError):
        return f"{what} cannot be kept: {error.filename or place} cannot be written ({error.strerror})."
    return None


def _part(place: Path, file: HubFile) -> Path:
    """Return where the bytes of a file are collected; another content has another name."""
    return place.with_name(f".{place.name}.{file.etag[:12]}{_PART}")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _is_there(place: Path, file: HubFile) -> bool:
    return place.is_file() and _size(place) == file.size and _digest(place, file) == file.etag


def _check(file: HubFile, part: Path) -> None:
    if _digest(part, file) != file.etag:
        part.unlink()
        raise CheckpointError(f"{file.repo}/{file.name} was damaged on its way here. Try again.")


def _digest(path: Path, file: HubFile) -> str:
    """Return a file's hash of the kind that the hub gave."""
    if len(file.etag) == 64:
        digest = hashlib.sha256()
    elif len(file.etag) == 40:
        digest = hashlib.sha1(f"blob {file.size}\0".encode(), usedforsecurity=False)
    else:
        return file.etag  # of another kind: its size is all that can be checked
    with path.open("rb") as opened:
        while block := opened.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _check_space(place: Path, size: int) -> None:
    folder = next(parent for parent in (*place.absolute().parents,) if parent.exists())
    free = shutil.disk_usage(folder).free
    if size > 0 and free < size + _SPARE:
        raise CheckpointError(
            f"The download needs {size_text(size)}, but only {size_text(free)} are free in {os.fspath(folder)}."
        )


def size_text(size: int) -> str:
    """Return a number of bytes in a readable unit."""
    return f"{size / 1e9:,.2f} GB" if size >= 1e9 else f"{size / 1e6:,.1f} MB"
