"""Kinds of networks that change a checkpoint's layers, recognised by the names of a layer's tensors.

LoRA is that of Hu et al. 2021; most of the others come from LyCORIS (Yeh et al. 2023), which names their tensors so.
Kinds are looked for in the webui's order.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class NetworkKind:
    """A kind by its usual name; a layer is of it that has all roles of one of the sets in `needed`."""

    name: str
    needed: tuple[frozenset[str], ...]


def _kind(name: str, *needed: str) -> NetworkKind:
    return NetworkKind(name=name, needed=tuple(frozenset(roles.split()) for roles in needed))


LORA = _kind("LoRA", "down up")
LOHA = _kind("LoHa", "hada_w1_a hada_w1_b hada_w2_a hada_w2_b")
IA3 = _kind("IA3", "weight on_input")
OFT = _kind("OFT", "oft_blocks", "oft_diag")
LOKR = _kind(
    "LoKr",
    "lokr_w1 lokr_w2",
    "lokr_w1 lokr_w2_a lokr_w2_b",
    "lokr_w1_a lokr_w1_b lokr_w2",
    "lokr_w1_a lokr_w1_b lokr_w2_a lokr_w2_b",
)
FULL = _kind("Full", "diff", "diff_b")
NORM = _kind("Norm", "w_norm", "b_norm")
GLORA = _kind("GLoRA", "a1 a2 b1 b2")

_KINDS = (LORA, LOHA, IA3, OFT, LOKR, FULL, NORM, GLORA)

# What a layer of any kind may have besides: numbers, the magnitudes of DoRA (Liu et al. 2024), a change added to it.
NUMBERS = ("alpha", "scale", "on_input")
DORA = "dora_scale"

# How the name of a tensor ends, other than in a LoRA.
ENDINGS = (
    r"\.(?:(?P<plain>hada_w[12]_[ab]|hada_t[12]|lokr_w[12](?:_[ab])?|lokr_t2|oft_blocks|oft_diag|rescale|diff(?:_b)?"
    r"|[wb]_norm|dora_scale|alpha|scale|bias|on_input|weight)(?:\.default)?|(?P<weighted>[ab][12])\.weight"
    r"|(?P<magnitudes>lora_magnitude_vector)(?:\.default)?(?:\.weight)?)"
)
_LYCORIS = re.compile(r".*\.(?:hada_w1_a|lokr_w1(?:_a)?|oft_blocks|oft_diag|diff(?:_b)?|[wb]_norm|on_input|a1\.weight)")


def kind_of(roles: Collection[str]) -> NetworkKind | None:
    """Return the kind of a layer that has tensors of these roles; None where none of them is whole."""
    found = frozenset(roles)
    return next((kind for kind in _KINDS if any(needed <= found for needed in kind.needed)), None)


def lacking(roles: Collection[str]) -> str | None:
    """Return the role that a layer lacks to be of a kind, None where its roles belong to none."""
    found = frozenset(roles)
    begun = [needed for kind in _KINDS for needed in kind.needed if needed & found - {"weight"}]
    nearest = min(begun, key=lambda needed: (len(needed - found), -len(needed & found)), default=None)
    return None if nearest is None else min(nearest - found)


def is_lycoris(name: str) -> bool:
    """Return whether a tensor of that name is in networks of another kind than LoRA alone."""
    return _LYCORIS.fullmatch(name) is not None


# What is in a name of a tensor, or in what the trainer wrote about the base model -> the family of checkpoints.
_FAMILIES = {
    r"motion_modules": "AnimateDiff",
    r"(?:context|noise)_refiner[._]|\blayers[._]\d+[._]attention[._]|lora_unet_layers_\d+_attention_"
    r"|\blumina|\bz-image": ("Lumina or a model with its layers, such as Z-Image"),
    # Named as Flux's but for some layers, and deeper by one block.
    r"token_refiner|img_mlp[._]fc\d|(?:img_mod|txt_mod|modulation)[._]linear|hunyuan[-_ ]?video"
    r"|double_blocks[._]19[._]|single(?:_transformer)?_blocks[._]3[89][._]": "HunyuanVideo",
    r"distilled_guidance_layer|\bchroma": "Chroma",
    r"\bflux": "Flux",
    r"double_blocks|single_transformer_blocks|single_blocks": "Flux or a model with its layers, such as Chroma",
    r"double_stream_blocks|single_stream_blocks|\bhidream": "HiDream",
    r"transformer_blocks[._]\d+[._](?:img|txt)_(?:mlp|mod)|\bqwen[-_ ]?image": "Qwen-Image",
    r"joint_blocks|\bsd3|stable-diffusion-3": "Stable Diffusion 3",
    r"lora_te3_|t5xxl[._]": "Stable Diffusion 3 or Flux",
    r"lora_prior_(?:unet|te)|(?:down|up)_blocks[._]\d[._]\d+[._]|clip_txt_(?:pooled_)?mapper"
    r"|stable[-_]cascade": "Stable Cascade",
    r"(?:^|\.)model\.(?:language_model\.)?(?:decoder\.)?layers\.\d+\.(?:self_attn|mlp|linear_attn|block_sparse)"
    r"|transformer\.(?:h|encoder\.layers|layers)\.\d+\.(?:attn|mlp|self_attention)\.|gpt_neox\."
    r"|encoder\.layer\.\d+\.attention\.": "a language model",
    r"blocks[._]\d+[._]attn[12][._](?:Wqkv|q_proj|kv_proj)": "HunyuanDiT",
    r"adaln_modulation|lora_unet_blocks_\d+_self_attn_q_proj": "Cosmos or a model with its layers, such as Anima",
    r"joint_transformer_blocks[._]\d": "AuraFlow",
    r"lora_te\d?_encoder_layers_\d+_self_attention|chatglm": "Kolors",
    r"(?:\Abase_model\.model\.|\Atransformer\.|\A)blocks\.\d+\.(?:attn[12]|ffn|self_attn|cross_attn)\."
    r"|diffusion_model[._]blocks[._]\d|lora_unet_blocks_\d|\bwan[-_ ]?2": "Wan",
    r"transformer\.transformer_blocks|lora_transformer_|(?:\Abase_model\.model\.|\A)transformer_blocks\.\d"
    r"|(?:lora_unet|diffusion_model)[._](?:transformer_blocks|layers)[._]\d": (
        "a transformer such as Stable Diffusion 3, Flux or PixArt"
    ),
    r"lora_te2_|text_encoder_2\.|clip_g\.|\bsdxl|stable-diffusion-xl": "SDXL",
    # Deeper than any of Stable Diffusion 1.x: several transformer blocks in a row, or a longer text encoder.
    r"(?:attentions|(?:in|out)put_blocks[._]\d|middle_block)[._]\d[._]transformer_blocks[._][1-9]": "SDXL",
    r"(?:lora_te|text_encoder)[._]text_model[._]encoder[._]layers[._](?:1[2-9]|2\d)[._]": "Stable Diffusion 2.x",
    r"\bsd_v2|stable-diffusion-v2": "Stable Diffusion 2.x",
    r"\bsd_v1|stable-diffusion-v1|\bsd[ _-]?1\.5": "Stable Diffusion 1.x",
}
_BASE_KEYS = ("ss_base_model_version", "modelspec.architecture")


def family_of(names: Iterable[str], metadata: Mapping[str, str]) -> str | None:
    """Return the family of checkpoints that a network was made for; None where neither names nor metadata say it."""
    texts = [*(str(metadata[key]).lower() for key in _BASE_KEYS if key in metadata), *names]
    lines = "\n".join(texts)  # no pattern has a line's end
    return next((family for pattern, family in _FAMILIES.items() if re.search(pattern, lines, re.MULTILINE)), None)


def way_out(family: str | None) -> str:
    """Return the end of a refusal: what a network was made for, and what to do."""
    made = f" It was made for {family}." if family else ""
    *others, last = [kind.name for kind in _KINDS]
    return f"{made} Use a network for Stable Diffusion 1.x of one of the kinds {', '.join(others)} or {last}."
