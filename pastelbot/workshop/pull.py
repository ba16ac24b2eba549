"""`pastelbot pull`: a checkpoint or a VAE from the hub, checked, with the lines for the configuration."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from pastelbot.choices import nearest_names
from pastelbot.diffusion.weights.files import SAFE_SUFFIX, check_unet_config, check_vae_kind
from pastelbot.errors import WorkshopError
from pastelbot.formats.hashes import hash_file, shortened
from pastelbot.formats.hub import folder_files, split_hub_name
from pastelbot.formats.hub_download import HubDownload, explaining
from pastelbot.formats.layout.folder_parts import weights_files
from pastelbot.formats.precheck import check_reference
from pastelbot.formats.safetensors_header import read_header
from pastelbot.formats.texts.json_files import read_json

_WEIGHTS = (".safetensors", ".ckpt", ".pt", ".bin")
_VAE_PLACES = ("vae/", "")


@dataclass(frozen=True, kw_only=True)
class Pulled:
    """What was pulled: where it is, its bytes, the sha256 of its weights, and the lines for the configuration."""

    place: Path
    size: int
    sha256: str
    settings: Sequence[str]

    @property
    def hash(self) -> str:
        """Return the hash of infotexts."""
        return shortened(self.sha256)


def pull(
    reference: str, download: HubDownload, *, file: str | None = None, into: Path | None = None, vae: bool = False
) -> Pulled:
    """Download what the loader would load, or one file of it; raises CheckpointError and WorkshopError.

    `reference` is `owner/name`, or with a file behind it; `into` is a folder in place of the hub client's cache; `vae`
    takes the VAE alone.
    """
    repo, inside = split_hub_name(reference)
    if file is not None and inside is not None:
        raise WorkshopError(f"{reference} names a file already: leave --file out.")
    names = _choose(repo, download.names(repo), file or inside, vae=vae)
    if into is None:
        root = _into_cache(repo, names, download)
    else:
        download.into_folder(repo, names, into)
        root = into
    main = root / _what(names)
    _check(main, vae=vae)
    weights = main if main.is_file() else weights_files(main if vae else main / "unet", "diffusion_pytorch_model")[0]
    return Pulled(
        place=main,
        size=sum((root / name).stat().st_size for name in names),
        sha256=hash_file(weights).sha256,
        settings=_settings(reference if file is None else f"{repo}/{file}", main, download, vae=vae, into=into),
    )


def _choose(repo: str, names: Sequence[str], file: str | None, *, vae: bool) -> list[str]:
    """Return the names to download; raises a WorkshopError that names what there is."""
    weights = [name for name in names if name.lower().endswith(_WEIGHTS) and "/" not in name]
    if file is not None:
        if file not in names:
            raise WorkshopError(f"{repo} has no file {file!r}. {nearest_names(file, weights or list(names))}")
        return [file]
    if vae:
        return _choose_vae(repo, names, weights)
    if "model_index.json" not in names:
        raise WorkshopError(f"{repo} has no diffusers folder. {_choices(weights)}")
    chosen = folder_files(names)
    for part in ("unet", "vae", "text_encoder"):
        if not any(name.startswith(f"{part}/") and name.endswith(_WEIGHTS) for name in chosen):
            raise WorkshopError(f"The diffusers folder of {repo} has no weights in {part}. {_choices(weights)}")
    return chosen


def _choose_vae(repo: str, names: Sequence[str], weights: Sequence[str]) -> list[str]:
    for place in _VAE_PLACES:
        for ending in (".safetensors", ".fp16.safetensors", ".bin"):
            found = [name for name in names if fnmatch(name, f"{place}diffusion_pytorch_model{ending}")]
            if found and f"{place}config.json" in names:
                return [f"{place}config.json", *found]
    raise WorkshopError(f"{repo} has no VAE in diffusers' form. {_choices(weights)}")


def _choices(weights: Sequence[str]) -> str:
    return f"Name one of its files with --file: {', '.join(weights)}." if weights else "It has no other weights either."


def _into_cache(repo: str, names: Sequence[str], download: HubDownload) -> Path:
    """Return the cache's folder for a repository, with the files in it."""
    from huggingface_hub import hf_hub_download

    download.into_cache(repo, names)
    root = Path()
    for name in names:
        with explaining(f"{repo}/{name}", download.revision):
            found = hf_hub_download(repo, name, revision=download.revision, cache_dir=download.cache_dir)
        root = Path(found).parents[name.count("/")]
    return root


def _what(names: Sequence[str]) -> str:
    """Return what of a repository was asked for: a file, the folder of a VAE, or all of it."""
    if len(names) == 1:
        return names[0]
    return "vae" if all(name.startswith("vae/") for name in names) else ""


def _check(place: Path, *, vae: bool) -> None:
    """Raise a CheckpointError that says what was pulled, where it is not what was wanted."""
    if place.is_file():
        check_vae_kind(place) if vae else check_reference(str(place), has_vae=True)
        return
    for path in place.rglob(f"*{SAFE_SUFFIX}"):
        read_header(path)
    if not vae:
        check_reference(str(place))
        check_unet_config(place, read_json(place / "unet" / "config.json"))


def _settings(reference: str, main: Path, download: HubDownload, *, vae: bool, into: Path | None) -> list[str]:
    """Return the lines that make the bot use it."""
    # A VAE's folder has no name on the hub that the loader knows.
    by_name = into is None and (main.is_file() or not vae)
    written = reference if by_name else main.resolve().as_posix()
    lines = ["[checkpoint]", f"{'vae' if vae else 'path'} = {json.dumps(written)}"]
    if by_name and download.revision is not None and not vae:
        lines.append(f"revision = {json.dumps(download.revision)}")
    if by_name and download.cache_dir is not None:
        lines.append(f"cache_dir = {json.dumps(download.cache_dir.as_posix())}")
    return lines
