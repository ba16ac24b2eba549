"""Block-weighted merges against those of the established tool."""

from collections import Counter

import pytest
import torch
from golden.golden_cases import report
from helpers.block_names import block_of
from merge_cases import assert_near, cases, half_step, needed, read_json, summary
from safetensors.torch import load_file

from pastelbot.diffusion.weights.tensor_sources import SafetensorsSource
from pastelbot.workshop.blocks import is_merged, read_weights
from pastelbot.workshop.merge import POSITION_IDS, BlockMerge
from pastelbot.workshop.numbers import PRECISIONS
from pastelbot.workshop.writing import write


def merged(case, out):
    a, b = (SafetensorsSource(needed("mbw", case[key])) for key in ("model_a", "model_b"))
    merge = BlockMerge(
        a,
        b,
        read_weights(case["weights"], case["base_alpha"]),
        precision=PRECISIONS["fp16"] if case["save_as_half"] else None,
        keep_positions=case["position_ids_mode"] == "skip",
    )
    write(merge, out)
    return load_file(out)


def tolerance_of(a, b, expected):
    """Return what the tool's own roundings are worth: it computes in the stored format."""
    size = torch.maximum(a.double().abs(), b.double().abs())
    relative = 1e-3 if a.dtype != b.dtype else 2e-6
    rounding = 2 * half_step(size) if expected.dtype == torch.float16 else 0.0
    # A term rounded to fp16 is never finer than its smallest number.
    finest = 2.0**-24 if a.dtype != b.dtype else 0.0
    return relative * size + rounding + finest


def relative(a, b, expected, actual):
    """Return the largest difference in fp16 steps, or in parts of max(A, B) where the result is float32."""
    size = torch.maximum(a.double().abs(), b.double().abs())
    unit = half_step(size) if expected.dtype == torch.float16 else size.clamp_min(2.0**-14)
    return float(((expected.double() - actual.double()).abs() / unit).max())


@pytest.mark.parametrize("case", cases("mbw"))
def test_block_merge_is_that_of_the_reference(case, tmp_path):
    """Names, formats and numbers; the positions are always sound, whatever the reference made of them."""
    actual = merged(case, tmp_path / "out.safetensors")
    expected = load_file(needed("mbw", case["expected"]))
    a, b = (load_file(needed("mbw", case[key])) for key in ("model_a", "model_b"))
    weights = read_weights(case["weights"], case["base_alpha"])
    found = []

    assert expected.keys() == actual.keys()
    for name, tensor in expected.items():
        if name.endswith(POSITION_IDS) and case["position_ids_mode"] == "none":
            assert torch.equal(torch.arange(77).unsqueeze(0), actual[name])
            continue
        assert tensor.dtype == actual[name].dtype, name
        single = not is_merged(name) or name not in a or name not in b
        if single or weights.of(name) in (0, 1):
            assert bool((tensor == actual[name]).all()), name
        else:
            assert_near(tensor, actual[name], tolerance_of(a[name], b[name], tensor), name)
            found.append(relative(a[name], b[name], tensor, actual[name]))
    unit = "fp16 steps" if torch.float16 in {tensor.dtype for tensor in expected.values()} else "of max(A, B)"
    report("block merge", case["name"], {f"{unit}{' (mixed)' if 'mismatch' in case['name'] else ''}": summary(found)})


@pytest.mark.parametrize("case", cases("mbw"))
def test_formats_are_those_of_the_reference(case, tmp_path):
    """As many of each, but for the positions that the tool may turn into fractions."""
    actual = Counter(str(tensor.dtype) for tensor in merged(case, tmp_path / "out.safetensors").values())
    expected = Counter(case["dtypes"])
    expected[case["position_ids_dtype"]] -= 1
    expected["torch.int64"] += 1

    assert +expected == actual


def test_every_tensor_has_its_block():
    """All names of a real checkpoint."""
    expected = read_json("mbw", "key_blocks.json")

    assert expected == {name: block_of(name) for name in expected}
