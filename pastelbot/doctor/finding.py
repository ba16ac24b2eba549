"""Findings: what a check saw, and what to do about it."""

import enum
from collections.abc import Iterable
from dataclasses import dataclass


class Level(enum.IntEnum):
    """How bad it is; the worst one is the exit code."""

    OK = 0
    WARN = 1
    FAIL = 2


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One line of the report: `what` was looked at, and a sentence with the cure where there is one."""

    level: Level
    what: str
    text: str

    def __str__(self) -> str:
        """Return the line."""
        return f"{self.level.name.lower():<5} {self.what}: {self.text}"


def worst(findings: Iterable[Finding]) -> Level:
    """Return the worst level; OK where there is none."""
    return max((finding.level for finding in findings), default=Level.OK)
