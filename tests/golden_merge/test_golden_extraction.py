"""Extracted LoRAs against the best that there is, and against kohya's script where it limits values."""

import pytest
import torch
from golden.golden_cases import report
from merge_cases import cases, needed, read_json, summary
from safetensors import safe_open
from safetensors.torch import load_file, save

from pastelbot.diffusion.lora.targets import find_targets
from pastelbot.diffusion.weights.tensor_sources import MergedSource, SafetensorsSource
from pastelbot.formats.hashes import lora_hashes
from pastelbot.workshop.lora_extract import Extraction, extract
from pastelbot.workshop.numbers import PRECISIONS


def sources(case):
    """Return original and tuned; a tuned model may be a file with another put over it."""
    files = [SafetensorsSource(needed("extract", name.strip())) for name in case["tuned"].split("+")]
    return SafetensorsSource(needed("extract", case["org"])), MergedSource("tuned", *files)


def extracted(case, **changes):
    how = {
        "rank": case["dim"],
        "conv_rank": case["conv_dim"],
        "clamp": case["clamp_quantile"],
        "min_difference": case["min_diff"],
        "precision": PRECISIONS[case["save_precision"] or "fp32"],
    }
    original, tuned = sources(case)
    tensors, metadata = extract(original, tuned, Extraction(**{**how, **changes}))
    differences = {
        name: tuned.read(target.key).double() - original.read(target.key).double()
        for name, target in find_targets(original.entries).items()
    }
    return tensors, metadata, differences


def product(tensors, name):
    return tensors[f"{name}.lora_up.weight"].double().flatten(1) @ tensors[f"{name}.lora_down.weight"].double().flatten(
        1
    )


@pytest.mark.parametrize("case", cases("extract"))
def test_without_limits_nothing_better_is_possible(case):
    """Residual and product are those of the best approximation."""
    modules = read_json("extract", case["modules_file"])
    tensors, _metadata, differences = extracted(case, clamp=None, precision=torch.float32)

    residuals, products = [], []
    assert modules.keys() == {name.partition(".")[0] for name in tensors}
    for name, module in modules.items():
        delta = differences[name].flatten(1)
        left, values, right = torch.linalg.svd(delta, full_matrices=False)
        best = (left[:, : module["rank"]] * values[: module["rank"]]) @ right[: module["rank"]]
        residual = float((delta - product(tensors, name)).norm())
        assert module["best_residual_fro"] == pytest.approx(residual, rel=1e-3, abs=1e-4), name
        assert float((best - product(tensors, name)).norm()) < 1e-4, name
        residuals.append(abs(residual - module["best_residual_fro"]))
        products.append(float((best - product(tensors, name)).norm()))
    report("extraction", case["name"], {"residual": summary(residuals), "product": summary(products)})


@pytest.mark.parametrize("case", cases("extract"))
def test_with_limits_the_residual_is_within_the_range(case):
    """What limits do depends on signs that are arbitrary; the best choice may not be among a few tried ones."""
    modules = read_json("extract", case["modules_file"])
    tensors, _metadata, differences = extracted(case)
    slack = 2e-3 + (2e-3 if case["save_precision"] == "fp16" else 0.0)

    for name, module in modules.items():
        low, high = module["clamped_residual_fro_range_over_sign_choices"]
        if case["sign_range"] != "exhaustive":
            low, high = module["best_residual_fro"], max(high, module["kohya_residual_fro"])
        residual = float((differences[name].flatten(1) - product(tensors, name)).norm())
        assert low - slack <= residual <= high + slack, name


@pytest.mark.parametrize("case", cases("extract"))
def test_layers_shapes_and_metadata_are_those_of_the_reference(case):
    """Any program that reads kohya's LoRAs reads ours."""
    tensors, metadata, _differences = extracted(case)
    expected = load_file(needed("extract", case["kohya_file"]))

    assert case["module_count"] == sum(name.endswith(".alpha") for name in tensors)
    assert case["te_modules"] == sum(name.startswith("lora_te_") for name in tensors) // 3
    assert {name: (tensor.shape, tensor.dtype) for name, tensor in expected.items()} == {
        name: (tensor.shape, tensor.dtype) for name, tensor in tensors.items()
    }
    assert all(torch.equal(expected[name], tensors[name]) for name in tensors if name.endswith(".alpha"))
    hashes = {"sshs_model_hash", "sshs_legacy_hash"}
    assert case["metadata"].keys() == metadata.keys()
    assert {key: case["metadata"][key] for key in metadata.keys() - hashes} == {
        key: metadata[key] for key in metadata.keys() - hashes
    }


@pytest.mark.parametrize("case", cases("extract"))
def test_hashes_are_computed_as_in_the_reference(case):
    """From the tensors, and the metadata that the trainer wrote before them."""
    path = needed("extract", case["kohya_file"])
    with safe_open(path, "pt") as file:
        metadata = {key: value for key, value in file.metadata().items() if key.startswith("ss_")}
    expected = {key: case["metadata"][key] for key in ("sshs_model_hash", "sshs_legacy_hash")}

    assert expected == lora_hashes(save(load_file(path), metadata))
