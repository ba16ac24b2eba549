"""Record what SciPy and torchsde give, beside the tests that hold it: neither is installed for them.

With both in the environment: `python -m tests.diffusion.sampling.record_references`.
"""

import json
from importlib import import_module
from pathlib import Path

import torch
from safetensors.torch import save_file

from pastelbot.diffusion.sampling.schedules import ModelSigmas, make_sigmas

FOLDER = Path(__file__).parent / "data"
BROWNIAN = FOLDER / "brownian.safetensors"
QUANTILES = FOLDER / "beta_quantiles.json"
SHAPE = (4, 6, 5)
SIGMAS = make_sigmas("Karras", ModelSigmas.scaled_linear(), 8)
SEEDS = (0, 18, 2203084815)
STEPS = ((0, 1), (1, 2), (0, 7), (6, 7), (3, 5), (5, 4))  # of which sigma to which
COUNTS = (1, 2, 7, 20, 150)
BETA = 0.6  # both parameters of the distribution


def name_of(seed: int, start: int, end: int) -> str:
    """Return the name under which a step's noise is recorded."""
    return f"{seed}.{start}.{end}"


def shares(steps: int) -> list[float]:
    """Return the shares whose quantiles a schedule of so many steps takes."""
    return [float(share) for share in 1.0 - torch.linspace(0, 1, steps, dtype=torch.float64)]


def _brownian() -> dict[str, torch.Tensor]:
    torchsde = import_module("torchsde")
    recorded = {}
    for seed in SEEDS:
        tree = torchsde.BrownianTree(min(SIGMAS[:-1]), torch.zeros(SHAPE), max(SIGMAS), entropy=seed)
        for start, end in STEPS:
            low, high = sorted((SIGMAS[start], SIGMAS[end]))
            sign = 1 if SIGMAS[end] > SIGMAS[start] else -1
            recorded[name_of(seed, start, end)] = tree(low, high) / (high - low) ** 0.5 * sign
    return recorded


def _quantiles() -> dict[str, list[float]]:
    special = import_module("scipy.special")
    return {str(steps): [float(special.betaincinv(BETA, BETA, share)) for share in shares(steps)] for steps in COUNTS}


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    save_file(_brownian(), BROWNIAN, {"torchsde": import_module("torchsde").__version__})
    QUANTILES.write_text(json.dumps(_quantiles()) + "\n", encoding="utf-8")
