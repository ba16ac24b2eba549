"""Walk through the card's whole recipe on variations of the bundled checkpoint, with pictures before and after.

    python benchmarks/merge/walk.py [--prompt "1girl, red hair"] [--seed 7] [--out walk.png]

Three variations stand for the card's checkpoints and five random LoRAs for its LoRAs; the recipe is the one in
`docs/recipes`. The sheet shows the three checkpoints and, last, the mix.
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from pastelbot import config
from pastelbot.diffusion.checkpoint import loading
from pastelbot.diffusion.engine.engine import Engine, paint_alone
from pastelbot.diffusion.lora.targets import Target, find_targets
from pastelbot.formats.pictures import make_sheet
from pastelbot.options import GenerationOptions, draft
from pastelbot.workshop.folders import open_folder
from pastelbot.workshop.recipes.recipe import read_recipe
from pastelbot.workshop.recipes.runner import run_recipe

RECIPE = Path(__file__).resolve().parents[2] / "docs" / "recipes" / "pastel-mix.toml"
CHECKPOINTS = ("dpepmkmp", "tea", "basil-mix")
LORAS = ("MagicLORA.pt", "Jordan_3.safetensors", "sttabi_v1.4-04.safetensors")
LORAS = (*LORAS, "xlimo768.safetensors", "dpep2_768.safetensors")
# How far a variation and a LoRA go from the bundled checkpoint, in parts of its weights.
VARIATION, STRENGTH, RANK = 0.09, 0.12, 4


def main() -> None:
    """Make the inputs, merge, paint."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prompt", default="masterpiece, best quality, 1girl, red hair, smile")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--out", type=Path, default=Path("walk.png"))
    options = parser.parse_args()
    settings = config.bundled()
    options = GenerationOptions(prompt=options.prompt, seed=options.seed, steps=options.steps, hires=False, count=1)
    request = draft(options, settings, random_seed=lambda: 0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_ingredients(folder)
        mix = cook(folder)
        places = [*(folder / name for name in CHECKPOINTS), mix]
        checkpoints = [loading.load(str(place), device="cpu") for place in places]
        pngs = [paint_alone(Engine(checkpoint), request).pictures[0].png for checkpoint in checkpoints]
    options.out.write_bytes(make_sheet(pngs))
    print(options.out)


def make_ingredients(folder: Path) -> None:
    """Write three variations of the bundled checkpoint, and five LoRAs for it."""
    bundled = config.bundled_checkpoint()
    targets = find_targets(open_folder(bundled).source.entries)
    for seed, name in enumerate(CHECKPOINTS):
        shutil.copytree(bundled, folder / name)
        vary(folder / name / "unet" / "diffusion_pytorch_model.safetensors", seed)
    source = open_folder(bundled).source
    for seed, name in enumerate(LORAS):
        scales = {target.key: float(source.read(target.key).float().std()) for target in targets.values()}
        tensors = random_lora(targets, scales, seed)
        if name.endswith(".pt"):
            torch.save(tensors, folder / name)
        else:
            save_file(tensors, folder / name)


def vary(path: Path, seed: int) -> None:
    """Change a file's weights a little, the first variation not at all."""
    generator = torch.Generator().manual_seed(seed)
    tensors = {}
    for name, tensor in load_file(path).items():
        noise = torch.randn(tensor.shape, generator=generator) * tensor.float().std(correction=0)
        tensors[name] = (tensor.float() + (VARIATION if seed else 0.0) * noise).to(tensor.dtype)
    save_file(tensors, path, {"format": "pt"})


def random_lora(targets: dict[str, Target], scales: dict[str, float], seed: int) -> dict[str, torch.Tensor]:
    """Return random factors for every standard layer, whose product is a small part of its weights."""
    generator = torch.Generator().manual_seed(100 + seed)
    tensors = {}
    for name, target in targets.items():
        if target.standard:
            tail = (1,) * (len(target.shape) - 2)
            size = (STRENGTH * scales[target.key] / RANK**0.5) ** 0.5
            down = torch.randn(RANK, target.shape[1], *tail, generator=generator) * size
            up = torch.randn(target.shape[0], RANK, *tail, generator=generator) * size
            tensors |= {f"{name}.lora_down.weight": down, f"{name}.lora_up.weight": up}
    return tensors


def cook(folder: Path) -> Path:
    """Run the card's recipe on the stand-ins, which are folders."""
    text = RECIPE.read_text(encoding="utf-8")
    for name in (*CHECKPOINTS, "pastel-mix"):
        text = text.replace(f'"{name}.safetensors"', f'"{name if name in CHECKPOINTS else "mix"}"')
    (folder / "recipe.toml").write_text(text, encoding="utf-8")
    report = run_recipe(read_recipe(folder / "recipe.toml"))
    for note in report.notes:
        print(note, file=sys.stderr)
    return report.outputs[-1]


if __name__ == "__main__":
    main()
