"""The tagger's two files, from a local folder or a repository on the Hugging Face hub."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from pastelbot.errors import CheckpointError, TaggerError, install_command
from pastelbot.formats import hub

_MODEL = "model.onnx"
_LABELS = "selected_tags.csv"


@dataclass(frozen=True, kw_only=True)
class TaggerOptions:
    """What the tagger loads; the fields mean the same as the configuration's keys. `path` wins over `repo`."""

    repo: str
    path: Path | None = None
    revision: str | None = None
    offline: bool = False
    cache_dir: Path | None = None
    general_threshold: float = 0.35
    character_threshold: float = 0.85
    threads: int = 0


def check_installed() -> None:
    """Raise TaggerError where ONNX Runtime is not installed; nothing is imported."""
    if find_spec("onnxruntime") is None:
        raise TaggerError(
            f"The tagger needs ONNX Runtime, which is not installed: `{install_command('tagger')}`, "
            "or set `enabled = false` under [tagger]."
        )


def locate(options: TaggerOptions, on_progress: Callable[[str], None] | None = None) -> tuple[Path, Path]:
    """Return the model and its list of tags, downloaded if necessary; raises TaggerError."""
    if options.path is None:
        try:
            model, labels = hub.locate_files(
                options.repo,
                (_MODEL, _LABELS),
                revision=options.revision,
                offline=options.offline,
                cache_dir=options.cache_dir,
                on_progress=on_progress,
            )
        except CheckpointError as error:
            raise TaggerError(f"The tagger cannot be found: {error}") from error
        return model, labels
    model, labels = options.path / _MODEL, options.path / _LABELS
    for file in (model, labels):
        if not file.is_file():
            raise TaggerError(f"tagger.path {options.path} has no {file.name}: it must hold {_MODEL} and {_LABELS}.")
    return model, labels
