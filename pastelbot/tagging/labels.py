"""Labels of a tagger's outputs: its `selected_tags.csv`, one row per output in order."""

import csv
from dataclasses import dataclass
from pathlib import Path

from pastelbot.errors import TaggerError
from pastelbot.records import RATINGS

_COLUMNS = {"name", "category"}
_GENERAL, _CHARACTER, _RATING = "0", "4", "9"


@dataclass(frozen=True, kw_only=True)
class Labels:
    """The names of all outputs, and which of them are ratings, tags and characters."""

    names: tuple[str, ...]
    ratings: tuple[int, ...]
    general: tuple[int, ...]
    characters: tuple[int, ...]


def read_labels(path: Path) -> Labels:
    """Read the file; raises TaggerError where it is not the list of a WD14 tagger."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            missing = _COLUMNS - set(reader.fieldnames or ())
            rows = [] if missing else [(row["name"], row["category"]) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise TaggerError(f"The tagger's list {path} cannot be read: {error}.") from error
    if missing:
        raise TaggerError(
            f"The tagger's list {path} has no column {', '.join(sorted(missing))}: "
            "it must be the selected_tags.csv of a WD14 tagger."
        )
    labels = Labels(
        names=tuple(name for name, _category in rows),
        ratings=_of(rows, _RATING),
        general=_of(rows, _GENERAL),
        characters=_of(rows, _CHARACTER),
    )
    found = {labels.names[index] for index in labels.ratings}
    if found != set(RATINGS) or len(labels.ratings) != len(RATINGS):
        raise TaggerError(
            f"The tagger's list {path} must have the ratings {', '.join(RATINGS)} (category 9), each once; "
            f"it has {', '.join(sorted(found)) or 'none'}."
        )
    return labels


def _of(rows: list[tuple[str, str]], category: str) -> tuple[int, ...]:
    return tuple(index for index, (_name, its) in enumerate(rows) if its == category)
