"""Fair shares of the engine: which jobs advance in its next turn. The others are paused in memory.

A user who is alone has all that they have advance together. As soon as there are several, each has the same share of
the work, whatever the size and number of their jobs: deficit round robin (Shreedhar & Varghese 1995) over users. All
users are credited alike, and a user's jobs advance when the credit covers what their next turn takes. So a small job
beside four large ones of another user waits for at most as much of their work as it has itself.

Users hold one slot each; further slots belong to the jobs that came first. A user's other jobs are paused: nothing
happens to their latents or to the state of their samplers, so they go on exactly where they were.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

_QUADRATIC_FROM = 1_400_000  # pixels at which attention, quadratic in them, takes as long as all the rest of SD 1.x
_DECODING_ROWS = 4  # SD 1.x: decoding takes about as much as four rows of the UNet (2.5 and 0.68 TFLOPs at 512x512)


class _Owned(Protocol):
    """What belongs to a user."""

    @property
    def owner(self) -> int:
        """Return the user."""


_T = TypeVar("_T", bound=_Owned)


@dataclass(frozen=True, kw_only=True)
class NextTurn:
    """What a job in the engine would do in its next turn, and the effort that this takes."""

    job_id: str
    owner: int
    effort: int
    decodes: bool = False


def denoising_effort(pixels: int, rows: int) -> int:
    """Return the effort of so many rows of a UNet call for a picture of so many pixels."""
    return rows * (pixels + pixels * pixels // _QUADRATIC_FROM)


def decoding_effort(pixels: int) -> int:
    """Return the effort of decoding a picture of so many pixels."""
    return _DECODING_ROWS * pixels


def _by_owner(items: Iterable[_T]) -> dict[int, list[_T]]:
    """Return the items of each owner, in their order."""
    found: defaultdict[int, list[_T]] = defaultdict(list)
    for item in items:
        found[item.owner].append(item)
    return dict(found)


def in_slots(items: Sequence[_T], slots: int) -> dict[int, list[_T]]:
    """Return by owner the items, first come first, that hold a slot; a sole owner's all do.

    Each owner has one slot, also where there are fewer of them.
    """
    owned = _by_owner(items)
    if len(owned) < 2:
        return owned
    holding = {owner: [mine[0]] for owner, mine in owned.items()}
    others = [item for item in items if item is not holding[item.owner][0]]
    for item in others[: max(0, slots - len(holding))]:
        holding[item.owner].append(item)
    return holding


class FairShares:
    """Chooses who advances, turn by turn; remembers each owner's credit, in effort."""

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._credit: dict[int, int] = {}

    def choose(self, jobs: Sequence[NextTurn]) -> set[str]:
        """Return the jobs that advance now, of those in the engine in the order of their admission.

        Of several owners that would decode a picture, one does: a turn is to be short.
        """
        holding = in_slots(jobs, self._slots)
        if len(holding) < 2:
            self._credit.clear()
            return {job.job_id for job in jobs}
        efforts = {owner: sum(job.effort for job in mine) for owner, mine in holding.items()}
        self._credit_all(efforts)
        chosen: set[str] = set()
        decoding = False
        for owner, mine in holding.items():
            decodes = any(job.decodes for job in mine)
            if self._credit[owner] < efforts[owner] or (decodes and decoding):
                continue
            decoding = decoding or decodes
            self._credit[owner] -= efforts[owner]
            chosen.update(job.job_id for job in mine)
        return chosen

    def _credit_all(self, efforts: dict[int, int]) -> None:
        """Credit all owners alike, with just so much that one of them can advance; forget those who have left."""
        credit = {owner: self._credit.get(owner, 0) for owner in efforts}
        missing = max(0, min(effort - credit[owner] for owner, effort in efforts.items()))
        self._credit = {owner: amount + missing for owner, amount in credit.items()}
