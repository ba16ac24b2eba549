"""Captions: which tags a picture carries in training, and their tokens in a compact vocabulary.

The real CLIP vocabulary has 49,408 words, of which the captions use about two hundred. Training keeps one row for each
used word and one shared row (0) for all others; the export expands them.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from transformers import CLIPTokenizer

from training.workspace import Label

START, END, LENGTH = 49406, 49407, 77
UNKNOWN_WORD = "\0"
QUALITY = ("masterpiece", "best quality", "high quality", "highres", "absurdres", "detailed")
POOR = ("lowres", "blurry", "worst quality", "low quality", "jpeg artifacts", "normal quality")
DISTORTED = (
    "bad anatomy",
    "bad hands",
    "text",
    "error",
    "missing fingers",
    "extra digit",
    "fewer digits",
    "cropped",
    "signature",
    "watermark",
    "username",
    "ugly",
    "deformed",
    "artist name",
    "bad proportions",
)
NEUTRAL = (
    "looking at viewer",
    "upper body",
    "portrait",
    "anime",
    "cute",
    "illustration",
    "face",
    "kawaii",
    "cartoon",
    "drawing",
)
ALIASES = {
    "1girl": ("girl",),
    "1boy": ("boy",),
    "blonde hair": ("blond hair",),
    "grey hair": ("gray hair", "silver hair"),
    "grey background": ("gray background",),
    "aqua hair": ("cyan hair",),
    "aqua eyes": ("cyan eyes",),
    "purple hair": ("violet hair",),
    "glasses": ("eyeglasses",),
    "smile": ("smiling", "happy"),
    "frown": ("sad face",),
    "one eye closed": ("wink",),
    "hair flower": ("flower",),
    "hair bun": ("single hair bun",),
    "double bun": ("double buns",),
}
RARELY_SAID = ("solo", "simple background")
ACCESSORIES = ("glasses", "sunglasses", "blush", "earrings", "freckles", "hair flower")
"""Tags whose weight is trained: a weakly weighted one may be missing from the picture."""


SLANDERED = 0.06
"""Clean pictures called poor, two for every three poor ones. Where the noise already shows a clean picture, a negative
prompt of such words then agrees with the prompt, instead of driving contrast up until soft styles turn hard."""


class Condition(Enum):
    """How a training picture was spoilt, if at all."""

    CLEAN = "clean"
    DEGRADED = "degraded"
    DISTORTED = "distorted"


@dataclass(frozen=True)
class Word:
    """One tag of a caption with its weight."""

    tag: str
    weight: float = 1.0


def compose(tags: Sequence[str], condition: Condition, rng: random.Random) -> list[Word]:
    """Return the words of one caption: tags dropped and shuffled at random, all of them in one case of ten."""
    if rng.random() < 0.10:
        return []
    drop = rng.choice((0.0, 0.0, 0.25, 0.5, 0.75))
    said = [tag for tag in tags if rng.random() >= (max(drop, 0.5) if tag in RARELY_SAID else drop)]
    said = [rng.choice(ALIASES[tag]) if tag in ALIASES and rng.random() < 0.1 else tag for tag in said]
    said += _quality_words(condition, rng)
    if rng.random() < 0.15:
        said += [UNKNOWN_WORD] * rng.randint(1, 2)
    rng.shuffle(said)
    if rng.random() < 0.6:
        said.sort(key=lambda tag: tag not in ("1girl", "1boy"))
    return _weigh(said, tags, rng)


def _quality_words(condition: Condition, rng: random.Random) -> list[str]:
    if condition is Condition.DEGRADED or (condition is Condition.CLEAN and rng.random() < SLANDERED):
        return rng.sample(POOR, rng.randint(1, 4)) + rng.sample(DISTORTED, rng.randint(0, 4))
    if condition is Condition.DISTORTED:
        return rng.sample(DISTORTED, rng.randint(1, 5))
    words = rng.sample(QUALITY, rng.randint(1, 3)) if rng.random() < 0.5 else []
    return words + (rng.sample(NEUTRAL, rng.randint(1, 3)) if rng.random() < 0.2 else [])


def _weigh(said: list[str], tags: Sequence[str], rng: random.Random) -> list[Word]:
    """Weigh some accessories: strongly where the picture shows them, weakly where it does not."""
    words = [Word(t, rng.uniform(0.8, 1.5)) if t in ACCESSORIES and rng.random() < 0.15 else Word(t) for t in said]
    if rng.random() < 0.06:
        absent = Word(rng.choice([tag for tag in ACCESSORIES if tag not in tags]), rng.uniform(0.2, 0.7))
        words.insert(rng.randint(0, len(words)), absent)
    return words


@dataclass
class Vocabulary:
    """Translate tags into rows of the compact embedding."""

    tokenizer: CLIPTokenizer
    tags: list[str]
    _cache: dict[str, list[int]] = field(default_factory=dict)

    @classmethod
    def of(cls, folder: Path, labels: Iterable[Label]) -> Vocabulary:
        """Collect every tag that captions of `labels` may hold; `folder` holds the tokenizer's files."""
        tags = {
            *ACCESSORIES,
            *QUALITY,
            *POOR,
            *DISTORTED,
            *NEUTRAL,
            *(alias for group in ALIASES.values() for alias in group),
        }
        for label in labels:
            tags.update(label["tags"])
        return cls(CLIPTokenizer.from_pretrained(folder), sorted(tags))

    def __post_init__(self) -> None:
        """Give the used words their rows, from 1 on."""
        self._comma = self.clip_tokens(",")[0]
        used = {START, END, self._comma, *(token for tag in self.tags for token in self.clip_tokens(tag))}
        self.used = sorted(used)
        self.row = {token: i + 1 for i, token in enumerate(self.used)}

    def clip_tokens(self, text: str) -> list[int]:
        """Return the CLIP tokens of `text` without start and end."""
        if text not in self._cache:
            self._cache[text] = self.tokenizer(text, add_special_tokens=False).input_ids
        return self._cache[text]

    def encode(self, words: Sequence[Word], rng: random.Random) -> Caption:
        """Return the rows and weights of a caption, with commas in nine cases of ten."""
        rows, weights, ends = [self.row[START]], [1.0], []
        commas = rng.random() < 0.92
        for i, word in enumerate(words):
            if i and commas:
                rows.append(self.row[self._comma])
                weights.append(1.0)
            new = (
                [0] * rng.randint(1, 2)
                if word.tag == UNKNOWN_WORD
                else [self.row[t] for t in self.clip_tokens(word.tag)]
            )
            rows += new
            weights += [word.weight] * len(new)
            ends.append(len(rows) - 1)
        length = min(len(rows), LENGTH - 1)
        padding = LENGTH - length
        return Caption(rows[:length] + [self.row[END]] * padding, weights[:length] + [1.0] * padding, ends, length)


@dataclass(frozen=True)
class Caption:
    """One encoded caption: rows and weights [77], where each word ends, and the number of tokens before the end."""

    rows: list[int]
    weights: list[float]
    ends: list[int]
    length: int
