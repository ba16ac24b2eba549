"""Check of a checkpoint before it is loaded: without torch, in milliseconds.

The bot process uses it at its start, so that a wrong path or a file of another kind is reported at once. Whatever needs
the weights themselves is found by `checkpoint.loading` in the worker.
"""

from pathlib import Path

from pastelbot.errors import CheckpointError
from pastelbot.formats.exported import check_export, read_manifest
from pastelbot.formats.file_forms import is_safetensors
from pastelbot.formats.hub import is_hub_name
from pastelbot.formats.identify import SD1, identify
from pastelbot.formats.safetensors_header import read_header


def check_reference(reference: str) -> None:
    """Raise the CheckpointError that loading this reference would end in, as far as it can be seen from outside."""
    path = Path(reference).expanduser()
    if path.is_dir():
        if (manifest := read_manifest(path)) is not None:
            check_export(path, manifest)
        elif not (path / "model_index.json").is_file():
            raise CheckpointError(f"The folder {path} is not a diffusers checkpoint: it has no model_index.json.")
    elif path.is_file():
        _check_file(path)
    elif not is_hub_name(reference):
        raise CheckpointError(
            f"The checkpoint {reference!r} is not a file or folder here: set checkpoint.path to one, to a hub name "
            'such as andite/pastel-mix, or to "bundled".'
        )


def _check_file(path: Path) -> None:
    if not is_safetensors(path):
        return
    kind = identify(read_header(path).shapes)
    if kind != SD1:
        raise CheckpointError(f"{path} is {kind or 'an unknown kind of file'}, not {SD1}.")
