"""The folder of an export: complete under its name, or not there at all."""

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pastelbot import __version__
from pastelbot.diffusion.weights.files import Weights
from pastelbot.diffusion.weights.ldm import Config
from pastelbot.errors import WorkshopError
from pastelbot.formats.exported import MANIFEST, VERSION
from pastelbot.formats.hashes import sha256_of
from pastelbot.workshop.convert import SCHEDULER
from pastelbot.workshop.writing import check_space

_TOKENIZER_FILES = ("vocab.json", "merges.txt", "tokenizer.json", "special_tokens_map.json", "tokenizer_config.json")


@contextmanager
def new_folder(out: Path, size: int) -> Iterator[Path]:
    """Give a folder for about so many bytes that takes the final name when the block ends well.

    Raises WorkshopError where the name is taken, or there is no room or right to write.
    """
    check_new_folder(out)
    check_space(out, size)
    try:
        with tempfile.TemporaryDirectory(dir=out.resolve().parent, prefix=f".{out.name}.") as temporary:
            whole = Path(temporary) / "whole"
            whole.mkdir()
            yield whole
            whole.replace(out)
    except OSError as error:
        raise WorkshopError(f"{out} cannot be written: {error.strerror or error}.") from error


def check_new_folder(out: Path) -> None:
    """Raise a WorkshopError where a new folder cannot have this name."""
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise WorkshopError(f"The output {out} exists already and is not an empty folder. Choose another name.")
    if not out.resolve().parent.is_dir():
        raise WorkshopError(f"The output's folder {out.resolve().parent} does not exist.")


def write_surroundings(folder: Path, weights: Weights, tokenizer: Path) -> None:
    """Write what an exported checkpoint has beside its networks: noise schedule and vocabulary."""
    kind = {"prediction_type": weights.prediction_type}
    write_json(folder / "scheduler" / "scheduler_config.json", {**SCHEDULER, **weights.scheduler, **kind})
    (folder / "tokenizer").mkdir()
    for name in _TOKENIZER_FILES:
        if (tokenizer / name).is_file():
            shutil.copyfile(tokenizer / name, folder / "tokenizer" / name)


def write_manifest(folder: Path, kind: str, weights: Weights, precision: str, **more: object) -> None:
    """Write what the folder is, where it comes from, and the sha256 of each of its files; this comes last."""
    files = {
        path.relative_to(folder).as_posix(): sha256_of(path) for path in sorted(folder.rglob("*")) if path.is_file()
    }
    content = {
        "format": kind,
        "version": VERSION,
        "pastelbot": __version__,
        "name": weights.name,
        "hash": weights.hash.result(),
        "precision": precision,
        **more,
        "files": files,
    }
    write_json(folder / MANIFEST, content)


def write_json(path: Path, content: Mapping[str, object] | Config) -> None:
    """Write a JSON file, its folder included."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
