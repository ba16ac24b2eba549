"""Reading pickled checkpoints without running anything that is in them.

Torch's own safe reader takes plain tensors. Old checkpoints also hold what their training program left behind:
callbacks, counters, configurations. Those are read as empty stubs, in a process of its own, because the list of
allowed names holds for the whole process; what comes out of it is a safetensors file. Names that are not on the list
are refused.
"""

import pickle
import pickletools
import sys
import tarfile
import tempfile
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Self

import torch
from torch import Tensor

from pastelbot.diffusion.weights.child_programs import run_module
from pastelbot.errors import CheckpointError

# The beginnings of names that training programs leave in checkpoints; none of them is ever imported or called.
_INERT = (
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
    "pathlib.",
    "datetime.",
)

# Names that torch's safe reader knows or refuses itself.
_READABLE = ("torch.", "collections.OrderedDict", "collections.Counter", "_codecs.encode")
_REMEMBER, _RECALL = ("MEMOIZE", "PUT", "BINPUT", "LONG_BINPUT"), ("GET", "BINGET", "LONG_BINGET")
_PROTOCOL = 2  # of pickles; torch's safe reader knows no other
# PyTorch's first form of a file is as many pickles, and then numbers.
_PICKLES = 5


class _Stub:
    """Stands for any object that is not needed."""

    def __new__(cls, *_args: object, **_kwargs: object) -> Self:
        """Accept any arguments."""
        return super().__new__(cls)

    def __setstate__(self, state: object) -> None:
        """Drop the object's state."""


def read_pickled(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a pickled file; raises a CheckpointError that names what it should not hold."""
    try:
        return weights_in(load_plain(path))
    except Exception:  # noqa: BLE001 - any file may raise anything; the second reader says what is wrong
        return _read_in_child(path)


def load_plain(path: Path, *, mapped: bool = False) -> object:
    """Return what a pickled file holds where that is plain data; raises whatever torch's safe reader does."""
    # The first embeddings hold their vectors in this class, which does nothing when it is read.
    with warnings.catch_warnings(), torch.serialization.safe_globals([torch.nn.ParameterDict]):
        warnings.simplefilter("ignore")  # about forms of pickles, which the user has not chosen
        if mapped and path.suffix != ".safetensors":
            return torch.load(path, map_location="cpu", weights_only=True, mmap=True)
        with path.open("rb") as file:  # given a name that ends so, torch would not look at the content
            return torch.load(file, map_location="cpu", weights_only=True)


# Where the weights are inside a file that holds more: of checkpoints, of upscalers, smoothed ones first, and of others.
_NESTS = ("state_dict", "params_ema", "params-ema", "params", "model", "module")
_DEEPEST = 4  # files that were saved inside others


def weights_in(content: object) -> dict[str, Tensor]:
    """Return the tensors by name of what a pickled file holds, also where they lie in a dictionary of another one."""
    for _ in range(_DEEPEST):
        inner = _nested(content)
        if inner is None:
            break
        content = inner
    items = content.items() if isinstance(content, dict) else ()
    return {str(name): value.detach() for name, value in items if isinstance(value, Tensor)}


def _nested(content: object) -> object | None:
    """Return the dictionary with the weights inside another one: by its name, or as the only one with tensors."""
    if not isinstance(content, dict):
        return None
    tensors = [name for name, value in content.items() if isinstance(value, Tensor)]
    others = [name for name, value in content.items() if _has_tensors(value)]
    names = [*_NESTS, *(content if len(content) == 1 else ()), *(others if len(others) == 1 and not tensors else ())]
    return next((content[name] for name in names if isinstance(content.get(name), dict)), None)


def _has_tensors(value: object) -> bool:
    return isinstance(value, dict) and any(isinstance(each, Tensor) for each in value.values())


def _read_in_child(path: Path) -> dict[str, Tensor]:
    from safetensors.torch import load_file  # for old files alone

    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "converted.safetensors"
        reason = run_module(__name__, str(path), str(target))
        if reason is not None:
            raise CheckpointError(f"{path} cannot be read as plain weights: {reason}. Use a safetensors file of it.")
        return load_file(target)


def convert(path: Path, target: Path) -> None:
    """Write a pickled file's tensors as safetensors. Changes what torch may load in this process: run it in a child."""
    from safetensors.torch import save_file

    _check_form(path)
    names = _foreign(path)
    unknown = [name for name in names if not name.startswith(_INERT)]
    if unknown:
        raise CheckpointError(f"it holds {', '.join(unknown[:5])}, which weights do not need")
    if (protocol := _protocol(path)) > _PROTOCOL:
        raise CheckpointError(f"it is pickled with protocol {protocol}, which PyTorch's safe reader does not know")
    with torch.serialization.safe_globals([(_Stub, name) for name in names]):
        tensors = weights_in(load_plain(path))
    if not tensors:
        raise CheckpointError("it holds no tensors")
    save_file({name: tensor.contiguous().clone() for name, tensor in tensors.items()}, target)


def _check_form(path: Path) -> None:
    with path.open("rb") as file:
        start = file.read(1)
    if not start:
        raise CheckpointError("it is empty")
    if tarfile.is_tarfile(path):
        raise CheckpointError("it is an archive in PyTorch's form of 2017")
    if start != pickle.PROTO and not zipfile.is_zipfile(path):
        raise CheckpointError("it is not a PyTorch file, or only a part of one")


def _protocol(path: Path) -> int:
    """Return the number of the first pickle's form, 0 where it does not say it."""
    head = next((file.read(2) for file in _pickled(path)), b"")
    return head[1] if head[:1] == pickle.PROTO and len(head) == 2 else 0


def _pickled(path: Path) -> Iterator[IO[bytes]]:
    """Yield the pickles in an archive, or the file itself, opened."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if name.endswith("data.pkl"):
                    with archive.open(name) as file:
                        yield file
        return
    with path.open("rb") as file:
        yield file


def _foreign(path: Path) -> list[str]:
    """Return what reading a file would import besides what tensors need."""
    try:
        return torch.serialization.get_unsafe_globals_in_checkpoint(path)
    except Exception:  # noqa: BLE001 - torch looks into its newer form of files alone, and not into every pickle
        return sorted({name for name in _imports(path) if not name.startswith(_READABLE)})


def _imports(path: Path) -> Iterator[str]:
    for file in _pickled(path):
        for _ in range(_PICKLES):
            yield from _imports_of_pickle(file)


def _imports_of_pickle(file: IO[bytes]) -> Iterator[str]:
    """Yield what a pickle would import; nothing is run."""
    texts = ["", ""]
    memo: dict[int, str | None] = {}  # what is pushed again by its number; None for what is no text
    last: str | None = None
    try:
        for operation, argument, _place in pickletools.genops(file):
            if operation.name in _REMEMBER:
                memo[len(memo) if argument is None else int(argument)] = last
                continue
            last = None
            if operation.name == "STACK_GLOBAL":
                yield ".".join(texts[-2:])
            elif operation.name in ("GLOBAL", "INST"):
                yield str(argument).replace(" ", ".")
            elif operation.name in _RECALL and argument is not None:
                last = memo.get(int(argument))
            elif isinstance(argument, str):
                last = argument
            texts += [last] if last is not None else []
    except ValueError:  # it ends in the middle, or what follows is no pickle
        return


def main(source: str, target: str) -> None:
    """Convert one file; a failure is one line on standard error."""
    try:
        convert(Path(source), Path(target))
    except Exception as error:  # noqa: BLE001 - the edge of the child process
        lines = str(error).splitlines() or [type(error).__name__]
        sys.exit(lines[0])


if __name__ == "__main__":
    main(*sys.argv[1:])
