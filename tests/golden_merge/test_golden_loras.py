"""LoRA merges against those of kohya's script."""

import pytest
import torch
from golden.golden_cases import report
from merge_cases import assert_near, cases, half_step, needed, read_json, summary
from safetensors.torch import load_file, save_file

from pastelbot.diffusion.lora.files import open_loras
from pastelbot.diffusion.lora.targets import find_targets, text_list_order, unet_list_orders
from pastelbot.diffusion.weights.tensor_sources import SafetensorsSource
from pastelbot.workshop.lora_merge import LoraMerge
from pastelbot.workshop.numbers import PRECISIONS
from pastelbot.workshop.writing import write

SAVED = {"float": "fp32", "fp16": "fp16", "bf16": "bf16"}


def merged(case, out):
    """Merge as the case says: all LoRAs at once, or each into the rounded result of those before."""
    files = open_loras([needed("lora", name) for name in case["loras"]])
    pairs = list(zip(files, case["ratios"], strict=True))
    precision = PRECISIONS[SAVED[case["save_precision"]]]
    source = SafetensorsSource(needed("lora", case["base"]))
    for step in [[pair] for pair in pairs] if case.get("stepwise") else [pairs]:
        source = LoraMerge(source, step, precision=precision)
    write(source, out)
    return load_file(out)


def tolerance_of(case, base, expected):
    if case.get("stepwise"):
        return 3e-3
    if case["save_precision"] == "bf16":
        return 8 * half_step(expected)
    if case["save_precision"] != "fp16":
        return 1e-6
    if case["precision"] == "fp16":
        return 2 * half_step(torch.maximum(base.abs(), expected.abs()))
    return half_step(expected)


@pytest.mark.parametrize("case", cases("lora"))
def test_lora_merge_is_that_of_the_reference(case, tmp_path):
    """The tensors that the reference changed, with its numbers."""
    actual = merged(case, tmp_path / "out.safetensors")
    expected = load_file(needed("lora", case["expected"]))
    base = load_file(needed("lora", case["base"]))

    found = []
    for name, tensor in expected.items():
        assert tensor.dtype == actual[name].dtype
        found.append(assert_near(tensor, actual[name], tolerance_of(case, base[name], tensor), name))
    group = "stepwise" if case.get("stepwise") else f"{case['precision']} to {case['save_precision']}"
    report("LoRA merge", case["name"], {group: summary(found)})


@pytest.mark.parametrize("case", cases("lora"))
def test_only_the_layers_of_the_loras_change(case, tmp_path):
    """As many tensors as in the reference; every other one is the base's."""
    actual = merged(case, tmp_path / "out.safetensors")
    base = load_file(needed("lora", case["base"]))
    changed = [name for name, tensor in base.items() if not torch.equal(tensor, actual[name].to(tensor.dtype))]
    if case["save_precision"] == "float":
        changed = [name for name, tensor in base.items() if not torch.equal(tensor.float(), actual[name].float())]

    assert base.keys() == actual.keys()
    assert case["changed_keys"] == len(changed)


def test_layers_have_the_names_and_shapes_of_the_reference():
    """264 in every LoRA, 350 with convolutions."""
    expected = read_json("lora", "module_map.json")
    targets = find_targets(SafetensorsSource(needed("lora", "base_ldm.safetensors")).entries)

    assert expected.keys() == targets.keys()
    for name, module in expected.items():
        target = targets[name]
        assert (module["ldm_key"], module["shape"]) == (target.key, list(target.shape))
        assert (module["in_standard_lora"], module["conv3x3"]) == (target.standard, target.is_convolution)


def test_lists_are_in_the_order_of_the_reference():
    """That of 2023 first."""
    expected = read_json("lora", "simo_order.json")

    assert ["lora_unet_" + path.replace(".", "_") for path in expected["unet"]] == next(unet_list_orders())
    assert ["lora_te_" + path.replace(".", "_") for path in expected["text_encoder"]] == text_list_order()


def list_of(order, targets):
    """Return random factors in an order of layers."""
    generator = torch.Generator().manual_seed(len(order))
    tensors = []
    for name in order:
        rows, columns = targets[name].shape[:2]
        tensors += [torch.randn(rows, 2, generator=generator), torch.randn(2, columns, generator=generator)]
    return tensors


@pytest.mark.parametrize("place", range(3))
def test_lists_of_every_time_are_read_by_their_shapes(tmp_path, place):
    """Those of 2023, those before without feed-forward layers, and those of today's libraries."""
    base = SafetensorsSource(needed("lora", "base_ldm.safetensors"))
    targets = find_targets(base.entries)
    order = list(unet_list_orders())[place]
    tensors = list_of(order, targets)
    torch.save(tensors, tmp_path / "list.pt")
    merge = LoraMerge(base, list(zip(open_loras([tmp_path / "list.pt"]), [0.5], strict=True)), precision=torch.float32)

    for number, name in enumerate(order):
        expected = base.read(targets[name].key).float() + 0.5 * tensors[2 * number] @ tensors[2 * number + 1]
        torch.testing.assert_close(expected, merge.read(targets[name].key), rtol=0, atol=1e-5)


def test_lists_as_safetensors_are_the_same(tmp_path):
    """Numbered names instead of an order."""
    base = SafetensorsSource(needed("lora", "base_ldm.safetensors"))
    paths = [needed("lora", name) for name in ("simo_lora.pt", "simo_lora.text_encoder.pt")]
    numbered = {}
    for part, path in zip(("unet", "text_encoder"), paths, strict=True):
        for place, tensor in enumerate(torch.load(path, weights_only=True)):
            numbered[f"{part}:{place // 2}:{'down' if place % 2 else 'up'}"] = tensor.detach().clone()
    save_file(numbered, tmp_path / "list.safetensors")
    one, other = (
        LoraMerge(base, [(file, 0.6) for file in open_loras(found)])
        for found in ([paths[0]], [tmp_path / "list.safetensors"])
    )

    assert all(torch.equal(one.read(name), other.read(name)) for name in base.entries)
