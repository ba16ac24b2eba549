"""Passwords: hashed by scrypt, and slowed where one is wrong again and again."""

import base64
import hashlib
import hmac
import math
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable

from pastelbot.errors import LimitError

# Of OWASP's parameters for scrypt those with 64 MiB.
_N, _R, _P = 2**16, 8, 2
_MEMORY = 2 * 128 * _N * _R
_TRIES = 10
_FIRST_PAUSE, _LONGEST_PAUSE = 30.0, 3600.0
_MOST_NAMES = 10_000


def hashed(password: str) -> str:
    """Return what is stored of a password. It takes some 300 ms: call it off the event loop."""
    salt = secrets.token_bytes(16)
    parts = (base64.b64encode(part).decode() for part in (salt, _scrypt(password, salt, _N, _R, _P)))
    return "$".join(("scrypt", str(_N), str(_R), str(_P), *parts))


def matches(password: str, stored: str) -> bool:
    """Return whether a password is the stored one; takes as long as `hashed`."""
    _name, n, r, p, salt, digest = stored.split("$")
    found = _scrypt(password, base64.b64decode(salt), int(n), int(r), int(p))
    return hmac.compare_digest(found, base64.b64decode(digest))


def _scrypt(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=n, r=r, p=p, maxmem=_MEMORY, dklen=32)


class FailedTries:
    """Counts wrong passwords of each name and address: from the tenth on there are pauses, 30 s doubling to an hour.

    `clock` is monotonic, in seconds. Of more than `most` names those used least lately are forgotten.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic, most: int = _MOST_NAMES) -> None:
        self._clock = clock
        self._most = most
        self._failed: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def check(self, *keys: str) -> None:
        """Raise LimitError with the time to wait where one of these has failed too often."""
        for key in keys:
            count, until = self._failed.get(key, (0, 0.0))
            left = until - self._clock()
            if count >= _TRIES and left > 0:
                raise LimitError(f"Too many wrong passwords: try again in {math.ceil(left)} s.")

    def failed(self, *keys: str) -> None:
        """Count a wrong password."""
        for key in keys:
            count = self._failed.pop(key, (0, 0.0))[0] + 1
            pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(20, max(0, count - _TRIES)))
            self._failed[key] = (count, self._clock() + pause)
        while len(self._failed) > self._most:
            self._failed.popitem(last=False)

    def succeeded(self, *keys: str) -> None:
        """Forget the failures of a name: its password was right."""
        for key in keys:
            self._failed.pop(key, None)
