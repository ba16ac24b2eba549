"""The webui's prompt matrices: which prompts and seeds, in which order."""

import pytest
from golden_cases import cases

from pastelbot.records import GenerationRequest
from pastelbot.rules import grids

MATRICES = [
    case
    for case in cases("grids.json", "prompt_matrix")
    if case["prompt_type"] == "positive" and case["variations_delimiter"] == "comma" and not case["put_at_start"]
]


@pytest.mark.parametrize("case", MATRICES, ids=lambda case: case["prompt"])
def test_a_prompt_matrix_paints_the_recorded_prompts(case):
    first, _bar, parts = case["prompt"].partition("|")
    seed = case["all_seeds"][0]
    grid = grids.make_grid(grids.read_axis("matrix", parts), None)
    painted = grids.pictures_of(GenerationRequest(prompt=first, seed=seed, grid=grid))

    assert case["all_prompts"] == [cell.prompt for cell in painted]
    if not case["different_seeds"]:
        assert case["all_seeds"] == [cell.seed for cell in painted]
