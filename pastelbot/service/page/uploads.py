"""Pictures that users of the page have chosen to start from, and their masks: kept in memory until they paint."""

import secrets
from collections import OrderedDict
from dataclasses import dataclass

from pastelbot.errors import NotFoundError

_PER_USER = 4
_MOST_BYTES = 256 * 2**20


@dataclass(frozen=True, kw_only=True)
class _Upload:
    user_id: int
    content: bytes


class Uploads:
    """Contents by random tokens, each for its user alone. The oldest go where there are too many."""

    def __init__(self, *, per_user: int = _PER_USER, most_bytes: int = _MOST_BYTES) -> None:
        self._per_user = per_user
        self._most_bytes = most_bytes
        self._kept: OrderedDict[str, _Upload] = OrderedDict()

    def keep(self, user_id: int, content: bytes) -> str:
        """Keep a content and return its token."""
        own = [token for token, upload in self._kept.items() if upload.user_id == user_id]
        for token in own[: max(0, len(own) + 1 - self._per_user)]:
            del self._kept[token]
        token = secrets.token_urlsafe(16)
        self._kept[token] = _Upload(user_id=user_id, content=content)
        while sum(len(upload.content) for upload in self._kept.values()) > self._most_bytes:
            self._kept.popitem(last=False)
        return token

    def get(self, user_id: int, token: str) -> bytes:
        """Return a user's content; raises NotFoundError, for others' too."""
        upload = self._kept.get(token)
        if upload is None or upload.user_id != user_id:
            raise NotFoundError("The picture to start from is no longer here: choose it again.")
        self._kept.move_to_end(token)
        return upload.content

    def forget(self, user_id: int) -> None:
        """Drop what a user has uploaded."""
        for token in [token for token, upload in self._kept.items() if upload.user_id == user_id]:
            del self._kept[token]
