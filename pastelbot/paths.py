"""Paths as people write them: expanded, and looked at. What no file can have, or none may reach, is one sentence."""

import errno
import os
import stat
from pathlib import Path

from pastelbot.errors import PathError

_SHOWN = 80  # characters of a path; the end says which file is meant
_SPECIAL = {
    stat.S_IFIFO: "a pipe, which has no end of its own",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
_GIVEN = (
    "/dev/null",
    "/dev/stdin",
    "/dev/stdout",
    "/dev/fd/",
    "/proc/self/fd/",
)  # what a shell opens, and what is empty


def local_path(written: str | Path, base: Path | None = None) -> Path:
    """Return a path with its home folder; a relative one begins at `base`. Nothing needs to be there.

    Raises a PathError that says why, and what to do, where no file can be there, or what is there
    is no file or folder, or cannot be read.
    """
    path = _expanded(written, base or Path())
    try:
        mode = path.stat().st_mode
        readable = os.access(path, os.R_OK)
    except FileNotFoundError:
        return path
    except (OSError, ValueError) as error:
        raise PathError(_reason(path, error)) from error
    if not str(path).startswith(_GIVEN):
        _refuse_special(path, mode)
    if not readable:
        raise PathError(f"{_shown(path)} may not be read by this user: give the right to read it, or name another.")
    return path


def check_is_stored(path: Path) -> None:
    """Raise a PathError where something is there that is no file or folder, also where a shell opens it.

    Weights are read at several places of a file, and more than once, which a pipe cannot give.
    """
    try:
        _refuse_special(path, path.stat().st_mode)
    except OSError:  # it is not there, or closed: opening it says so
        return


def _refuse_special(path: Path, mode: int) -> None:
    special = _SPECIAL.get(stat.S_IFMT(mode))
    if special is not None:
        raise PathError(f"{_shown(path)} is {special}, not a file: name a file or a folder.")


def expanded_path(written: str | Path) -> Path:
    """Return a path with its home folder, and as it is written where that is not known; nothing is looked at."""
    try:
        return Path(written).expanduser()
    except RuntimeError:
        return Path(written)


def is_there(written: str | Path) -> bool:
    """Return whether there is such a file or folder; also for what no path could be."""
    try:
        return local_path(written).exists()
    except PathError:
        return False


def _expanded(written: str | Path, base: Path) -> Path:
    try:
        return base / Path(written).expanduser()
    except RuntimeError as error:  # the home of an unknown user; or a name that begins so
        if os.path.lexists(base / written):
            return base / written
        user = Path(written).parts[0]
        raise PathError(
            f"{_shown(written)} cannot be found: the home folder {user} is not known. Write the whole path."
        ) from error


def _reason(path: Path, error: OSError | ValueError) -> str:
    """Return why a path cannot be looked at, and what to do."""
    shown, number = _shown(path), error.errno if isinstance(error, OSError) else None
    if number == errno.ENAMETOOLONG:
        longest = max(map(_bytes, path.parts))
        most = f"{longest} bytes, of 255 at most"
        return f"{shown} is too long for a file's name ({most}): check what is meant, or shorten it."
    if number == errno.ENOTDIR:
        file = next((parent for parent in path.parents if parent.is_file()), path.parent)
        return f"{shown} cannot be there: {_shown(file)} is a file, not a folder. Name that, or correct the path."
    if number == errno.ELOOP:
        return f"{shown} cannot be opened: it is a link that leads back to itself. Name the file that is meant."
    if number in (errno.EACCES, errno.EPERM):
        closed = next((each for each in reversed(path.parents) if not os.access(each, os.X_OK)), path.parent)
        return f"{shown} cannot be reached: this user may not enter the folder {_shown(closed)}. Give the right to it."
    if number is None:
        return f"{shown} cannot be read: it has a character that no path can have, such as NUL. Write it anew."
    return f"{shown} cannot be read: {error.strerror if isinstance(error, OSError) else error}."


def _bytes(part: str) -> int:
    return len(os.fsencode(part))


def _shown(path: str | Path) -> str:
    """Return a path on one line, and of a long one the beginning and the end."""
    text = "".join(each if each.isprintable() else f"\\x{ord(each):02x}" for each in str(path))
    return text if len(text) <= 2 * _SHOWN else f"{text[:_SHOWN]}…{text[-_SHOWN:]}"
