"""Writing a result: a single safetensors file, or a diffusers folder that is complete."""

import json
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from pastelbot.config import bundled_checkpoint
from pastelbot.diffusion.weights.ldm import Config
from pastelbot.diffusion.weights.original_names import STANDARD, layout_of_original
from pastelbot.diffusion.weights.tensor_sources import SAFE_SUFFIX, TensorSource, check_checkpoint
from pastelbot.errors import CheckpointError, WorkshopError
from pastelbot.formats.hub import locate_tokenizer
from pastelbot.formats.layout.folder_parts import PARTS, VAE
from pastelbot.formats.layout.prediction import DEFAULTS, EPSILON, SCHEDULER_KEY
from pastelbot.formats.texts.json_files import read_json
from pastelbot.workshop.folders import diffusers_configs, diffusers_parts, vae_config
from pastelbot.workshop.writing import Progress, check_output, check_space, silent, write

SCHEDULER = {
    "_class_name": "PNDMScheduler",
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "beta_start": 0.00085,
    "clip_sample": False,
    "num_train_timesteps": 1000,
    "set_alpha_to_one": False,
    "skip_prk_steps": True,
    "steps_offset": 1,
}
_INDEX = {
    "_class_name": "StableDiffusionPipeline",
    "feature_extractor": [None, None],
    "requires_safety_checker": False,
    "safety_checker": [None, None],
    "scheduler": ["diffusers", "PNDMScheduler"],
    "text_encoder": ["transformers", "CLIPTextModel"],
    "tokenizer": ["transformers", "CLIPTokenizer"],
    "unet": ["diffusers", "UNet2DConditionModel"],
    "vae": ["diffusers", "AutoencoderKL"],
}
_TOKENIZER = {
    "tokenizer_class": "CLIPTokenizer",
    "model_max_length": 77,
    "bos_token": "<|startoftext|>",
    "eos_token": "<|endoftext|>",
    "pad_token": "<|endoftext|>",
    "unk_token": "<|endoftext|>",
}
_CLASSES: Mapping[str, Config] = {
    "unet": {"_class_name": "UNet2DConditionModel"},
    "vae": {"_class_name": "AutoencoderKL"},
    "text_encoder": {"architectures": ["CLIPTextModel"], "model_type": "clip_text_model"},
}
_TOKENIZER_FILES = ("vocab.json", "merges.txt", "special_tokens_map.json")


def write_result(
    source: TensorSource,
    out: Path,
    *,
    inputs: Iterable[Path] = (),
    metadata: Mapping[str, str] | None = None,
    like: Path | None = None,
    scheduler: Mapping[str, object] | None = None,
    progress: Progress = silent,
) -> None:
    """Write a file where the name ends in .safetensors, a diffusers folder where it has no ending.

    `scheduler` says how the checkpoint predicts.
    `like` is a diffusers folder whose configurations and tokenizer fit; without one they are inferred from the tensors.
    Raises WorkshopError, and whatever reading the source raises; nothing has the final name then.
    """
    check_result(out, inputs)
    metadata, said = {**(metadata or {})}, scheduler or {}
    if out.suffix == SAFE_SUFFIX:
        write(source, out, inputs=inputs, metadata=metadata | _said(said), progress=progress)
    else:
        _write_folder(source, out, metadata, said, like, progress)


def check_result(out: Path, inputs: Iterable[Path]) -> None:
    """Raise a WorkshopError where a result cannot have this name."""
    if out.suffix not in ("", SAFE_SUFFIX):
        raise WorkshopError(f"The output {out} must end in {SAFE_SUFFIX}, or have no ending for a diffusers folder.")
    if not out.suffix and out.is_dir() and not any(out.iterdir()):
        return
    if not out.suffix and out.exists():
        raise WorkshopError(f"The output {out} exists already and is not empty.")
    check_output(out, inputs)


def check_layout(source: TensorSource, out: Path) -> None:
    """Raise a WorkshopError where a single file cannot hold a checkpoint because of how its UNet is built."""
    if out.suffix == SAFE_SUFFIX and layout_of_original(source.entries) != STANDARD:
        raise WorkshopError(
            f"{source.label} is not built as Stable Diffusion 1.x, so that no single file can hold it: give {out} a "
            "name without an ending, for a diffusers folder."
        )


def _write_folder(
    source: TensorSource,
    out: Path,
    metadata: Mapping[str, str],
    scheduler: Mapping[str, object],
    like: Path | None,
    progress: Progress,
) -> None:
    check_checkpoint(source)
    configs = None if like else diffusers_configs(source)
    parts = diffusers_parts(source)
    total = sum(entry.size for part in parts.values() for entry in part.entries.values())
    check_space(out, total)
    try:
        with tempfile.TemporaryDirectory(dir=out.resolve().parent, prefix=f".{out.name}.") as temporary:
            whole, done = Path(temporary) / "whole", 0
            if like:
                _copy_surroundings(like, whole)
                if not (whole / VAE / "config.json").is_file():  # it was baked in
                    _write_json(whole / VAE / "config.json", {**_CLASSES[VAE], **vae_config(source)})
            if configs:
                _write_surroundings(scheduler, configs, whole)
            for part, tensors in parts.items():
                path = whole / part / f"{PARTS[part][0]}{SAFE_SUFFIX}"
                write(tensors, path, metadata=metadata, progress=_later(progress, done, total))
                done += sum(entry.size for entry in tensors.entries.values())
            whole.replace(out)
    except OSError as error:
        raise WorkshopError(f"{out} cannot be written: {error.strerror}.") from error


def _later(progress: Progress, done: int, total: int) -> Progress:
    return lambda what, now, _part: progress(what, done + now, total)


def _copy_surroundings(like: Path, folder: Path) -> None:
    """Copy what a diffusers folder has beside weights."""
    for found in ("model_index.json", "scheduler/*.json", *(f"{part}/config.json" for part in PARTS), "tokenizer/*"):
        for path in like.glob(found):
            target = folder / path.relative_to(like)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    index = read_json(folder / "model_index.json")
    # A mix is not called what its first input is called.
    _write_json(folder / "model_index.json", {key: value for key, value in index.items() if key != "_pastelbot_name"})


def _write_surroundings(scheduler: Mapping[str, object], configs: Mapping[str, Config], folder: Path) -> None:
    for part, config in configs.items():
        _write_json(folder / part / "config.json", {**_CLASSES[part], **config})
    _write_json(folder / "model_index.json", _INDEX)
    _write_json(folder / "scheduler" / "scheduler_config.json", {**SCHEDULER, "prediction_type": EPSILON, **scheduler})
    _write_tokenizer(folder / "tokenizer")


def _said(scheduler: Mapping[str, object]) -> dict[str, str]:
    """Return the metadata that say how a single file predicts, where that is not as Stable Diffusion 1.x does."""
    other = {key: value for key, value in scheduler.items() if value != DEFAULTS.get(key, value)}
    return {SCHEDULER_KEY: json.dumps(other)} if other else {}


def _write_json(path: Path, content: Mapping[str, object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _write_tokenizer(folder: Path) -> None:
    try:
        found = locate_tokenizer(bundled_checkpoint() / "tokenizer")
    except CheckpointError as error:
        raise WorkshopError(f"The folder needs CLIP's vocabulary. {error}") from error
    folder.mkdir()
    for name in _TOKENIZER_FILES:
        if (found / name).is_file():
            shutil.copyfile(found / name, folder / name)
    _write_json(folder / "tokenizer_config.json", _TOKENIZER)
