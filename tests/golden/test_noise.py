"""The noise of every recorded seed, subseed, size and source."""

import pytest
import torch
from golden_cases import cases, report
from safetensors import safe_open

from pastelbot.diffusion.sampling.rng import ImageNoise, NoiseRecipe

# The recordings were made on a CPU, where the webui's "GPU" noise is torch's CPU generator.
SOURCES = {"GPU": "CPU", "CPU": "CPU", "NV": "NV"}


@pytest.mark.parametrize("case", cases("noise.json"), ids=lambda case: case["key"])
def test_draws_equal_the_recorded_ones(golden, case):
    """Equal to rounding: torch's normal draws are bit-equal to the recorded ones where it has vector instructions.

    Without AVX2, as on ARM, its logarithm and cosine round otherwise in the last bits, by 2e-6 at most.
    """
    count = len(case["seeds"])
    noises = [
        ImageNoise(
            NoiseRecipe(
                seed=case["seeds"][index],
                subseed=case.get("subseeds", [0] * count)[index],
                subseed_strength=case.get("subseed_strength", 0),
                resize_width=case.get("seed_resize_from_w", 0),
                resize_height=case.get("seed_resize_from_h", 0),
                seed_delta=case["eta_noise_seed_delta"],
                source=SOURCES[case["randn_source"]],
            ),
            tuple(case["shape"]),
        )
        for index in range(count)
    ]
    plain_nv = case["randn_source"] == "NV" and "subseeds" not in case
    tolerance = 1e-6 if plain_nv else 1e-5
    with safe_open(golden / "noise.safetensors", "pt") as recorded:
        for draw in range(case["draws"]):
            mine = torch.stack([noise.draw() for noise in noises])
            theirs = recorded.get_tensor(f"{case['key']}_{draw}")

            assert mine.shape == theirs.shape
            difference = (mine - theirs).abs()
            assert difference.max().item() <= tolerance
            kind = "variation" if "subseeds" in case else case["randn_source"]
            report("noise", case["key"], {kind: (difference.max().item(), difference.mean().item())})
