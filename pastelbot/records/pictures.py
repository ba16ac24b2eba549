"""Finished pictures, and what the tagger says of one."""

from dataclasses import dataclass

RATINGS = ("general", "sensitive", "questionable", "explicit")  # of a picture, the mildest first
RATING_FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class Picture:
    """One finished picture: PNG bytes that carry `infotext` in their `parameters` chunk.

    `rating` is one of RATINGS, RATING_FAILED where the tagger could not say, or None where it was not rated. `cells`
    are the PNGs of a contact sheet: they are rated instead of it, and not kept.
    """

    png: bytes
    seed: int
    width: int
    height: int
    infotext: str
    rating: str | None = None
    cells: tuple[bytes, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ScoredTag:
    """A tag as danbooru writes it, and the tagger's confidence: 0 to 1."""

    name: str
    score: float


@dataclass(frozen=True, kw_only=True)
class Description:
    """The tagger's description of a picture: one of RATINGS, and tags and characters, most confident first."""

    rating: str
    rating_score: float
    tags: tuple[ScoredTag, ...] = ()
    characters: tuple[ScoredTag, ...] = ()
