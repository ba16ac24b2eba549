"""One measured run in a process of its own: `contenders.py NAME FOLDER EVERY` prints what it took as JSON."""

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from files import LORA_COUNT, RATIOS, WEIGHTS_1, WEIGHTS_2
from safetensors.torch import load_file, save_file
from torch import Tensor

from pastelbot.diffusion.lora.targets import Target, find_targets
from pastelbot.diffusion.weights.tensor_sources import SafetensorsSource, TensorInfo
from pastelbot.workshop.blocks import is_merged, read_weights
from pastelbot.workshop.lora_extract import Extraction, extract
from pastelbot.workshop.low_rank import factorise
from pastelbot.workshop.recipes.recipe import read_recipe, single_step
from pastelbot.workshop.recipes.runner import run_recipe

RANK = 64


def memory(field: str) -> float:
    """Return a line of this process's status, in MB: VmRSS is now, VmHWM the most so far."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(float(line.split()[1]) / 1000 for line in lines if line.startswith(field))


def merge_ours(folder: Path, _every: int) -> None:
    """Merge two checkpoints by block weights."""
    table = {"operation": "block-merge", "a": str(folder / "a.safetensors"), "b": str(folder / "b.safetensors")}
    run_recipe(single_step("merge", {**table, "weights": WEIGHTS_1}, folder / "ours.safetensors"))


def merge_plain(folder: Path, _every: int) -> None:
    """Load both, merge name by name in the stored format, save."""
    save_file(
        blended(load_file(folder / "a.safetensors"), load_file(folder / "b.safetensors"), WEIGHTS_1),
        folder / "plain.safetensors",
    )


def blended(a: dict[str, Tensor], b: dict[str, Tensor], weights: str) -> dict[str, Tensor]:
    """Return the block-weighted merge of whole dictionaries."""
    blocks = read_weights(weights)
    return {
        name: tensor * (1 - blocks.of(name)) + b[name] * blocks.of(name) if is_merged(name) else tensor
        for name, tensor in a.items()
    }


def recipe_ours(folder: Path, _every: int) -> None:
    """Run the card's recipe: two merges and five LoRAs in one pass."""
    loras = ", ".join(f'{{ file = "lora{n}.safetensors", weight = {RATIOS[n]} }}' for n in range(LORA_COUNT))
    text = f"""
    [steps.one]
    operation = "block-merge"
    a = "a.safetensors"
    b = "b.safetensors"
    weights = "{WEIGHTS_1}"
    [steps.two]
    operation = "block-merge"
    a = "one"
    b = "c.safetensors"
    weights = "{WEIGHTS_2}"
    [steps.three]
    operation = "lora-merge"
    base = "two"
    loras = [{loras}]
    output = "ours.safetensors"
    """
    (folder / "recipe.toml").write_text(text, encoding="utf-8")
    run_recipe(read_recipe(folder / "recipe.toml"))


def recipe_plain(folder: Path, _every: int) -> None:
    """Do the same with everything in memory, LoRAs added in float32."""
    merged = blended(load_file(folder / "a.safetensors"), load_file(folder / "b.safetensors"), WEIGHTS_1)
    merged = blended(merged, load_file(folder / "c.safetensors"), WEIGHTS_2)
    targets = find_targets({name: TensorInfo(tensor.dtype, tuple(tensor.shape)) for name, tensor in merged.items()})
    whole = {name: tensor.float() for name, tensor in merged.items()}
    del merged
    for number in range(LORA_COUNT):
        lora = load_file(folder / f"lora{number}.safetensors")
        for name, target in targets.items():
            if f"{name}.lora_up.weight" in lora:
                up, down = (lora[f"{name}.lora_{side}.weight"].float().flatten(1) for side in ("up", "down"))
                whole[target.key] = whole[target.key] + RATIOS[number] * (up @ down).reshape(target.shape)
    save_file({name: tensor.half() for name, tensor in whole.items()}, folder / "plain.safetensors")


def extract_ours(folder: Path, _every: int) -> None:
    """Extract a LoRA of rank 64 from all 264 layers."""
    a, b = (SafetensorsSource(folder / f"{name}.safetensors") for name in "ab")
    extract(a, b, Extraction(rank=RANK, precision=torch.float16))


def some_layers(folder: Path, every: int) -> list[tuple[str, Target, Tensor]]:
    """Return every so many layers with their differences: all that the slow approach has time for."""
    a, b = (SafetensorsSource(folder / f"{name}.safetensors") for name in "ab")
    layers = sorted((item for item in find_targets(a.entries).items() if item[1].standard), key=lambda i: i[1].shape)
    return [
        (name, target, (b.read(target.key).float() - a.read(target.key).float()).flatten(1))
        for name, target in layers[::every]
    ]


def layers_ours(folder: Path, every: int) -> dict[str, float]:
    """Factorise some layers as the workshop does; return their residuals."""
    return factorised(folder, every, factorise)


def layers_plain(folder: Path, every: int) -> dict[str, float]:
    """Factorise the same layers by their full singular value decomposition; return their residuals."""

    def full(matrix: Tensor, rank: int) -> tuple[Tensor, Tensor]:
        left, values, right = torch.linalg.svd(matrix, full_matrices=False)
        return left[:, :rank] * values[:rank], right[:rank]

    return factorised(folder, every, full)


def factorised(
    folder: Path, every: int, factors_of: Callable[[Tensor, int], tuple[Tensor, Tensor]]
) -> dict[str, float]:
    """Return the residual of each layer."""
    residuals = {}
    for name, target, matrix in some_layers(folder, every):
        up, down = factors_of(matrix, min(RANK, *target.shape[:2]))
        residuals[name] = float((matrix - up @ down).norm())
    return residuals


CONTENDERS = {
    contender.__name__: contender
    for contender in (merge_plain, merge_ours, recipe_plain, recipe_ours, layers_plain, layers_ours, extract_ours)
}


def main(name: str, folder: str, every: str) -> None:
    """Measure one contender: CPU and wall seconds, and memory above what the imports take."""
    torch.set_num_threads(1)
    torch.ones(2, 2) @ torch.ones(2, 2)
    before, start = memory("VmRSS"), time.perf_counter()
    used = resource.getrusage(resource.RUSAGE_SELF)
    residuals = CONTENDERS[name](Path(folder), int(every))
    now = resource.getrusage(resource.RUSAGE_SELF)
    cpu = now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime
    result = {
        "cpu": cpu,
        "wall": time.perf_counter() - start,
        "memory": memory("VmHWM") - before,
        "residuals": residuals,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
