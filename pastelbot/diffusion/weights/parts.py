"""Weights files of the parts of a diffusers folder: one file, or several with an index that says what is where."""

from pathlib import Path

from pastelbot.errors import CheckpointError
from pastelbot.formats.texts.json_files import read_json

_SUFFIXES = (".safetensors", ".bin")
_VARIANTS = ("", ".fp16")


def weights_files(folder: Path, *stems: str) -> tuple[Path, ...]:
    """Return the weights files in a part of a diffusers folder, safetensors and full precision preferred.

    Raises a CheckpointError that names what is missing.
    """
    names = [
        (f"{stem}{variant}{suffix}", f"{stem}{suffix}.index{variant}.json")
        for suffix in _SUFFIXES
        for variant in _VARIANTS
        for stem in stems
    ]
    for name, index in names:
        if (folder / name).is_file():
            return (folder / name,)
        if (folder / index).is_file():
            return _shards(folder / index)
    listed = ", ".join(name for name, _index in names)
    raise CheckpointError(f"{folder} has no weights: none of {listed} is there.")


def _shards(index: Path) -> tuple[Path, ...]:
    """Return the files that an index lists; raises CheckpointError where one is missing or lies elsewhere."""
    try:
        places = read_json(index)["weight_map"]
        names = sorted({str(name) for name in places.values()})
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise CheckpointError(
            f"{index} is damaged: it does not say where the weights are. Download it again."
        ) from error
    if not names or any(Path(name).name != name for name in names):
        raise CheckpointError(f"{index} is damaged: it lists no files beside it. Download it again.")
    missing = [name for name in names if not (index.parent / name).is_file()]
    if missing:
        raise CheckpointError(
            f"{index.parent} lacks {', '.join(missing[:3])}: {len(missing)} of {len(names)} files that {index.name} "
            "lists. Download them too."
        )
    return tuple(index.parent / name for name in names)
