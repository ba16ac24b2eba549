"""Reading pickled checkpoints without running anything that is in them.

Torch's own safe reader takes plain tensors. Old checkpoints also hold what their training program left behind:
callbacks, counters, configurations. Those are read as empty stubs, in a process of its own, because the list of
allowed names holds for the whole process; what comes out of it is a safetensors file. Names that are not on the list
are refused.
"""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import torch
from torch import Tensor

from pastelbot.errors import CheckpointError

# The beginnings of names that training programs leave in checkpoints; none of them is ever imported or called.
INERT = (
    "pytorch_lightning.",
    "lightning.",
    "lightning_fabric.",
    "omegaconf.",
    "numpy.",
    "types.SimpleNamespace",
    "argparse.Namespace",
    "typing.",
    "collections.defaultdict",
    "ldm.",
    "transformers.",
)


class Stub:
    """Stands for any object that is not needed."""

    def __new__(cls, *_args: object, **_kwargs: object) -> Self:
        """Take whatever the object was made from."""
        return super().__new__(cls)

    def __setstate__(self, state: object) -> None:
        """Forget what the object held."""


def read_pickled(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a pickled file; raises a CheckpointError that names what it should not hold."""
    try:
        return _tensors(torch.load(path, map_location="cpu", weights_only=True))
    except Exception:  # noqa: BLE001 - any file may raise anything; the second reader says what is wrong
        return _read_in_child(path)


# Where the weights are inside a file that holds more; the last three in upscalers, the smoothed ones first.
_NESTS = ("state_dict", "params_ema", "params-ema", "params")


def _tensors(content: object) -> dict[str, Tensor]:
    if not isinstance(content, dict):
        return {}
    content = next((content[name] for name in _NESTS if isinstance(content.get(name), dict)), content)
    return {str(name): value for name, value in content.items() if isinstance(value, Tensor)}


def _read_in_child(path: Path) -> dict[str, Tensor]:
    from safetensors.torch import load_file  # noqa: PLC0415 - for old files alone

    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "converted.safetensors"
        command = [sys.executable, "-m", "pastelbot.diffusion.pickles", str(path), str(target)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own program
        if done.returncode != 0:
            lines = done.stderr.strip().splitlines() or ["no reason was given"]
            raise CheckpointError(f"{path} cannot be read as plain weights: {lines[-1]}. Use a safetensors file of it.")
        return load_file(target)


def convert(path: Path, target: Path) -> None:
    """Write a pickled file's tensors as safetensors. Changes what torch may load in this process: run it in a child."""
    from safetensors.torch import save_file  # noqa: PLC0415

    unknown = list(_unknown(path))
    if unknown:
        raise CheckpointError(f"it holds {', '.join(unknown[:5])}, which weights do not need")
    names = torch.serialization.get_unsafe_globals_in_checkpoint(path)
    with torch.serialization.safe_globals([(Stub, name) for name in names]):
        tensors = _tensors(torch.load(path, map_location="cpu", weights_only=True))
    if not tensors:
        raise CheckpointError("it holds no tensors")
    save_file({name: tensor.contiguous().clone() for name, tensor in tensors.items()}, target)


def _unknown(path: Path) -> Iterator[str]:
    for name in torch.serialization.get_unsafe_globals_in_checkpoint(path):
        if not name.startswith(INERT):
            yield name


def main(source: str, target: str) -> None:
    """Convert one file; a failure is one line on standard error."""
    try:
        convert(Path(source), Path(target))
    except Exception as error:  # noqa: BLE001 - the edge of the child process
        lines = str(error).splitlines() or [type(error).__name__]
        sys.exit(lines[0])


if __name__ == "__main__":
    main(*sys.argv[1:])
