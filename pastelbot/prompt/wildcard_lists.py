"""Lists of texts by name, of which `__name__` in a prompt picks one."""

import re
import unicodedata
from collections.abc import Mapping, Sequence

from pastelbot.choices import nearest_names
from pastelbot.errors import PromptError, in_code

_SIGNS = re.compile(r"[\s_.-]+")


class Wildcards:
    """Lists of texts by name. Case and word separators are ignored: `hair_color` is `HairColor`."""

    def __init__(self, lines: Mapping[str, Sequence[str]], unreadable: Mapping[str, str] | None = None) -> None:
        """Take the lines by name, and why files that should have lists of other names cannot be read."""
        self._unreadable = {_plain_name(name): reason for name, reason in (unreadable or {}).items()}
        self._lines = {_plain_name(name): tuple(options) for name, options in lines.items()}
        self.names = tuple(sorted(lines))

    def __contains__(self, name: str) -> bool:
        """Return whether there is a wildcard of that name."""
        return _plain_name(name) in self._lines

    def lines(self, name: str, position: int) -> Sequence[str]:
        """Return the lines of a wildcard; raises PromptError with the nearest names where there is none."""
        found = self._lines.get(_plain_name(name))
        if found:
            return found
        where = f"`__{in_code(name[:60])}__` (at character {position + 1})"
        if (reason := self._reason(_plain_name(name))) is not None:
            raise PromptError(f"The wildcard {where} cannot be read: {reason}.", position=position)
        if found is not None:
            raise PromptError(f"The wildcard {where} is empty: its file has no lines.", position=position)
        if not self.names:
            raise PromptError(f"There is no wildcard {where}: this bot has none.", position=position)
        near = nearest_names(name[:60], self.names, "`__{}__`".format)
        raise PromptError(
            f"There is no wildcard {where}. {near if len(near) < 300 else f'There are {len(self.names)} others.'}",
            position=position,
        )

    def _reason(self, name: str) -> str | None:
        """Return why the file that should have a list, or one above it, cannot be read."""
        parts = name.split("/")
        names = ("/".join(parts[:count]) for count in range(len(parts), 0, -1))
        return next((self._unreadable[each] for each in names if each in self._unreadable), None)


def _plain_name(name: str) -> str:
    """Return a wildcard's name in the form used for comparison."""
    return _SIGNS.sub("", unicodedata.normalize("NFKC", name).casefold().replace("\\", "/"))
