"""Checkpoint references: a local folder or file, or one on the Hugging Face hub."""

import re
from collections.abc import Callable, Sequence
from fnmatch import fnmatch
from pathlib import Path

from pastelbot.errors import CheckpointError, PathError
from pastelbot.formats.hub_download import HubDownload, HubUnreachableError, Listener, explanation, no_bar
from pastelbot.paths import local_path

Notify = Callable[[str], None]

_HUB_NAME = re.compile(r"(?P<repo>[\w.-]+/[\w.-]+)(?:[:/](?P<file>[\w./ -]+\.(?:safetensors|ckpt|pt|bin)))?")
_FILES = (".safetensors", ".ckpt", ".pt", ".pth", ".bin", ".onnx")
_WEIGHTS = {
    "text_encoder": "model",
    "unet": "diffusion_pytorch_model",
    "vae": "diffusion_pytorch_model",
}
_FOLDER_FILES = ("model_index.json", "scheduler/*.json", "tokenizer/*", *(f"{part}/config.json" for part in _WEIGHTS))
# What the weights of a part may be called, the best first; only what is not there is looked for under the next name.
# Large ones are in several files, with an index.
_WEIGHTS_ENDINGS = (
    (".safetensors",),
    ("-?????-of-?????.safetensors", ".safetensors.index.json"),
    (".fp16.safetensors",),
    (".fp16-?????-of-?????.safetensors", ".safetensors.index.fp16.json"),
    (".bin",),
    ("-?????-of-?????.bin", ".bin.index.json"),
    (".fp16.bin",),
    (".*.safetensors", ".safetensors.index.*.json"),
    (".*.bin", ".bin.index.*.json"),
)
_TOKENIZER_REPO = "openai/clip-vit-large-patch14"
_TOKENIZER_FILES = ("vocab.json", "merges.txt")


def locate(
    reference: str,
    *,
    key: str = "checkpoint.path",
    revision: str | None = None,
    offline: bool = False,
    cache_dir: Path | None = None,
    on_progress: Notify | None = None,
    listener: Listener | None = None,
) -> Path:
    """Return the folder or file that a reference means, downloading it first where it is on the hub.

    A reference is a path, `owner/name` (a diffusers folder) or `owner/name/file.safetensors`; `key` is where it is set.
    `on_progress` receives the progress of a download in words, `listener` in bytes.
    """
    path = reference_path(reference)
    if path.exists():
        return path
    named = _hub_name(reference)
    if named is None:
        raise CheckpointError(f"{reference!r} is not a file or folder here. Check {key}.")
    download = _Download(revision, cache_dir, on_progress or (lambda _text: None), listener, offline=offline)
    return download.file(named["repo"], named["file"]) if named["file"] else download.folder(named["repo"])


def reference_path(reference: str) -> Path:
    """Return where a reference would be on this machine; raises CheckpointError where nothing can be there."""
    try:
        return local_path(reference)
    except PathError as error:
        raise CheckpointError(str(error)) from error


def split_hub_name(reference: str) -> tuple[str, str | None]:
    """Return the repository and the file of a hub name; raises CheckpointError for what is none."""
    named = _hub_name(reference)
    if named is None:
        raise CheckpointError(
            f"{reference!r} is not a name on the hub: it must be like andite/pastel-mix, or with a file behind it."
        )
    return named["repo"], named["file"]


def folder_files(names: Sequence[str]) -> list[str]:
    """Return what is needed of a repository with a diffusers folder: the best weights of each part, and the rest."""
    wanted = [name for name in names if any(fnmatch(name, pattern) for pattern in _FOLDER_FILES)]
    for part, stem in _WEIGHTS.items():
        # Text encoders are `model` or, pickled, `pytorch_model`.
        choices = (
            [name for name in names if any(fnmatch(name, f"{part}/*{stem}{end}") for end in ends)]
            for ends in _WEIGHTS_ENDINGS
        )
        wanted += next(filter(None, choices), [])
    return wanted


def is_hub_name(reference: str) -> bool:
    """Return whether a reference can be the name of a repository, or of a file in one, on the hub."""
    return _hub_name(reference) is not None


def _hub_name(reference: str) -> re.Match[str] | None:
    """Return the parts of a name on the hub; None where it is none, or leads out of its repository."""
    if reference.startswith((".", "/", "~")) or {".", ".."} & set(re.split("[:/]", reference)):
        return None
    named = _HUB_NAME.fullmatch(reference)
    # Repositories are not called like files: such a name is a file that is not there, and no request to the hub.
    return None if named is not None and not named["file"] and named["repo"].endswith(_FILES) else named


def locate_tokenizer(bundled: Path, *, offline: bool = False, cache_dir: Path | None = None) -> Path:
    """Return a folder with CLIP's vocabulary for checkpoints that bring none: the bundled one, or the hub's."""
    if all((bundled / name).is_file() for name in _TOKENIZER_FILES):
        return bundled
    download = _Download(None, cache_dir, lambda _text: None, offline=offline)
    folders = {download.file(_TOKENIZER_REPO, name).parent for name in _TOKENIZER_FILES}
    return folders.pop()


def locate_files(
    repo: str,
    names: Sequence[str],
    *,
    revision: str | None = None,
    offline: bool = False,
    cache_dir: Path | None = None,
    on_progress: Notify | None = None,
) -> list[Path]:
    """Return files of one repository on the hub, downloading what is not in the cache."""
    download = _Download(revision, cache_dir, on_progress or (lambda _text: None), offline=offline)
    return [download.file(repo, name) for name in names]


class _Download:
    """One download's settings."""

    def __init__(
        self,
        revision: str | None,
        cache_dir: Path | None,
        notify: Notify,
        listener: Listener | None = None,
        *,
        offline: bool,
    ) -> None:
        self._revision = revision
        self._offline = offline
        self._unreachable: HubUnreachableError | None = None
        self._cache_dir = cache_dir
        self._notify = notify
        self._fetcher = HubDownload(revision=revision, cache_dir=cache_dir, listener=listener or self._say)

    def file(self, repo: str, name: str) -> Path:
        """Return one file of a repository."""
        from huggingface_hub import hf_hub_download

        self._announce(f"{repo}/{name}")
        self._fetch(repo, [name])
        try:
            return Path(
                hf_hub_download(
                    repo, name, revision=self._revision, local_files_only=self._only_cached, cache_dir=self._cache_dir
                )
            )
        except Exception as error:  # the client raises its own and its transport's errors
            raise self._failure(f"{repo}/{name}", error) from error

    def folder(self, repo: str) -> Path:
        """Return a diffusers folder with the best weights that there are of each part."""
        from huggingface_hub import snapshot_download

        self._announce(repo)
        patterns = self._fetch(repo, None)
        try:
            return Path(
                snapshot_download(
                    repo,
                    revision=self._revision,
                    local_files_only=self._only_cached,
                    cache_dir=self._cache_dir,
                    allow_patterns=list(patterns),
                    tqdm_class=no_bar(),
                )
            )
        except Exception as error:
            raise self._failure(repo, error) from error

    @property
    def _only_cached(self) -> bool:
        """Return whether the client may not ask the hub: where that does not answer it tries for half a minute."""
        return self._offline or self._unreachable is not None

    def _fetch(self, repo: str, names: Sequence[str] | None) -> Sequence[str]:
        """Fetch files, None: a diffusers folder's, into the cache; cached ones will do where the hub is offline."""
        if self._offline:
            return _FOLDER_FILES if names is None else names
        try:
            wanted = folder_files(self._fetcher.names(repo)) if names is None else names
            self._fetcher.into_cache(repo, wanted)
        except HubUnreachableError as error:
            self._unreachable = error
            return _FOLDER_FILES if names is None else names
        return wanted

    def _say(self, name: str, done: int, total: int) -> None:
        self._notify(f"Downloading {name}: {done / 1e6:,.0f} of {total / 1e6:,.0f} MB")

    def _announce(self, what: str) -> None:
        self._notify(f"Looking for {what} in the cache" if self._offline else f"Downloading {what} (only once)")

    def _failure(self, what: str, error: Exception) -> CheckpointError:
        if self._offline:
            lines = str(error).strip().splitlines()
            reason = lines[0] if lines else type(error).__name__
            return CheckpointError(f"{what} is not in the download cache, and checkpoint.offline is set. ({reason})")
        return self._unreachable or explanation(error, what, self._revision)
