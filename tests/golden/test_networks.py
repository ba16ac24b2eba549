"""What each recorded network changes: the layers, the differences of their weights and biases, and its hash."""

from pathlib import Path

import pytest
from golden_cases import cases, folder, report
from safetensors.torch import load_file

from pastelbot.diffusion.checkpoint import loading
from pastelbot.diffusion.lora.files import open_lora
from pastelbot.diffusion.lora.patch import NetworkPatches
from pastelbot.formats.hashes import lora_hash

TOLERANCE = 1e-6
# The recordings' name of a kind -> its usual name.
NAMES = {"Lora": "LoRA", "Hada": "LoHa", "Ia3": "IA3", "Lokr": "LoKr", "GLora": "GLoRA"}
CASES = cases("networks.json")


@pytest.fixture(scope="module")
def patches(tiny_sd):
    tiny = loading.load(str(tiny_sd), device="cpu", precision="fp32")
    return NetworkPatches(tiny.unet, tiny.text_encoder, {})


@pytest.fixture(scope="module")
def recorded():
    return load_file(Path(folder()) / "networks.safetensors")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_network_changes_what_it_changed_there(golden, patches, recorded, case):
    file = open_lora(golden / case["file"])
    bound, _unknown = file.bind(patches.targets)
    weights = {**patches.unet.layers, **patches.text.layers}
    differences = {}
    for layer in case["deltas"]:
        for part in ("weight", "bias")[: 1 + layer["bias"]]:
            key = f"{layer['layer']}.{part}"
            mine = bound[key].load().difference(weights[key].weight.detach().float())
            differences[key] = (mine - recorded[f"{case['name']}/{key}"]).abs().max().item()

    assert {key.rpartition(".")[0] for key in bound} == set(case["layers"])
    assert {module.kind.name for module in file.modules} == {NAMES.get(name, name) for name in case["types"]}
    assert [*file.embeddings] == case["bundled_embeddings"]
    assert lora_hash(file.path, file.metadata.get("sshs_model_hash"))[:12] == case["shorthash"]
    for key, difference in differences.items():
        assert difference <= TOLERANCE, key
    report("networks", case["name"], {"difference": (max(differences.values()), 0.0)})
