"""Weights files of the parts of a diffusers folder: one file, or several with an index that says what is where."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pastelbot.errors import CheckpointError
from pastelbot.formats.layout.checking import NO_VAE
from pastelbot.formats.texts.json_files import read_json

UNET, TEXT_ENCODER, VAE = "unet", "text_encoder", "vae"
# What the weights files of a diffusers folder's parts are called.
PARTS = {
    UNET: ("diffusion_pytorch_model",),
    VAE: ("diffusion_pytorch_model",),
    TEXT_ENCODER: ("model", "pytorch_model"),
}
# A file, one of several, and the index of several; a variant stands before the ending, or behind the index.
_FILE = re.compile(
    r"(?P<stem>\w+?)(?:\.(?P<variant>[\w-]+?))??(?:-\d{5}-of-(?P<count>\d{5}))?\.(?P<ending>safetensors|bin)"
    r"(?:\.index(?:\.(?P<other>[\w-]+))?\.json)?",
    re.IGNORECASE,
)
_USUAL_VARIANTS = ("", "fp16")
_LAST_VARIANT = "non_ema"  # the weights as they were trained, where smoothed ones are beside them
_MOST_SHOWN = 3
_INDEX, _NUMBERED = 1, 2


class _Choice(NamedTuple):
    """Files that one set of weights may be read from, in the order of preference."""

    is_unusual: bool
    is_pickled: bool
    variant: tuple[bool, str]
    stem: int
    form: int  # one file, an index, several files without one
    name: str


def weights_files(folder: Path, *stems: str) -> tuple[Path, ...]:
    """Return the weights files in a part of a diffusers folder, safetensors and full precision preferred.

    Raises a CheckpointError that names what is missing.
    """
    found = _found(folder, stems)
    if found is None:
        raise CheckpointError(_nothing_found(folder, stems))
    return found


def has_vae(folder: Path) -> bool:
    """Return whether a diffusers folder has weights of a VAE, whole or not."""
    return any(_choices(folder / VAE, PARTS[VAE]))


def check_parts(folder: Path, *, needs_vae: bool = True) -> None:
    """Raise a CheckpointError that names the part of a diffusers folder that has no weights."""
    for part in (UNET, TEXT_ENCODER):
        weights_files(folder / part, *PARTS[part])
    if needs_vae and not has_vae(folder):
        raise CheckpointError(f"{folder} is incomplete. {NO_VAE}")


def no_folder_of_diffusers(folder: Path) -> str:
    """Return the sentence for a folder that is no checkpoint, with what lies in it or around it."""
    what = f"The folder {folder} is not a diffusers checkpoint: it has no model_index.json."
    inside = sorted(path.parent for depth in ("*", "*/*") for path in folder.glob(f"{depth}/model_index.json"))
    files = sorted(path.name for path in folder.iterdir() if path.suffix.lower() in (".safetensors", ".ckpt"))
    if inside:
        return f"{what} Name the folder {inside[0]} in it."
    if (folder.parent / "model_index.json").is_file():
        return f"{what} It is a part of {folder.parent}: name that."
    if any(_choices(folder, PARTS[UNET])):
        return f"{what} It is one part of a checkpoint, such as a UNet or a VAE alone: name a whole one."
    if files:
        return f"{what} Name a file in it, such as {files[0]}."
    if (folder / UNET).is_dir():
        return f"{what} Download the files beside its folders too."
    return what if any(folder.iterdir()) else f"{what} It is empty."


def _found(folder: Path, stems: tuple[str, ...]) -> tuple[Path, ...] | None:
    for choice in sorted(_choices(folder, stems)):
        path = folder / choice.name
        if choice.name.lower().endswith(".json"):
            return _shards(path)
        return _without_index(path) if choice.form == _NUMBERED else (path,)
    return None


def _choices(folder: Path, stems: tuple[str, ...]) -> Iterator[_Choice]:
    """Yield what the weights can be read from; of several files without an index the first."""
    for path in folder.iterdir() if folder.is_dir() else ():
        match = _FILE.fullmatch(path.name)
        if match is None or match["stem"] not in stems or not path.is_file():
            continue
        is_index = path.suffix.lower() == ".json"
        if match["count"] and (is_index or not path.stem.endswith(f"-00001-of-{match['count']}")):
            continue
        variant = (match["variant"] or match["other"] or "").lower()
        yield _Choice(
            is_unusual=variant not in _USUAL_VARIANTS,
            is_pickled=match["ending"].lower() == "bin",
            variant=(variant == _LAST_VARIANT, variant),
            stem=stems.index(match["stem"]),
            form=_INDEX if is_index else _NUMBERED if match["count"] else 0,
            name=path.name,
        )


def _nothing_found(folder: Path, stems: tuple[str, ...]) -> str:
    """Return the sentence for a part without weights, with what else is there."""
    if not folder.is_dir():
        return (
            f"{folder.parent} is not a whole diffusers checkpoint: it has no folder {folder.name}. Download its other "
            "folders too."
        )
    variants = [f"{variant}{suffix}" for suffix in (".safetensors", ".bin") for variant in ("", ".fp16")]
    listed = ", ".join(f"{stem}{variant}" for variant in variants for stem in stems)
    others = sorted(path.name for path in folder.iterdir() if path.is_file() and path.suffix != ".json")
    shown = f" It has {', '.join(others[:_MOST_SHOWN])} instead." if others else ""
    return f"{folder} has no weights: none of {listed} is there.{shown}"


def _without_index(first: Path) -> tuple[Path, ...]:
    """Return several files whose index is missing, by their numbers; raises CheckpointError where one is missing."""
    stem, count = first.stem[: -len("-00001-of-00001")], int(first.stem[-5:])
    names = [f"{stem}-{number:05}-of-{count:05}{first.suffix}" for number in range(1, min(count, 1000) + 1)]
    _check_all(first.parent, names, "its name")
    return tuple(first.parent / name for name in names)


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
    _check_all(index.parent, names, index.name)
    return tuple(index.parent / name for name in names)


def _check_all(folder: Path, names: list[str], listing: str) -> None:
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise CheckpointError(
            f"{folder} lacks {', '.join(missing[:_MOST_SHOWN])}: {len(missing)} of {len(names)} files that {listing} "
            "names. Download them too."
        )
