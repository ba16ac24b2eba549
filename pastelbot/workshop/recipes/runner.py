"""Running a recipe: the steps become sources over sources, and what is written is streamed through all of them.

A step whose result is used twice, or written itself, is stored once instead of being computed twice; every step rounds
to its own precision either way, so that the numbers are the same as with one command after the other.
"""

import json
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from pastelbot.config import CheckpointSettings
from pastelbot.diffusion.checkpoint.devices import PRECISIONS
from pastelbot.diffusion.lora.files import open_loras, partner_of
from pastelbot.diffusion.lora.lora_file import LoraFile
from pastelbot.diffusion.weights.tensor_sources import SAFE_SUFFIX, SafetensorsSource, TensorSource
from pastelbot.errors import CheckpointError, WorkshopError
from pastelbot.formats.file_forms import is_safetensors
from pastelbot.formats.hashes import FileHashes, hash_file
from pastelbot.formats.hub import locate
from pastelbot.formats.layout.prediction import described, predict_alike
from pastelbot.workshop.convert import check_layout, check_result, write_result
from pastelbot.workshop.folders import Opened, open_checkpoint, open_reference, open_vae
from pastelbot.workshop.lora_extract import Extraction, extract, write_lora
from pastelbot.workshop.lora_merge import LoraMerge
from pastelbot.workshop.merge import AddDifference, BlockMerge
from pastelbot.workshop.numbers import precision_of
from pastelbot.workshop.precision import Precision, WithoutEma
from pastelbot.workshop.recipes.recipe import Recipe
from pastelbot.workshop.recipes.steps import (
    AddDifferenceStep,
    BlockMergeStep,
    ConvertStep,
    LoraExtractStep,
    LoraMergeStep,
    Step,
    VaeBakeStep,
    WeightedSumStep,
)
from pastelbot.workshop.vae_bake import VaeBake
from pastelbot.workshop.writing import Progress, check_space, silent

_DEFAULT_SETTINGS = CheckpointSettings()


@dataclass(kw_only=True)
class Report:
    """What was written, and notes about it for the user."""

    outputs: list[Path] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def run_recipe(recipe: Recipe, progress: Progress = silent, settings: CheckpointSettings = _DEFAULT_SETTINGS) -> Report:
    """Run a recipe; raises PastelError, and then nothing has the name of the output that was being written.

    `settings` say where downloads from the hub are kept, and whether there may be any.
    """
    with ExitStack() as stack:
        runner = _RecipeRunner(recipe, progress, settings, stack)
        runner.open_inputs()
        runner.check()
        return runner.run()


class _RecipeRunner:
    """One run: the inputs by reference, the results by step."""

    def __init__(self, recipe: Recipe, progress: Progress, settings: CheckpointSettings, stack: ExitStack) -> None:
        self._recipe, self._progress, self._settings, self._stack = recipe, progress, settings, stack
        self._steps = {step.name for step in recipe.steps}
        self._opened: dict[tuple[str, str], Opened] = {}
        self._lora_paths: dict[str, Path] = {}
        self._names: dict[Path, str] = {}  # what the metadata call the files
        self._results: dict[str, TensorSource] = {}
        self._loras: dict[str, Path] = {}
        self._temporary: Path | None = None
        self._hashes: dict[Path, FileHashes] = {}

    def open_inputs(self) -> None:
        """Find all inputs, downloading what is on the hub, and look at what they are; raises CheckpointError."""
        for step in self._recipe.steps:
            for key, reference in step.references():
                if reference not in self._steps:
                    self._open(step, key, reference)
            for key, reference in step.lora_references():
                if reference not in self._steps:
                    self._lora_paths[reference] = self._find(self._place(reference), f"steps.{step.name}.{key}")

    def _open(self, step: Step, key: str, reference: str) -> None:
        place = self._find(self._place(reference), f"steps.{step.name}.{key}")
        is_vae = isinstance(step, VaeBakeStep) and key == "vae"
        opened = self._opened[key if is_vae else "", reference] = _opening(step, is_vae=is_vae)(place)
        called = Path(reference).name if self._recipe.input_path(reference).exists() else reference
        for file in opened.files:
            self._names[file] = f"{called}/{file.relative_to(place).as_posix()}" if place.is_dir() else called

    def _find(self, reference: str, key: str) -> Path:
        """Return the file or folder that a reference means, downloading it first where it is on the hub."""
        settings = self._settings
        # The configuration's revision is that of its own checkpoint.
        revision = settings.revision if reference == settings.path else None
        return locate(
            reference,
            key=key,
            revision=revision,
            offline=settings.offline,
            cache_dir=settings.cache_dir,
            listener=self._progress,
        )

    def _place(self, reference: str) -> str:
        path = self._recipe.input_path(reference)
        return str(path) if path.exists() else reference

    def check(self) -> None:
        """Build everything once without reading a tensor: what cannot fit is an error before anything is written."""
        self._scheduler()
        files, uses = self._input_files(), self._recipe.uses()
        sizes: dict[Path, int] = {}
        for step in self._recipe.steps:
            out = self._recipe.path(step.output) if step.output is not None else None
            if out is not None:
                check_result(out, files)
            if isinstance(step, LoraExtractStep):
                _check_extraction(step, out)
                continue
            result = self._results[step.name] = self._build(step, Report(), checking=True)
            if out is not None:
                check_layout(result, out)
            if out is not None or uses[step.name] > 1:
                place = out or self._last_output()
                sizes[place.parent] = sizes.get(place.parent, 0) + sum(entry.size for entry in result.entries.values())
        for folder, size in sizes.items():
            check_space(folder / self._last_output().name, size)
        self._results.clear()

    def _last_output(self) -> Path:
        return next(self._recipe.path(step.output) for step in reversed(self._recipe.steps) if step.output)

    def run(self) -> Report:
        """Write every output, in the order of the steps."""
        self._hash_inputs()
        report, uses = Report(), self._recipe.uses()
        for step in self._recipe.steps:
            if isinstance(step, LoraExtractStep):
                self._loras[step.name] = self._extract(step, report)
                continue
            source = self._build(step, report)
            if step.output is not None or uses[step.name] > 1:
                source = self._store(step, source, report)
            self._results[step.name] = source
        return report

    def _store(self, step: Step, source: TensorSource, report: Report) -> TensorSource:
        """Write a step's result and return it, to be read from there by later steps."""
        out = self._target(step)
        like = next((opened.folder for opened in self._opened.values() if opened.folder), None)
        write_result(
            source,
            out,
            inputs=self._input_files(),
            metadata=self._metadata(),
            like=like,
            scheduler=self._scheduler(),
            progress=self._progress,
        )
        if step.output is not None:
            report.outputs.append(out)
        return open_reference(out).source

    def _scheduler(self) -> Mapping[str, object]:
        """Return how the checkpoints predict; raises a CheckpointError where they do not do so alike."""
        opened = [one for (key, _reference), one in self._opened.items() if not key]
        for one in opened[1:]:
            if not predict_alike(opened[0].scheduler, one.scheduler):
                first, second = described(opened[0].scheduler), described(one.scheduler)
                raise CheckpointError(
                    f"{opened[0].source.label} predicts {first}, {one.source.label} predicts {second}: "
                    "they cannot be mixed."
                )
        return opened[0].scheduler if opened else {}

    def _target(self, step: Step) -> Path:
        if step.output is not None:
            return self._recipe.path(step.output)
        if self._temporary is None:
            folder = tempfile.TemporaryDirectory(dir=self._last_output().parent, prefix=".pastelbot-recipe-")
            self._temporary = Path(self._stack.enter_context(folder))
        return self._temporary / f"{self._recipe.steps.index(step)}{SAFE_SUFFIX}"

    def _extract(self, step: LoraExtractStep, report: Report) -> Path:
        original, tuned = self._source(step.original), self._source(step.tuned)
        tensors, metadata = extract(original, tuned, _extraction(step), self._progress)
        out = self._target(step)
        write_lora(tensors, metadata | self._provenance(), out, inputs=tuple(self._input_files()))
        if step.output is not None:
            report.outputs.append(out)
        return out

    def _build(self, step: Step, report: Report, *, checking: bool = False) -> TensorSource:
        precision = precision_of(step.precision)
        if isinstance(step, BlockMergeStep | WeightedSumStep):
            merge = BlockMerge(
                self._source(step.a), self._source(step.b), step.block_weights(), precision=precision, label=step.name
            )
            report.notes += merge.notes
            return merge
        if isinstance(step, AddDifferenceStep):
            sources = (self._source(step.a), self._source(step.b), self._source(step.c))
            difference = AddDifference(*sources, step.weight, precision=precision, label=step.name)
            report.notes += difference.notes
            return difference
        if isinstance(step, LoraMergeStep):
            loras = LoraMerge(
                self._source(step.base), self._pairs(step, checking=checking), precision=precision, label=step.name
            )
            report.notes += loras.notes
            return loras
        if isinstance(step, VaeBakeStep):
            vae = self._opened["vae", step.vae].source if step.vae not in self._steps else self._source(step.vae)
            return VaeBake(self._source(step.base), vae, precision=precision, label=step.name)
        if isinstance(step, ConvertStep):
            source = self._source(step.source)
            source = source if step.ema == "keep" else WithoutEma(source, use=step.ema == "use")
            return Precision(source, precision) if precision else source
        raise AssertionError(f"{type(step).__name__} gives no checkpoint")

    def _pairs(self, step: LoraMergeStep, *, checking: bool) -> list[tuple[LoraFile, float]]:
        """Return the LoRAs with their weights; while checking, those that are still to be extracted are left out."""
        uses = [use for use in step.loras if not (checking and use.file in self._steps)]
        paths = [self._loras.get(use.file) or self._lora_paths[use.file] for use in uses]
        return [(file, use.weight) for file, use in zip(open_loras(paths), uses, strict=True)]

    def _source(self, reference: str) -> TensorSource:
        return self._results[reference] if reference in self._steps else self._opened["", reference].source

    def _input_files(self) -> list[Path]:
        files = [path for opened in self._opened.values() for path in opened.files]
        for path in self._lora_paths.values():
            files.append(path)
            if not is_safetensors(path) and partner_of(path).is_file():
                files.append(partner_of(path))
        return [*dict.fromkeys(files)]

    def _hash_inputs(self) -> None:
        files = self._input_files()
        try:
            total, done = sum(path.stat().st_size for path in files), 0
        except OSError as error:
            raise CheckpointError(f"{error.filename} cannot be read: {error.strerror}.") from error

        def add(count: int) -> None:
            nonlocal done
            done += count
            self._progress("Hashing the inputs", done, total)

        for path in files:
            self._hashes[path] = hash_file(path, add)

    def _metadata(self) -> dict[str, str]:
        """Return what is written into a result: where it comes from, and what a converted file said about itself."""
        kept: Mapping[str, str] = {}
        if isinstance(self._recipe.steps[-1], ConvertStep) and len(self._opened) == 1:
            opened = next(iter(self._opened.values())).source
            kept = opened.metadata if isinstance(opened, SafetensorsSource) else {}
        return {**kept, **self._provenance()}

    def _provenance(self) -> dict[str, str]:
        inputs = [
            {"file": self._names.get(path, path.name), "sha256": hashes.sha256, "old_hash": hashes.old}
            for path, hashes in self._hashes.items()
        ]
        return {"pastelbot.recipe": self._recipe.text, "pastelbot.inputs": json.dumps(inputs)}


def _opening(step: Step, *, is_vae: bool) -> Callable[[Path], Opened]:
    """Return what opens an input of a step, as strictly as the step needs it."""
    if is_vae:
        return open_vae
    if isinstance(step, ConvertStep):
        return open_reference
    return partial(open_checkpoint, needs_vae=not isinstance(step, VaeBakeStep | LoraExtractStep))


def _extraction(step: LoraExtractStep) -> Extraction:
    return Extraction(
        rank=step.rank,
        conv_rank=step.conv_rank,
        clamp=step.clamp,
        min_difference=step.min_difference,
        precision=PRECISIONS[step.precision or "fp16"],
    )


def _check_extraction(step: LoraExtractStep, out: Path | None) -> None:
    _extraction(step)
    if out is not None and out.suffix != SAFE_SUFFIX:
        raise WorkshopError(f"The output {out} must end in {SAFE_SUFFIX}: it is a LoRA.")
