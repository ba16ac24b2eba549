"""One LoRA under the names of every trainer: the same layers get the same numbers."""

import json

import pytest
import torch
from helpers.lora_files import lora_tensors
from helpers.small_checkpoints import make_checkpoint, save

from pastelbot.diffusion.lora.changes import add_changes
from pastelbot.diffusion.lora.files import open_lora
from pastelbot.diffusion.lora.targets import find_targets
from pastelbot.diffusion.weights.tensor_sources import MemorySource
from pastelbot.errors import CheckpointError

TARGETS = find_targets(MemorySource(make_checkpoint(), "it").entries, rare=True)
KOHYA = lora_tensors(TARGETS, conv=True, alpha=2.0)
WITHOUT_ALPHA = {name: tensor for name, tensor in KOHYA.items() if not name.endswith("alpha")}
UNET, TEXT = "model.diffusion_model.", "cond_stage_model.transformer."
OLD_PROJECTIONS = {"q_proj": "to_q", "k_proj": "to_k", "v_proj": "to_v", "out_proj": "to_out"}


def is_text(target):
    return target.path.startswith("text_model.")


def original(target):
    return target.key.removesuffix(".weight").removeprefix(UNET)


def dotted(unet, text):
    return lambda target: (text if is_text(target) else unet) + target.path


def underscored(unet, text):
    return lambda target: dotted(unet, text)(target).replace(".", "_")


def of_original(unet, text, *, dots):
    def layer(target):
        name = text + target.path if is_text(target) else unet + original(target)
        return name if dots else name.replace(".", "_")

    return layer


def with_factors(down, up):
    return {"lora_down.weight": down, "lora_up.weight": up, "alpha": ".alpha"}


BY_KOHYA = with_factors(".lora_down.weight", ".lora_up.weight")
BY_PEFT = with_factors(".lora_A.weight", ".lora_B.weight")
FORMS = {
    "kohya with the factors of peft": (underscored("lora_unet_", "lora_te_"), BY_PEFT),
    "first text encoder": (underscored("lora_unet_", "lora_te1_"), BY_KOHYA),
    "original names, kohya": (of_original("lora_unet_", "lora_te_", dots=False), BY_KOHYA),
    "the webui's own names": (of_original("diffusion_model_", "transformer_", dots=False), BY_KOHYA),
    "original names with dots": (of_original("diffusion_model.", "clip_l.", dots=True), BY_PEFT),
    "a checkpoint's names": (of_original(UNET, TEXT, dots=True), BY_KOHYA),
    "peft": (dotted("unet.", "text_encoder."), BY_PEFT),
    "peft, named adapter": (
        dotted("unet.", "text_encoder."),
        with_factors(".lora_A.default.weight", ".lora_B.default.weight"),
    ),
    "OneTrainer": (dotted("unet.", "text_encoder."), BY_KOHYA),
    "OneTrainer, clip_l": (dotted("unet.", "clip_l."), BY_KOHYA),
    "diffusers": (dotted("unet.", "text_encoder."), with_factors(".lora.down.weight", ".lora.up.weight")),
    "diffusers, text encoder of 2023": (
        dotted("unet.", "text_encoder."),
        with_factors(".lora_linear_layer.down.weight", ".lora_linear_layer.up.weight"),
    ),
    "the UNet of diffusers alone": (dotted("", "text_encoder."), BY_PEFT),
}


def renamed(tensors, form):
    """Return kohya's tensors under the names of another form."""
    layer, factors = FORMS[form]
    return {
        layer(TARGETS[name.partition(".")[0]]) + factors[name.partition(".")[2]]: tensor
        for name, tensor in tensors.items()
    }


def changes(path):
    """Return the change of each layer."""
    bound, unknown = open_lora(path).bind(TARGETS)
    shapes = {target.key: target.shape for target in TARGETS.values()}
    return {key: add_changes(torch.zeros(shapes[key]), [(each.load(), 1.0)]) for key, each in bound.items()}, unknown


def assert_same(path, other):
    (found, unknown), (expected, _) = changes(path), changes(other)
    assert unknown == []
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[key], expected[key]) for key in expected)


def is_told_apart(name, form):
    """Return whether a layer has a name of its own: the UNet's first and last and time ones need `unet.` in front."""
    return form != "the UNet of diffusers alone" or not name.startswith(("lora_unet_conv", "lora_unet_time_embedding"))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("tensors", [KOHYA, WITHOUT_ALPHA], ids=["alpha", "no alpha"])
def test_every_layer_is_found_with_its_numbers(form, tensors, tmp_path):
    tensors = {name: tensor for name, tensor in tensors.items() if is_told_apart(name, form)}

    assert_same(save(renamed(tensors, form), tmp_path / "a.safetensors"), save(tensors, tmp_path / "b.safetensors"))


def test_attention_processors_are_read(tmp_path):
    """As diffusers saved them in 2023: attention layers alone, the last projection without its number."""
    attention = {
        name: tensor
        for name, tensor in WITHOUT_ALPHA.items()
        if "_self_attn_" in name or any(f"_attn{number}_to_" in name for number in (1, 2))
    }

    def processors(name):
        target, end = TARGETS[name.partition(".")[0]], "down.weight" if "lora_down" in name else "up.weight"
        start, _, layer = target.path.removesuffix(".0").rpartition(".")
        if is_text(target):
            return f"text_encoder.{start}.{OLD_PROJECTIONS[layer]}_lora.{end}"
        return f"unet.{start}.processor.{layer}_lora.{end}"

    old = {processors(name): tensor for name, tensor in attention.items()}
    bare = {name.removeprefix("unet."): tensor for name, tensor in old.items() if name.startswith("unet.")}
    unet = {name: tensor for name, tensor in attention.items() if name.startswith("lora_unet_")}

    assert_same(save(old, tmp_path / "a.safetensors"), save(attention, tmp_path / "b.safetensors"))
    assert_same(save(bare, tmp_path / "c.safetensors"), save(unet, tmp_path / "d.safetensors"))


def with_adapter(tmp_path, values):
    metadata = {"lora_adapter_metadata": values if isinstance(values, str) else json.dumps(values)}
    return save(renamed(WITHOUT_ALPHA, "peft"), tmp_path / "a.safetensors", metadata)


def test_the_alpha_that_diffusers_writes_into_the_metadata_counts(tmp_path):
    path = with_adapter(tmp_path, {"unet.lora_alpha": 2, "text_encoder.lora_alpha": 2.0, "unet.r": 2})

    assert_same(path, save(KOHYA, tmp_path / "b.safetensors"))


@pytest.mark.parametrize("values", [{"unet.use_rslora": True}, {"text_encoder.alpha_pattern": {"q_proj": 4}}])
def test_other_scales_in_the_metadata_are_refused(values, tmp_path):
    with pytest.raises(CheckpointError, match="which Pastelbot does not paint with"):
        open_lora(with_adapter(tmp_path, values))


@pytest.mark.parametrize("values", ["{", "[]", "[" * 100_000])
def test_metadata_that_cannot_be_read_are_damage(values, tmp_path):
    with pytest.raises(CheckpointError, match="lora_adapter_metadata cannot be read"):
        open_lora(with_adapter(tmp_path, values))


def test_one_layer_under_two_names_is_refused(tmp_path):
    again = {name: tensor.clone() for name, tensor in renamed(KOHYA, "peft").items()}

    with pytest.raises(CheckpointError, match="has one layer twice"):
        open_lora(save(KOHYA | again, tmp_path / "a.safetensors"))


@pytest.mark.parametrize(
    "name",
    [
        "transformer.blocks.0.attn.to_q.lora_A.weight",
        "lora_unet_down_blocks_0_attentions_0_unlike.vera_lambda_b",
    ],
)
def test_other_forms_are_still_refused(name, tmp_path):
    """Other architectures; an unknown kind."""
    with pytest.raises(CheckpointError, match="another form than kohya's and diffusers': it has"):
        open_lora(save({name: torch.ones(1, 8)} | KOHYA, tmp_path / "a.safetensors"))


def test_sdxl_is_named_under_the_names_of_diffusers(tmp_path):
    second = {"text_encoder_2.text_model.encoder.layers.0.self_attn.q_proj.lora_A.weight": torch.ones(1, 12)}

    with pytest.raises(CheckpointError, match="is an SDXL LoRA"):
        open_lora(save(renamed(KOHYA, "peft") | second, tmp_path / "a.safetensors"))
