"""Twenty more spellings and contents of LoRA files: kind E of the cases from the field, and its neighbours."""

import json

import pytest
import torch
from helpers.lora_files import lora_tensors
from helpers.small_checkpoints import make_checkpoint, save

from pastelbot.diffusion.lora.files import open_lora
from pastelbot.diffusion.lora.targets import find_targets
from pastelbot.diffusion.weights.tensor_sources import MemorySource
from pastelbot.errors import CheckpointError
from pastelbot.formats.layout.network_kinds import family_of
from pastelbot.workshop.inspection import inspect_path

TARGETS = find_targets(MemorySource(make_checkpoint(), "it").entries, rare=True)
KOHYA = lora_tensors(TARGETS, conv=True)
BARE = {name: it for name, it in KOHYA.items() if not name.endswith("alpha")}


def dotted(unet, text, down=".lora_A.weight", up=".lora_B.weight"):
    """Return kohya's tensors under diffusers' names of the layers, each with a part before and behind it."""
    ends = {"lora_down.weight": down, "lora_up.weight": up}
    named = {}
    for name, it in BARE.items():
        layer, _, end = name.partition(".")
        path = TARGETS[layer].path
        named[(text if path.startswith("text_model.") else unet) + path + ends[end]] = it
    return named


def replaced(old, new, tensors=KOHYA):
    return {name.replace(old, new): it for name, it in tensors.items()}


def each(change, tensors=KOHYA):
    return {name: change(name, it) for name, it in tensors.items()}


def flat(_name, it):
    return it.flatten(1) if it.dim() == 4 and it.shape[2:] == (1, 1) else it


PEFT = "base_model.model."
FORMS = {
    "named adapter": dotted("unet.", "text_encoder.", ".lora_A.style.weight", ".lora_B.style.weight"),
    "numbered adapter": dotted("unet.", "text_encoder.", ".lora_A.default_0.weight", ".lora_B.default_0.weight"),
    "adapter with a dash": dotted("unet.", "text_encoder.", ".lora_A.my-style.weight", ".lora_B.my-style.weight"),
    "down and up with an adapter": dotted("unet.", "text_encoder.", ".lora_down.x.weight", ".lora_up.x.weight"),
    "peft inside diffusers' names": dotted(f"unet.{PEFT}", f"text_encoder.{PEFT}"),
    "first text encoder, diffusers": dotted("unet.", "text_encoder."),
    "clip_l with dots": dotted("unet.", "clip_l."),
    "first text encoder, kohya": replaced("lora_te_", "lora_te1_"),
    "clip_l of ComfyUI": dotted("diffusion_model.", "clip_l.transformer."),
    "clip_l of ComfyUI, in full": dotted("diffusion_model.", "text_encoders.clip_l.transformer."),
    "a wrapped model": {f"module.{name}": it for name, it in KOHYA.items()},
    "a wrapped network": dotted("unet.module.", "text_encoder.module."),
    "a compiled network": dotted("_orig_mod.unet.", "_orig_mod.text_encoder."),
    "a state": {f"state_dict.{name}": it for name, it in KOHYA.items()},
    "the first of two text encoders": dotted("unet.", "text_encoder_1."),
    "a text encoder in short": dotted("unet.", "te1."),
    "LyCORIS's names of both networks": replaced("lora_unet_", "lycoris_unet_", replaced("lora_te_", "lycoris_te_")),
    "names without the first part": replaced("lora_unet_", "unet_", replaced("lora_te_", "te_")),
    "factors without an ending": dotted("unet.", "text_encoder.", ".lora_A", ".lora_B"),
    "without alphas": BARE,
    "whole alphas": each(lambda name, it: it.long() if name.endswith("alpha") else it),
    "alphas in a list": each(lambda name, it: it.reshape(1) if name.endswith("alpha") else it),
    "half precision": each(lambda _name, it: it.half()),
    "bfloat16": each(lambda _name, it: it.bfloat16()),
    "matrices for convolutions of one pixel": each(flat),
    "an extra metadata tensor": KOHYA | {"lora_te_text_projection.alpha": torch.tensor(1.0)},
    "an embedding inside": KOHYA | {"bundle_emb.word.emb_params": torch.ones(1, 12)},
}


def bound(tensors, tmp_path, metadata=None):
    path = save({name: it.contiguous() for name, it in tensors.items()}, tmp_path / "a.safetensors", metadata)
    return open_lora(path).bind(TARGETS)


@pytest.mark.parametrize("name", FORMS)
def test_the_same_layers_are_changed(name, tmp_path):
    expected = bound(KOHYA, tmp_path)[0].keys()

    found, unknown = bound(FORMS[name], tmp_path)

    assert expected == found.keys()
    assert len(expected) == len(BARE) // 2
    assert all("text_projection" in each or "bundle_emb" in each for each in unknown)
    assert inspect_path(tmp_path / "a.safetensors").problems == []


@pytest.mark.parametrize("beside", [True, False])
def test_a_file_of_peft_needs_the_configuration_beside_it(beside, tmp_path):
    """Its alpha is there, and nowhere in the file."""
    if beside:
        (tmp_path / "adapter_config.json").write_text(json.dumps({"r": 2, "lora_alpha": 4}), encoding="utf-8")
        found, unknown = bound(dotted(PEFT, PEFT), tmp_path)
        assert (bound(KOHYA, tmp_path)[0].keys(), []) == (found.keys(), unknown)
        assert {2.0} == {each.load().scale for each in found.values()}
    else:
        with pytest.raises(CheckpointError, match=r"adapter_config\.json"):
            bound(dotted(PEFT, PEFT), tmp_path)


ENDS = ("down", "up")
OTHERS = {
    **{
        name: ({f"{layer}.lora_{end}.weight": (4, 4) for end in "AB"}, family)
        for name, layer, family in (
            ("peft for PixArt", "base_model.model.transformer_blocks.0.attn1.to_q", "PixArt"),
            ("peft for Wan", "base_model.model.blocks.0.self_attn.q", "Wan"),
            ("Wan, diffusers", "transformer.blocks.0.attn1.to_q", "Wan"),
            ("Wan, bare", "blocks.0.self_attn.q", "Wan"),
            ("Stable Cascade, bare", "down_blocks.0.2.attention.attn.to_q", "Stable Cascade"),
            ("Stable Cascade, kohya's start", "lora_unet_down_blocks_0_2_attention_attn_in_proj", "Stable Cascade"),
            ("Stable Cascade's mapper", "lora_unet_clip_txt_mapper", "Stable Cascade"),
            ("Lumina", "diffusion_model.layers.0.attention.qkv", "Lumina"),
            ("Lumina, kohya", "lora_unet_layers_0_attention_qkv", "Lumina"),
            ("Z-Image", "diffusion_model.noise_refiner.0.attention.to_q", "Z-Image"),
            ("AnimateDiff", "motion_modules.0.temporal_transformer.transformer_blocks.0.to_q", "AnimateDiff"),
        )
    },
    "DyLoRA, row by row": (
        {f"lora_unet_mid_block_attentions_0_proj_in.lora_{end}.{row}": (1, 4) for end in "AB" for row in range(2)},
        "is a DyLoRA as it is trained",
    ),
    "SDXL's second text encoder": ({"lora_te2_text_model_encoder_layers_0_mlp_fc1.lora_down.weight": (1, 8)}, "SDXL"),
    "Flux": ({"transformer.single_transformer_blocks.0.attn.to_q.lora_A.weight": (1, 8)}, "Flux"),
    "Flux, kohya": ({f"lora_unet_double_blocks_0_img_attn_qkv.lora_{end}.weight": (1, 1) for end in ENDS}, "Flux"),
    "SD 3": ({"transformer.joint_blocks.0.attn.to_q.lora_A.weight": (1, 8)}, "Stable Diffusion 3"),
    "T5": (
        {f"lora_te3_encoder_block_0_layer_0_SelfAttention_q.lora_{end}.weight": (1, 1) for end in ENDS},
        "Diffusion 3 or",
    ),
    "a prior": (
        {f"lora_prior_te_text_model_encoder_layers_0_mlp_fc1.lora_{end}.weight": (1, 1) for end in ENDS},
        "Cascade",
    ),
    "a language model": (
        {f"base_model.model.model.layers.0.self_attn.q_proj.lora_{end}.weight": (4, 4) for end in "AB"},
        "made for a language model",
    ),
    "a quantised one": (
        {f"base_model.model.transformer.h.0.attn.c_attn.lora_{end}.default.weight": (4, 4) for end in "AB"},
        "made for a language model",
    ),
    "DyLoRA": (
        {f"lora_unet_mid_block_attentions_0_proj_in.{end}_list.0": (1, 1) for end in ENDS},
        "is a DyLoRA as it is trained",
    ),
    "Control-LoRA": ({"lora_controlnet": (0,), "input_blocks.0.0.weight": (4, 4)}, "is a Control-LoRA"),
    "peft's OFT": ({"base_model.model.mid_block.attn.to_q.oft_R.weight": (4, 4)}, "is a network of peft, of a kind"),
    "FaceID": ({"ip_adapter.1.to_q_lora.down.weight": (4, 4), "image_proj.proj.weight": (4, 4)}, "is an IP adapter"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_models_are_named(name, tmp_path):
    shapes, words = OTHERS[name]

    with pytest.raises(CheckpointError, match=words):
        bound({key: torch.ones(shape) for key, shape in shapes.items()}, tmp_path)


@pytest.mark.parametrize(
    ("layer", "family"),
    [
        ("lora_unet_input_blocks_7_1_transformer_blocks_9_attn1_to_q", "SDXL"),
        ("lora_unet_middle_block_1_transformer_blocks_9_attn1_to_q", "SDXL"),
        ("unet.down_blocks.2.attentions.0.transformer_blocks.9.attn1.to_q", "SDXL"),
        ("lora_te_text_model_encoder_layers_22_self_attn_q_proj", "Stable Diffusion 2.x"),
        ("lora_unet_blocks_0_attn1_Wqkv", "HunyuanDiT"),
        ("lora_unet_blocks_0_self_attn_q", "Wan"),
        ("lora_unet_blocks_0_self_attn_q_proj", "Cosmos or a model with its layers, such as Anima"),
        ("diffusion_model.blocks.0.adaln_modulation_self_attn.1", "Cosmos"),
        ("transformer.joint_transformer_blocks.0.attn.to_q", "AuraFlow"),
        ("lora_te1_encoder_layers_0_self_attention_query_key_value", "Kolors"),
        ("lora_unet_transformer_blocks_0_attn1_to_q", "a transformer"),
        ("diffusion_model.layers.0.attention.qkv", "Lumina"),
        ("lora_unet_double_blocks_0_img_mlp_fc1", "HunyuanVideo"),
        ("lora_unet_single_blocks_39_linear1", "HunyuanVideo"),
        ("lora_unet_double_blocks_19_img_attn_qkv", "HunyuanVideo"),
        ("transformer.single_transformer_blocks.39.attn.to_q", "HunyuanVideo"),
        ("transformer.context_embedder.token_refiner.refiner_blocks.0.attn.to_q", "HunyuanVideo"),
        ("diffusion_model.distilled_guidance_layer.layers.0.in_layer", "Chroma"),
        ("lora_unet_double_blocks_18_img_attn_qkv", "Flux or a model with its layers"),
        ("lora_unet_double_stream_blocks_0_block_attn1_to_q", "HiDream"),
        ("transformer.transformer_blocks.0.img_mlp.net.0.proj", "Qwen-Image"),
        ("base_model.model.model.layers.11.mlp.gate_proj", "a language model"),
        ("base_model.model.bert.encoder.layer.0.attention.self.query", "a language model"),
        ("lora_te3_encoder_block_0_layer_0_SelfAttention_k", "Stable Diffusion 3 or Flux"),
        ("lora_prior_unet_down_blocks_0_1_attention", "Stable Cascade"),
        ("text_encoder.text_model.encoder.layers.0.self_attn.q_proj", None),
        ("base_model.model.text_model.encoder.layers.0.mlp.fc1", None),
        ("lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q", None),
        ("lora_te_text_model_encoder_layers_11_self_attn_q_proj", None),
    ],
)
def test_the_family_of_a_network_is_seen_in_its_layers(layer, family):
    found = family_of([f"{layer}.lora_down.weight"], {})

    assert found is None if family is None else found.startswith(family)


@pytest.mark.parametrize(
    ("key", "value", "family"),
    [
        ("modelspec.architecture", "Flux.1-dev/lora", "Flux"),
        ("modelspec.architecture", "chroma/lora", "Chroma"),
        ("ss_base_model_version", "hunyuan_video", "HunyuanVideo"),
        ("modelspec.architecture", "wan2.1/lora", "Wan"),
        ("ss_base_model_version", "sdxl_base_v1-0", "SDXL"),
        ("ss_base_model_version", "sd_1.5", "Stable Diffusion 1.x"),
    ],
)
def test_the_family_of_a_network_is_what_its_trainer_wrote(key, value, family):
    assert family == family_of(
        ["lora_unet_double_blocks_0_img_attn_qkv.alpha"] if family in ("Flux", "Chroma") else [], {key: value}
    )
