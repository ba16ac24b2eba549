"""File modes: files of the operator that other users of the machine can read or change."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from pastelbot.config.sections import Settings

_OPEN = stat.S_IRWXG | stat.S_IRWXO
_WRITABLE = stat.S_IWGRP | stat.S_IWOTH


def open_files(settings: Settings) -> Iterator[str]:
    """Yield a sentence for the token's file and for the configuration where others may do with them what they must not.

    The token is for the bot alone. The configuration holds no secret, but names the token's file and the checkpoint.
    """
    for what, path, forbidden in (
        ("token file", settings.discord.token_file, _OPEN),
        ("configuration file", settings.source, _WRITABLE),
    ):
        mode = _mode(path) if path is not None else 0
        if mode & forbidden:
            done = "changed" if mode & _WRITABLE else "read"
            cure = "chmod 600" if forbidden == _OPEN else "chmod go-w"
            yield f"The {what} {path} can be {done} by other users of this machine (mode {mode:04o}): {cure} {path}"


def _mode(path: Path) -> int:
    """Return a file's permission bits; 0 where there are none to speak of."""
    try:
        return stat.S_IMODE(path.stat().st_mode) if os.name == "posix" else 0
    except OSError:
        return 0
