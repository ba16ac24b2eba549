"""Recipes: how a checkpoint is made, step by step, in one readable file.

A recipe is checked as a whole before any weights are read: its keys, its numbers, and where each input comes from.
"""

import json
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pastelbot.choices import nearest_names
from pastelbot.config import BUNDLED, bundled_checkpoint
from pastelbot.errors import PathError, RecipeError
from pastelbot.formats.hub import is_hub_name
from pastelbot.paths import is_there, local_path
from pastelbot.workshop.recipes.steps import Step, read_step

_KEYS = ("name", "steps")


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Steps in their order; the last one's output is the result. Relative paths start at `folder`."""

    name: str
    folder: Path
    steps: tuple[Step, ...]
    text: str

    def path(self, written: str) -> Path:
        """Return a path as the recipe means it; raises PathError where no file can be there."""
        return local_path(written, self.folder)

    def input_path(self, written: str) -> Path:
        """Return an input's path; `bundled` is the checkpoint inside the package, unless a file has that name."""
        path = self.path(written)
        return bundled_checkpoint() if written == BUNDLED and not path.exists() else path

    def uses(self) -> Mapping[str, int]:
        """Return how often each step is used by later ones."""
        counts = dict.fromkeys((step.name for step in self.steps), 0)
        for step in self.steps:
            for _key, reference in (*step.references(), *step.lora_references()):
                if reference in counts:
                    counts[reference] += 1
        return counts


def read_recipe(path: Path, *, out: Path | None = None) -> Recipe:
    """Read and check a recipe; `out` replaces the output of its last step. Raises RecipeError."""
    try:
        text = path.read_text(encoding="utf-8")
        content = tomllib.loads(text)
    except OSError as error:
        raise RecipeError(f"The recipe {path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"The recipe {path} is not valid TOML: {error}.") from error
    for key in content:
        if key not in _KEYS:
            raise RecipeError(f"The recipe {path} has the unknown key {key!r}. {nearest_names(key, _KEYS)}")
    tables = content.get("steps")
    if not isinstance(tables, dict) or not tables:
        raise RecipeError(f"The recipe {path} has no steps: it needs tables such as [steps.mix].")
    steps = [read_step(name, table) for name, table in tables.items()]
    if out is not None:
        steps[-1] = replace(steps[-1], output=str(out.resolve()))
    recipe = Recipe(
        name=str(content.get("name", path.stem)), folder=path.resolve().parent, steps=tuple(steps), text=text
    )
    _check_recipe(recipe)
    return recipe


def single_step(name: str, table: Mapping[str, object], out: Path) -> Recipe:
    """Return the recipe of one step, as the other commands run it; raises RecipeError."""
    written = {key: value for key, value in table.items() if value is not None}
    step = replace(read_step(name, written), output=str(out.resolve()))
    text = json.dumps({"steps": {name: _without_folders(written)}})
    recipe = Recipe(name=name, folder=Path.cwd(), steps=(step,), text=text)
    _check_recipe(recipe)
    return recipe


def _without_folders(value: object) -> object:
    """Return a step's values for publication, without the local paths of files."""
    if isinstance(value, Mapping):
        return {key: _without_folders(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_folders(item) for item in value]
    return Path(value).name if isinstance(value, str) and is_there(value) else value


def _check_recipe(recipe: Recipe) -> None:
    """Raise a RecipeError where a step's inputs are nowhere, or its result is neither used nor written."""
    earlier: dict[str, Step] = {}
    for step in recipe.steps:
        for key, reference, wants_lora in _needs(step):
            _check_reference(recipe, step, key, reference, earlier, wants_lora=wants_lora)
        earlier[step.name] = step
    uses, outputs = recipe.uses(), set[Path]()
    for step in recipe.steps:
        if step.output is not None:
            out = _looked_at(recipe.path, step, "output", step.output).resolve()
            if out in outputs:
                raise RecipeError(f"Step {step.name!r}, key 'output': an earlier step writes {step.output} already.")
            outputs.add(out)
        if step.output is None and not uses[step.name]:
            last = step is recipe.steps[-1]
            cure = "Add the key 'output', or name a file with --out." if last else "Use it, or give it an 'output'."
            raise RecipeError(f"Step {step.name!r} is neither used nor written. {cure}")


def _looked_at(place: Callable[[str], Path], step: Step, key: str, written: str) -> Path:
    """Return a path of a step; raises a RecipeError that names the key where no file can be there."""
    try:
        return place(written)
    except PathError as error:
        raise RecipeError(f"Step {step.name!r}, key {key!r}: {error}") from error


def _needs(step: Step) -> Iterator[tuple[str, str, bool]]:
    yield from ((key, reference, False) for key, reference in step.references())
    yield from ((key, reference, True) for key, reference in step.lora_references())


def _check_reference(
    recipe: Recipe, step: Step, key: str, reference: str, earlier: Mapping[str, Step], *, wants_lora: bool
) -> None:
    where = f"Step {step.name!r}, key {key!r}"
    if reference in earlier:
        if wants_lora is not earlier[reference].GIVES_LORA:
            found, wanted = ("a checkpoint", "a LoRA") if wants_lora else ("a LoRA", "a checkpoint")
            raise RecipeError(f"{where}: the step {reference!r} gives {found}, but {wanted} is needed.")
        return
    if any(reference == other.name for other in recipe.steps):
        raise RecipeError(f"{where}: the step {reference!r} comes later. A step can use only those before it.")
    if _looked_at(recipe.input_path, step, key, reference).exists() or is_hub_name(reference):
        return
    if not earlier:
        raise RecipeError(f"{where}: {reference!r} is not a file or folder here and no hub name.")
    hint = nearest_names(reference, [*earlier])
    raise RecipeError(f"{where}: {reference!r} is not an earlier step, a file or folder here, or a hub name. {hint}")
