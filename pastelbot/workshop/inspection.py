"""Inspection of a weights file: kind, hashes, precision, rank, trigger words, and defects."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import torch

from pastelbot.diffusion.embeddings import has_output, is_embedding, read_embedding
from pastelbot.diffusion.lora.files import open_lora
from pastelbot.diffusion.lora.lora_file import LoraFile
from pastelbot.diffusion.weights.alphas import ALPHAS, stated_alphas
from pastelbot.diffusion.weights.files import vae_file_faults
from pastelbot.diffusion.weights.tensor_sources import (
    SafetensorsSource,
    TensorSource,
    check_numbers,
    open_file,
    read_plain,
)
from pastelbot.errors import CheckpointError, PastelError
from pastelbot.formats.file_forms import is_safetensors
from pastelbot.formats.hashes import FileHashes, hash_file, short_hash, shortened
from pastelbot.formats.identify import (
    CHECKPOINTS,
    EMBEDDING,
    HYPERNETWORK,
    NETWORKS,
    SD1_EMA,
    SD1_VAE,
    identify,
    kind_of_pickle,
)
from pastelbot.formats.json_texts import parse_json
from pastelbot.formats.layout.checking import EMA_PREFIX, checkpoint_faults
from pastelbot.formats.layout.folder_parts import PARTS, weights_files
from pastelbot.formats.layout.network_kinds import DORA
from pastelbot.formats.layout.prediction import described, prediction_of
from pastelbot.formats.texts.trainer_notes import WIDTHS, model_of_words, trigger_words
from pastelbot.workshop.folders import open_folder, open_reference
from pastelbot.workshop.merge import POSITION_IDS, positions
from pastelbot.workshop.writing import Progress, silent


@dataclass(kw_only=True)
class Findings:
    """What was found: lines of a name and a value, and problems."""

    facts: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        """Yield the findings as text."""
        width = max(map(len, self.facts), default=0) + 2
        yield from (f"{name + ':':<{width}}{value}" for name, value in self.facts.items())
        yield from (f"PROBLEM: {problem}" for problem in self.problems)


def inspect_path(path: Path, progress: Progress = silent) -> Findings:
    """Inspect a file or diffusers folder; defects are findings. Raises CheckpointError where nothing is there."""
    if not path.exists():
        raise CheckpointError(f"There is no file or folder {path}.")
    findings = Findings()
    if path.is_file():
        findings.facts |= _hash_facts(_hash(path, progress))
    elif (path / "unet").is_dir():
        findings.facts |= _folder_hash(path, progress)
    try:
        _describe(path, findings, progress)
    except PastelError as error:
        if str(error) not in findings.problems:
            findings.problems.append(str(error))
    return findings


def _describe(path: Path, findings: Findings, progress: Progress) -> None:
    if path.is_file() and is_embedding(path):
        _describe_embedding(path, findings)
        return
    content = read_plain(path) if path.is_file() and not is_safetensors(path) else None
    if isinstance(content, list):
        _describe_lora(open_lora(path), findings)
        return
    kind = None if content is None else kind_of_pickle(content)
    if kind == HYPERNETWORK:  # its tensors lie deeper
        findings.facts["kind"] = kind
    else:
        source = open_folder(path).source if path.is_dir() else open_file(path)
        _describe_tensors(source, findings, progress)
        if findings.facts["kind"] in CHECKPOINTS:
            scheduler = open_reference(path).scheduler
            findings.facts["predicts"] = described(scheduler)
            _describe_table(source, findings)
            prediction_of(str(path), scheduler)
        findings.problems += _folder_faults(path) if path.is_dir() else _file_faults(source)
        _describe_metadata(source, findings)
    if findings.facts["kind"] in NETWORKS:
        _describe_lora(open_lora(path), findings)


def _describe_table(source: TensorSource, findings: Findings) -> None:
    """Say where a file's own noise schedule is left out, as no schedule could have it."""
    with suppress(CheckpointError):  # which is a problem already
        if ALPHAS in source.entries and not stated_alphas(source.read(ALPHAS)):
            findings.facts["not used"] = f"its table {ALPHAS}, which is no noise schedule; the usual one is taken"


def _file_faults(source: TensorSource) -> list[str]:
    """Return what is wrong with the parts of a checkpoint or VAE."""
    shapes = {name: entry.shape for name, entry in source.entries.items()}
    kind = identify(shapes)
    if kind in CHECKPOINTS:
        return [*checkpoint_faults(shapes), *_number_faults(source)]
    return vae_file_faults(shapes) if kind == SD1_VAE else []


def _number_faults(source: TensorSource) -> list[str]:
    try:
        check_numbers(source.label, {name: entry.dtype for name, entry in source.entries.items()})
    except CheckpointError as error:
        return [str(error)]
    return []


def _folder_faults(folder: Path) -> list[str]:
    """Return why a diffusers folder could not be loaded, without reading its numbers."""
    from pastelbot.diffusion.checkpoint.folder_check import check_folder  # slow to import

    try:
        check_folder(folder)
    except PastelError as error:
        return [str(error)]
    return []


def _describe_embedding(path: Path, findings: Findings) -> None:
    findings.facts["kind"] = EMBEDDING
    vectors = read_embedding(path)
    findings.facts["vectors"] = f"{len(vectors)}, each of {vectors.shape[1]} numbers"
    findings.facts["made for"] = model_of_words(vectors.shape[1])
    if has_output(path):
        findings.facts["not used"] = "OneTrainer's output vectors, which other programs do not read either"


def _hash(path: Path, progress: Progress) -> FileHashes:
    total, done = path.stat().st_size, 0

    def add(count: int) -> None:
        nonlocal done
        done += count
        progress("Hashing", done, total)

    return hash_file(path, add)


def _folder_hash(folder: Path, progress: Progress) -> dict[str, str]:
    """Return the hash that pictures have of a diffusers folder: that of its UNet."""
    with suppress(CheckpointError):  # what is missing is found once more, as a problem
        files = weights_files(folder / "unet", *PARTS["unet"])
        found = _hash(files[0], progress).short if len(files) == 1 else short_hash(*files)
        return {"hash": f"{found} (its UNet's)"}
    return {}


def _hash_facts(hashes: FileHashes) -> dict[str, str]:
    return {"hash": hashes.short, "old hash": hashes.old, "sha256": hashes.sha256}


def _describe_tensors(source: TensorSource, findings: Findings, progress: Progress) -> None:
    kind = identify({name: entry.shape for name, entry in source.entries.items()})
    formats = Counter(str(entry.dtype).removeprefix("torch.") for entry in source.entries.values())
    size = sum(entry.size for entry in source.entries.values())
    findings.facts["kind"] = kind or "unknown"
    findings.facts["precision"] = ", ".join(f"{name} ({count} tensors)" for name, count in formats.most_common())
    findings.facts["tensors"] = f"{len(source.entries)}, {size / 1e6:,.1f} MB"
    if kind in (*CHECKPOINTS, SD1_EMA):
        _describe_ema(source, findings)
    _check_positions(source, findings)
    _find_broken(source, findings, progress)


def _describe_ema(source: TensorSource, findings: Findings) -> None:
    smoothed = sum(name.startswith(EMA_PREFIX) for name in source.entries)
    if smoothed:
        findings.facts["EMA weights"] = f"{smoothed} tensors; `pastelbot convert` leaves them out"


def _check_positions(source: TensorSource, findings: Findings) -> None:
    for name in source.entries:
        if name.endswith(POSITION_IDS):
            found = source.read(name)
            if found.shape != positions().shape or not torch.equal(found.double(), positions().double()):
                findings.problems.append(
                    f"{name} is broken: some words are read at wrong places. Any merge repairs it."
                )
            elif found.dtype != torch.int64:
                findings.problems.append(f"{name} is {found.dtype} instead of int64. Any merge repairs it.")


def _find_broken(source: TensorSource, findings: Findings, progress: Progress) -> None:
    total, done = sum(entry.size for entry in source.entries.values()), 0
    for name, entry in source.entries.items():
        try:
            source.read(name)
        except CheckpointError as error:
            findings.problems.append(str(error))
        done += entry.size
        progress("Reading", done, total)


def _describe_metadata(source: TensorSource, findings: Findings) -> None:
    metadata = source.metadata if isinstance(source, SafetensorsSource) else {}
    words = list(trigger_words(metadata))
    if words:
        findings.facts["trigger words"] = ", ".join(words)
    names = {
        "ss_output_name": "trained as",
        "ss_sd_model_name": "trained on",
        "ss_base_model_version": "base",
        "modelspec.title": "title",
        "pastelbot.recipe": "recipe",
    }
    findings.facts |= {name: metadata[key].strip() for key, name in names.items() if metadata.get(key, "").strip()}
    inputs = ", ".join(_inputs(metadata))
    if inputs:
        findings.facts["made from"] = inputs


def _inputs(metadata: Mapping[str, str]) -> Iterator[str]:
    """Yield the files that a result was made from, with the short hash of each."""
    try:
        found = parse_json(metadata.get("pastelbot.inputs") or "[]")
        yield from [f"{item['file']} [{shortened(item['sha256'])}]" for item in found]
    except (ValueError, LookupError, TypeError):
        return


def _describe_lora(lora: LoraFile, findings: Findings) -> None:
    modules = lora.modules
    kinds = Counter(module.kind.name for module in modules if module.kind)
    kinds["DoRA"] = sum(DORA in module.names for module in modules)
    sketches = [module.sketch(part=module.parts[0]) for module in modules]
    ranks = Counter(sketch.rank for sketch in sketches if sketch.rank is not None)
    alphas = {sketch.numbers.get("alpha") for sketch in sketches}
    shapes = [module.changed_shape or () for module in modules]
    widths = {
        shape[1]
        for name, shape in zip(lora.named, shapes, strict=False)
        if name.endswith(("attn2_to_k", "attn2_to_v")) and shape[1:]
    }
    if not lora.named:
        findings.facts["kind"] = "a LoRA (list without names)"
    findings.facts["form"] = ", ".join(f"{name} ({count} modules)" for name, count in kinds.most_common() if count)
    if ranks:
        findings.facts["rank"] = ", ".join(f"{rank} ({count} modules)" for rank, count in ranks.most_common(4))
    findings.facts["alpha"] = ", ".join(sorted("none" if alpha is None else f"{alpha:g}" for alpha in alphas))
    findings.facts["convolutions"] = str(sum(len(shape) == 4 and shape[2] > 1 for shape in shapes))
    family = WIDTHS.keys() & widths
    if family:
        findings.facts["made for"] = ", ".join(sorted(WIDTHS[width] for width in family))
    if lora.embeddings:
        findings.facts["embeddings"] = ", ".join(sorted(lora.embeddings))
    if lora.extras:
        findings.facts["not used"] = ", ".join(lora.extras[:3]) + (", ..." if lora.extras[3:] else "")
