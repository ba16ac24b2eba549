"""LoRAs in the weights of loaded networks: for every form of file what the workshop merges, to the last bit."""

import random
from dataclasses import replace

import pytest
import torch
from merge_cases import cases, needed
from safetensors.torch import load_file, save_file

from pastelbot.diffusion.lora.files import open_loras
from pastelbot.diffusion.lora.library import LoraLibrary, text_set, unet_set
from pastelbot.diffusion.lora.patch import NetworkPatches, original_formats
from pastelbot.diffusion.networks.build import build_text_encoder, build_unet
from pastelbot.diffusion.weights.files import read_file
from pastelbot.diffusion.weights.original_names import layout_of_diffusers, original_text_name, original_unet_name
from pastelbot.diffusion.weights.tensor_sources import SafetensorsSource
from pastelbot.formats.network_files import LoraFiles
from pastelbot.workshop.lora_merge import LoraMerge

pytestmark = pytest.mark.long

# Painting changes these layers too, kohya's merge does not.
RARE = {
    f"model.diffusion_model.{name}.weight" for name in ("input_blocks.0.0", "out.2", "time_embed.0", "time_embed.2")
}
RARE_LAYERS = ("lora_unet_conv_in", "lora_unet_conv_out", "lora_unet_time_embedding")

CPU = torch.device("cpu")
PARTNER = ".text_encoder.pt"
FILES = sorted({name for case in cases("lora") if case.values[0] for name in case.values[0]["loras"]})
FILES = [name for name in FILES if not name.endswith(PARTNER)]


class Loaded:
    """The reference's small checkpoint as the engine loads it, with a folder of LoRAs."""

    def __init__(self, path, folder):
        weights = read_file(path)
        # A file does not say how many groups its norms have; these layers are narrow.
        small = replace(weights.unet, config={**weights.unet.config, "norm_num_groups": 4})
        stored = original_formats(weights.unet.tensors, weights.text_encoder.tensors)
        self.unet = build_unet(small, CPU, torch.float32)
        self.text = build_text_encoder(weights.text_encoder, CPU, torch.float32)
        self.library = LoraLibrary(NetworkPatches(self.unet, self.text, stored), LoraFiles(folder))

    def use(self, prompt):
        used = self.library.of_prompt(prompt)
        self.library.use_in_unet(unet_set(used))
        self.library.use_in_text_encoder(text_set(used))
        return used

    def weights(self):
        """Return copies of all weights by their original names."""
        unet, text = dict(self.unet.named_parameters()), self.text.named_parameters()
        layout = layout_of_diffusers(unet)
        named = {original_unet_name(name, layout): tensor for name, tensor in unet.items()}
        named |= {original_text_name(name.removeprefix("text_model.")): tensor for name, tensor in text}
        return {name: tensor.detach().clone() for name, tensor in named.items()}


@pytest.fixture
def loaded(tmp_path):
    for name in FILES:
        for path in (needed("lora", name), needed("lora", name).with_suffix(PARTNER)):
            if path.exists():
                (tmp_path / path.name).symlink_to(path)
    return Loaded(needed("lora", "base_ldm.safetensors"), tmp_path)


def merge(base, *loras):
    """Return what the workshop merges, as float32, without the layers that only painting changes."""
    paths = [needed("lora", name) for name, _ratio in loras]
    source = LoraMerge(base, [(file, ratio) for file, (_, ratio) in zip(open_loras(paths), loras, strict=True)])
    return {name: source.read(name).float() for name in source.entries if name not in RARE}


def assert_same(expected, actual):
    both = expected.keys() & actual.keys()
    different = [name for name in both if not torch.equal(expected[name].flatten(), actual[name].flatten())]

    assert len(both) > 100
    assert different == []


def stem(name):
    return name.rpartition(".")[0]


@pytest.mark.parametrize("weight", [0.3, -1.7, 1.0])
@pytest.mark.parametrize("name", FILES)
def test_every_form_of_file_is_used_as_it_is_merged(loaded, name, weight):
    base = SafetensorsSource(needed("lora", "base_ldm.safetensors"))
    before = loaded.weights()
    used = loaded.use(f"1girl<lora:{stem(name)}:{weight}>")

    assert_same(merge(base, (name, weight)), loaded.weights())
    unknown = LoraMerge(base, [(open_loras([needed("lora", name)])[0], weight)]).unknown.get(name, [])
    assert [*used[0].lora.unknown] == [layer for layer in unknown if not layer.startswith(RARE_LAYERS)]
    loaded.use("1girl")
    assert_same(before, loaded.weights())


def test_text_encoder_and_unet_are_merges_of_their_own(loaded):
    """`te:unet` is the one merge in the text encoder and the other in the UNet."""
    base = SafetensorsSource(needed("lora", "base_ldm.safetensors"))
    name = next(name for name in FILES if name.startswith("mixed"))
    loaded.use(f"1girl<lora:{stem(name)}:-0.4:0.9>")
    text, unet = merge(base, (name, -0.4)), merge(base, (name, 0.9))

    assert_same({key: (unet if "diffusion_model" in key else text)[key] for key in unet}, loaded.weights())


def test_fifty_changes_of_sets_leave_no_trace(loaded):
    """Of any LoRAs, several at once, one of them twice: always the merge of these, and in the end the originals."""
    rng = random.Random(7)
    base = SafetensorsSource(needed("lora", "base_ldm.safetensors"))
    before = loaded.weights()
    for change in range(50):
        chosen = [(rng.choice(FILES), rng.choice((0.0, 0.35, -0.5, 1.0))) for _ in range(rng.randrange(4))]
        loaded.use("1girl" + "".join(f"<lora:{stem(name)}:{weight}>" for name, weight in chosen))
        if change % 10 == 0 and chosen:
            assert_same(merge(base, *chosen), loaded.weights())
    loaded.use("1girl")

    assert_same(before, loaded.weights())


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_checkpoints_of_other_formats_are_rounded_as_they_are_merged(tmp_path, dtype):
    """The UNet in one format and the text encoder in another."""
    tensors = {
        name: tensor.to(dtype) if "diffusion_model" in name else tensor
        for name, tensor in load_file(needed("lora", "base_ldm.safetensors")).items()
    }
    save_file(tensors, tmp_path / "base.safetensors")
    (tmp_path / "loras").mkdir()
    for name in FILES[:3]:
        (tmp_path / "loras" / name).symlink_to(needed("lora", name))
    loaded = Loaded(tmp_path / "base.safetensors", tmp_path / "loras")
    loras = [(name, 0.6) for name in FILES[:3]]
    loaded.use("".join(f"<lora:{stem(name)}:{weight}>" for name, weight in loras))

    assert_same(merge(SafetensorsSource(tmp_path / "base.safetensors"), *loras), loaded.weights())
