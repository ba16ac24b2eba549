"""Check of a checkpoint before it is loaded: without torch, in milliseconds.

The bot process uses it at its start, so that a wrong path or a file of another kind is reported at once. Whatever needs
the weights themselves is found by `checkpoint.loading` in the worker.
"""

from collections.abc import Iterable
from pathlib import Path

from pastelbot.errors import CheckpointError
from pastelbot.formats.exported import check_export, read_manifest
from pastelbot.formats.file_forms import is_safetensors
from pastelbot.formats.hub import is_hub_name, reference_path
from pastelbot.formats.identify import CHECKPOINTS, SD1, identify
from pastelbot.formats.layout.checking import Shapes, checkpoint_faults
from pastelbot.formats.layout.folder_parts import check_parts, no_folder_of_diffusers
from pastelbot.formats.safetensors_header import read_header
from pastelbot.similarity import similar

_FILES = {".safetensors", ".ckpt", ".pt", ".pth", ".bin", ".onnx"}


def check_reference(reference: str, *, has_vae: bool = False) -> None:
    """Raise the CheckpointError that loading this reference would end in, as far as it can be seen from outside.

    `has_vae`: another VAE takes the place of its own, which may be missing then.
    """
    path = reference_path(reference)
    if path.is_dir():
        if (manifest := read_manifest(path)) is not None:
            check_export(path, manifest)
        elif not (path / "model_index.json").is_file():
            raise CheckpointError(no_folder_of_diffusers(path))
        else:
            check_parts(path, needs_vae=not has_vae)
    elif path.exists():
        _check_file(path, needs_vae=not has_vae)
    elif path.is_symlink():
        raise CheckpointError(f"The checkpoint {path} is a link to {path.readlink()}, which is not there.")
    elif is_missing(reference):
        raise CheckpointError(
            f"The checkpoint {reference!r} is not a file or folder here{near(reference)}: set checkpoint.path to one, "
            'to a hub name such as andite/pastel-mix, or to "bundled".'
        )


def is_missing(reference: str) -> bool:
    """Return whether a reference can only be a file or folder here, and there is none.

    The hub has files in repositories too; but what is called like one in a folder that is here is meant to be here.
    """
    path = reference_path(reference)
    if path.exists():
        return False
    return not is_hub_name(reference) or (path.suffix in _FILES and path.parent.is_dir())


def near(reference: str) -> str:
    """Return the files and folders here that a mistyped reference resembles, as part of a sentence; "" without one."""
    path = reference_path(reference)
    folder = path.parent
    if not folder.is_dir():
        beside = _resembling(folder.name, (one for one in _entries(folder.parent) if one.is_dir()))
        return f" (did you mean the folder {beside[0]}?)" if beside else ""
    models = (one for one in _entries(folder) if one.suffix in _FILES or (one / "model_index.json").is_file())
    found = _resembling(path.name, models)
    return f" (did you mean {' or '.join(map(str, found))}?)" if found else ""


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _resembling(name: str, paths: Iterable[Path]) -> list[Path]:
    """Return the paths whose names, without their endings, resemble one, the most similar first."""
    stems = {path.stem: path for path in paths}
    return [stems[stem] for stem in similar(Path(name).stem, stems, most=2)]


def _check_file(path: Path, *, needs_vae: bool) -> None:
    if is_safetensors(path):
        check_shapes(str(path), read_header(path).shapes, needs_vae=needs_vae)


def check_shapes(label: str, shapes: Shapes, *, needs_vae: bool = True) -> None:
    """Raise a CheckpointError that says what else the tensors are, or what of a checkpoint they lack."""
    kind = identify(shapes)
    if kind not in CHECKPOINTS:
        raise CheckpointError(f"{label} is {kind or 'an unknown kind of file'}, not {SD1}.")
    faults = checkpoint_faults(shapes, needs_vae=needs_vae)
    if faults:
        raise CheckpointError(f"{label} is incomplete or damaged. {' '.join(faults)}")
