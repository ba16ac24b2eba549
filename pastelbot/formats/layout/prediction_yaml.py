"""The configuration of the original code, which people put beside a checkpoint's file under its name.

It is searched for what says how the checkpoint predicts: such files name Python's classes, and are often not YAML.
"""

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pastelbot.errors import CheckpointError, PathError
from pastelbot.formats.file_forms import form_of_no_text
from pastelbot.formats.texts.decoding import decoded
from pastelbot.paths import local_path

_SCHEDULES = {"linear": "scaled_linear"}  # the original code calls it linear, and takes the square root
_YAML = re.compile(
    r"""(?:^|[{,])\s*["']?(parameterization|prediction_type|linear_start|linear_end|timesteps|beta_schedule|zero_snr|zsnr|ztsnr|zero_terminal_snr|
    rescale_betas_zero_snr)["']?\s*:\s*(?:[!&][\w!<>.:,/-]*\s+)*["']?([\w.+-]+)["']?\s*(?=$|[,}])""",
    re.MULTILINE | re.VERBOSE | re.IGNORECASE,
)
_GIVEN_BETAS = re.compile(
    r"""(?:^|[{,])\s*["']?given_betas["']?\s*:\s*(\[[^\]]*+\]|(?:\s*+-\s++[\w.+-]++)++|[^\n,}]*+)""", re.MULTILINE
)
_SCALING = re.compile(r"denoiser_scaling\.(\w+)")
_SCALINGS = {"EpsScaling": "eps", "VScaling": "v"}
_NO_BETAS = ("", "null", "~", "none")
_YAML_COMMENT = re.compile(r"(?:^|(?<=\s))#.*")
_YES = ("true", "yes", "on", "1")
_ZERO_NAMES = ("zero_snr", "zsnr", "ztsnr", "zero_terminal_snr", "rescale_betas_zero_snr")
_YAML_SUFFIXES = (".yaml", ".yml")
_MOST_YAML = 2**20


def yaml_beside(path: Path) -> dict[str, Any]:
    """Return what the YAML file beside a checkpoint says, its type of prediction in the words that are there.

    Raises CheckpointError where it cannot be read.
    """
    beside = _yaml_beside(path)
    if beside is None:
        return {}
    try:
        with local_path(beside).open("rb") as file:
            content = file.read(_MOST_YAML)
    except PathError as error:
        raise CheckpointError(str(error)) from error
    except OSError as error:
        raise CheckpointError(f"{beside} cannot be read: {error.strerror}.") from error
    if (form := form_of_no_text(content)) is not None:
        raise CheckpointError(
            f"{beside}, which should say how the checkpoint predicts, is {form}. Without it the checkpoint is one of "
            "Stable Diffusion 1.x's own kind."
        )
    return _of_yaml_text(_decoded(content))


def _yaml_beside(path: Path) -> Path | None:
    """Return the YAML file of a file's name, with its ending or without, the usual spelling of `.yaml` first."""
    try:
        found = [each for each in path.parent.iterdir() if each.suffix.lower() in _YAML_SUFFIXES]
    except OSError:  # the file is gone, which its reader says
        return None
    named = (each for each in found if each.stem in (path.stem, path.name))
    return min(
        named, key=lambda each: (each.suffix.lower() != ".yaml", each.stem != path.stem, each.name), default=None
    )


def _decoded(content: bytes) -> str:
    try:
        return decoded(content)
    except UnicodeDecodeError:
        return content.decode(errors="replace")


def _of_yaml_text(text: str) -> dict[str, Any]:
    bare = "\n".join(_YAML_COMMENT.sub("", line) for line in text.splitlines())
    found = {name.lower(): value for name, value in _YAML.findall(bare)}
    said: dict[str, Any] = _of_scaling(bare)
    if kind := found.get("parameterization") or found.get("prediction_type"):
        said["prediction_type"] = kind
    if "beta_schedule" in found:
        said["beta_schedule"] = _SCHEDULES.get(found["beta_schedule"], found["beta_schedule"])
    numbers: dict[str, tuple[str, Callable[[str], float]]] = {
        "linear_start": ("beta_start", _finite),
        "linear_end": ("beta_end", _finite),
        "timesteps": ("num_train_timesteps", int),
    }
    for name, (key, read) in numbers.items():
        if name in found:
            try:
                said[key] = read(found[name])
            except ValueError as error:
                raise CheckpointError(f"The YAML file of a checkpoint has {name}: {found[name]}, no number.") from error
    said |= _given_betas(bare)
    if any(found.get(name, "").lower() in _YES for name in _ZERO_NAMES):
        said["rescale_betas_zero_snr"] = True
    return said


def _of_scaling(text: str) -> dict[str, Any]:
    """Return what a configuration of Stability's newer code says, which names the class of a scaling."""
    match = _SCALING.search(text)
    return {} if match is None else {"prediction_type": _SCALINGS.get(match[1], match[1])}


def _given_betas(text: str) -> dict[str, Any]:
    """Return the betas that a YAML file lists, which count before its schedule; raises CheckpointError for other."""
    match = _GIVEN_BETAS.search(text)
    value = "" if match is None else match[1].strip().strip("\"'")
    if value.lower() in _NO_BETAS:
        return {}
    try:
        betas = [_finite(each) for each in re.split(r"[,\s]+", value.strip("[] \n").replace("- ", " ")) if each]
    except ValueError:
        betas = []
    if not betas:
        raise CheckpointError(f"The YAML file of a checkpoint has given_betas: {value[:40]}, no list of numbers.")
    return {"trained_betas": betas, "num_train_timesteps": len(betas)}


def _finite(text: str) -> float:
    """Read a number; raises ValueError for NaN and infinity too, which nothing can be compared with."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number
