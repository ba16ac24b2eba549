"""Identification of a weights file by the names and shapes of its tensors."""

import re
from collections.abc import Callable

from pastelbot.formats.layout.checking import Shapes, has_ema_alone, is_checkpoint, original_name
from pastelbot.formats.layout.network_kinds import is_lycoris

SD1 = "a Stable Diffusion 1.x checkpoint"
_SD1_INPAINTING = "an inpainting model of Stable Diffusion 1.x"
CHECKPOINTS = (SD1, _SD1_INPAINTING)
SD1_EMA = "a Stable Diffusion 1.x checkpoint with its EMA weights alone (`pastelbot convert --ema use` makes it usable)"
SD1_VAE = "a VAE of Stable Diffusion"
SDXL_UNET = "an SDXL UNet of diffusers"
EMBEDDING = "a textual inversion embedding"
HYPERNETWORK = "a hypernetwork"
NETWORKS = ("a LoRA", "a LyCORIS network")
_DYLORA = "a DyLoRA as it is trained (export it as a LoRA)"
_ROW_OF_DYLORA = re.compile(r"\.lora_[AB]\.\d+$")
_IP_ADAPTER = "an IP adapter"
_HYPERNETWORK_WIDTHS = {320, 640, 768, 1280}
_LEAST_WIDTH = 8  # numbers of an embedding's vector
_CROSS_ATTENTION = "model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight"
_DEEPER_CROSS_ATTENTION = "model.diffusion_model.input_blocks.4.1.transformer_blocks.0.attn2.to_k.weight"
_INPAINTING = 9  # channels: latents, a mask, and the latents of what stays
_PREFIXED = re.compile(
    r"(?!model\.diffusion|first_stage|cond_stage|model_ema)(\w[\w.]*?\.)(?:model\.diffusion_model|first_stage_model)\."
    r"|(?:model\.diffusion_model\.)((?:_orig_mod|_fsdp_wrapped_module|module)\.)"
)
_FIRST_CONVOLUTION = "model.diffusion_model.input_blocks.0.0.weight"


def identify(shapes: Shapes) -> str | None:
    """Return what the tensors are, with its article, or None for something never seen."""
    shapes = {original_name(name): shape for name, shape in shapes.items()}
    if not _has_unet(shapes) and (prefix := _prefixed(shapes)) is not None:
        return f"a checkpoint with the extra part {prefix} in its tensors' names (save it without)"
    return next((kind for kind, fits in _KINDS if fits(shapes)), None)


def kind_of_pickle(content: object) -> str | None:
    """Return what a pickled file is, inferred from its outermost names; None where only its tensors show it."""
    if not isinstance(content, dict):
        return "an unknown kind of file"
    if "string_to_param" in content:
        return EMBEDDING
    if "state_dict" in content:
        return "a full checkpoint"
    if "ip_adapter" in content:
        return _IP_ADAPTER
    return HYPERNETWORK if content.keys() & _HYPERNETWORK_WIDTHS else None


def _any(*parts: str) -> Callable[[Shapes], bool]:
    return lambda shapes: any(part in name for name in shapes for part in parts)


def _first(*starts: str) -> Callable[[Shapes], bool]:
    return lambda shapes: any(name.startswith(starts) for name in shapes)


def _one_word(shapes: Shapes) -> bool:
    """Return whether all there is are vectors under one name, as the embeddings of diffusers have their word."""
    ((name, shape),) = shapes.items() if len(shapes) == 1 else (("", ()),)
    is_layers = name.endswith((".weight", ".bias", ".alpha"))
    return not is_layers and 1 <= len(shape) <= 2 and shape[-1] >= _LEAST_WIDTH and all(shape)


def _words(shapes: Shapes) -> bool:
    """Return whether all there is are vectors of one width under words, as diffusers saves several embeddings."""
    widths = {shape[-1] if 1 <= len(shape) <= 2 else 0 for shape in shapes.values()}
    return len(widths) == 1 and min(widths) >= _LEAST_WIDTH and not any("." in name for name in shapes)


def _prefixed(shapes: Shapes) -> str | None:
    """Return what stands before all names of a checkpoint where a program has put something there."""
    found = (_PREFIXED.match(name) for name in shapes)
    return next((match[1] or match[2] for match in found if match), None)


def _width(shapes: Shapes) -> int:
    """Return the dimension of the conditioning that the UNet was made for, or 0."""
    shape = shapes.get(_CROSS_ATTENTION) or shapes.get(_DEEPER_CROSS_ATTENTION) or (0, 0)
    return shape[-1]


def _inputs(shapes: Shapes) -> int:
    return shapes[_FIRST_CONVOLUTION][1] if len(shapes.get(_FIRST_CONVOLUTION, ())) == 4 else 0


def _has_unet(shapes: Shapes) -> bool:
    return _inputs(shapes) in (4, _INPAINTING) or is_checkpoint(shapes)


def _has_vae(shapes: Shapes) -> bool:
    return any(name.removeprefix("first_stage_model.") == "decoder.conv_in.weight" for name in shapes)


def _is_packed(name: str, shapes: Shapes) -> bool:
    """Return whether a tensor belongs to a weight that bitsandbytes has packed into one column."""
    packed = shapes.get(name.removesuffix(".absmax"), ()) if name.endswith(".absmax") else ()
    return len(packed) == 2 and packed[1] == 1


_SPECIAL_INPUTS = {
    8: "an InstructPix2Pix model, which is shown a whole picture",
    5: "a depth model of Stable Diffusion 2, which needs a depth map",
    7: "an upscaling model of Stable Diffusion 2",
}

_KINDS: tuple[tuple[str, Callable[[Shapes], bool]], ...] = (
    (_IP_ADAPTER, _any("ip_adapter.")),
    ("a Control-LoRA", _any("lora_controlnet")),
    (_DYLORA, lambda shapes: any(map(_ROW_OF_DYLORA.search, shapes))),
    (NETWORKS[0], _any("lora_down", "lora_up", "lora_A", "lora_B", "lora.down", "lora.up", "lora_linear_layer")),
    (NETWORKS[1], lambda shapes: any(map(is_lycoris, shapes))),
    ("a ControlNet", _any("control_model.", "controlnet_cond_embedding", "input_hint_block")),
    ("a T2I adapter", _any("adapter.body.", "body.0.block1")),
    ("a motion module of AnimateDiff", _any("motion_modules.")),
    ("an image encoder (CLIP vision)", _any("vision_model.encoder.")),
    ("a VeRA network", _any("vera_lambda")),
    (_DYLORA, _any(".up_list.", ".down_list.")),
    (
        "a network of peft, of a kind that is not painted with",
        _any(".oft_R", ".oft_r.", ".boft_", ".ia3_l", "fourierft_", "vblora_"),
    ),
    ("spectral shifts of SVDiff", _any(".delta")),
    ("weights of Custom Diffusion", _any("custom_diffusion")),
    ("a Stable Diffusion 3 checkpoint", _any("joint_blocks.")),
    ("a HunyuanVideo checkpoint", _any("token_refiner.", "double_blocks.0.img_attn_qkv.")),
    ("a Chroma checkpoint", _any("distilled_guidance_layer.")),
    ("a Flux checkpoint", _any("double_blocks.", "single_transformer_blocks.")),
    ("a HiDream checkpoint", _any("double_stream_blocks.")),
    ("a Qwen-Image checkpoint", _any("transformer_blocks.0.img_mod.")),
    ("a Wan checkpoint", _any("blocks.0.cross_attn.", "blocks.0.cross_attn_norm.")),
    ("a transformer such as PixArt", _any("adaln_single.")),
    ("a text encoder (T5)", _any("encoder.block.0.layer.0.SelfAttention")),
    ("a language model", _any("model.layers.0.self_attn.", "model.layers.0.mlp.", "transformer.h.0.")),
    ("a Stable Cascade checkpoint", _any("down_blocks.0.0.channelwise.", "clip_txt_pooled_mapper")),
    ("an SDXL refiner checkpoint", lambda shapes: _width(shapes) == 1280),
    ("an SDXL checkpoint", _first("conditioner.embedders.")),
    ("an SDXL checkpoint", lambda shapes: _width(shapes) == 2048),
    *((kind, lambda shapes, count=count: _inputs(shapes) == count) for count, kind in _SPECIAL_INPUTS.items()),
    (
        "a Stable Diffusion 2.x checkpoint",
        lambda shapes: _first("cond_stage_model.model.")(shapes) or _width(shapes) == 1024,
    ),
    (
        "a checkpoint that is quantised for bitsandbytes: download it in half precision",
        lambda shapes: _has_unet(shapes) and any(_is_packed(name, shapes) for name in shapes),
    ),
    (
        "a checkpoint in scaled fp8, for other programs: download it in half precision",
        lambda shapes: _has_unet(shapes) and _any("scaled_fp8", ".scale_weight", ".weight_scale")(shapes),
    ),
    (
        "the UNet of a checkpoint without its text encoder",
        lambda shapes: _has_unet(shapes) and not _first("cond_stage_model.")(shapes),
    ),
    (_SD1_INPAINTING, lambda shapes: _inputs(shapes) == _INPAINTING),
    (SD1, _has_unet),
    (SD1_EMA, has_ema_alone),
    ("a UNet without its other parts", _first("input_blocks.0.0.", "diffusion_model.input_blocks.")),
    (SDXL_UNET, _first("add_embedding.")),
    ("a UNet of diffusers without its other parts", _first("down_blocks.0.resnets.")),
    ("a small VAE for previews (TAESD)", _first("decoder.layers.", "encoder.layers.0.weight", "3.conv.0.weight")),
    (SD1_VAE, _has_vae),
    (
        "the parts of a diffusers folder in one file: save each in a folder of its own",
        lambda shapes: _first("unet.")(shapes) and _first("vae.", "text_encoder.")(shapes),
    ),
    ("a text encoder", _any("text_model.encoder.layers.")),
    ("a network of a kind that is not painted with", _first("lora_unet_", "lora_te_", "lycoris_")),
    (EMBEDDING, _any("emb_params", "string_to_param", "clip_l")),
    (EMBEDDING, _one_word),
    (EMBEDDING, _words),
    (HYPERNETWORK, _any("linear1.weight", ".linear.0.weight")),
    ("an upscaler (ESRGAN)", _any("body.0.rdb", "RRDB_trunk", "model.1.sub.")),
)
