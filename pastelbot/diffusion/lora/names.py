"""The names that files of networks have for a layer's tensors, in the forms of all common trainers, as kohya's.

Such as `lora_unet_…to_q.lora_down.weight` (kohya; SD.Next and the webui also with original names of the UNet),
`unet.….to_q.lora_A.weight` (diffusers with peft, OneTrainer) and `unet.….attn1.processor.to_q_lora.down.weight`
(diffusers before peft, where `unet.` may be absent).
"""

import re
from collections.abc import Mapping
from pathlib import Path

from pastelbot.diffusion.lora.targets import TEXT, UNET
from pastelbot.errors import CheckpointError
from pastelbot.formats.json_texts import parse_json
from pastelbot.formats.layout.network_kinds import DORA, ENDINGS

_FACTOR = re.compile(
    r"(?P<layer>.+?)(?:\.lora_(?P<one>down|up|mid|A|B)(?:(?:\.[\w-]+)?\.weight)?"
    r"|(?:\.lora|_lora|\.lora_linear_layer)\.(?P<other>down|up)\.weight"
    rf"|{ENDINGS})"
)
_OTHER_ROLES = {"A": "down", "B": "up", "lora_magnitude_vector": DORA}
_PREFIXES = {
    "lora_unet_": UNET,
    "lora_te_": TEXT,
    "oft_unet_": UNET,
    "lora_te1_": TEXT,  # as the webui's map of layers has it, for models with one text encoder too
    "lycoris_unet_": UNET,
    **dict.fromkeys(("lycoris_te_", "lycoris_te1_", "lycoris_text_encoder_", "te_", "te1_"), TEXT),
    "lycoris_": UNET,  # SimpleTuner
    "unet_": UNET,
    "text_encoder_text_model_": f"{TEXT}text_model_",
    "diffusion_model_": UNET,
    "transformer_text_model_": f"{TEXT}text_model_",
    "unet.": UNET,
    **dict.fromkeys(("text_encoder.", "text_encoder_1.", "te.", "te1."), TEXT),
    "clip_l.transformer.": TEXT,
    "clip_l.": TEXT,
    "text_encoders.clip_l.transformer.": TEXT,
    "diffusion_model.": UNET,
    "model.diffusion_model.": UNET,
    "cond_stage_model.transformer.": TEXT,
    "text_model.": f"{TEXT}text_model_",
    "down_blocks.": f"{UNET}down_blocks_",
    "mid_block.": f"{UNET}mid_block_",
    "up_blocks.": f"{UNET}up_blocks_",
}
# What training programs and torch's wrappers put before names, or between a network's and its layer's.
_WRAPPED = re.compile(r"\A(?:(?:state_dict|network|lora|model)\.)++(?=lora_|unet[._]|text_encoder[._]|te1?[._])")
_WRAPPERS = re.compile(r"(?:\A|(?<=\.))(?:module|_orig_mod|_fsdp_wrapped_module)\.")
_TEXT_PROJECTIONS = {"to_q": "q_proj", "to_k": "k_proj", "to_v": "v_proj", "to_out": "out_proj"}
_ADAPTER = "lora_adapter_metadata"
PEFT = "base_model.model."
_PEFT_CONFIG = "adapter_config.json"


def read_factor_name(name: str) -> tuple[str, str] | None:
    """Return kohya's name of the layer and the role ("down", "up", "mid", "alpha", ...); None for any other form."""
    name = _WRAPPED.sub("", _WRAPPERS.sub("", name)).replace(PEFT, "", 1)
    match = _FACTOR.fullmatch(name)
    prefix = next((prefix for prefix in _PREFIXES if name.startswith(prefix)), None)
    if match is None or prefix is None:
        return None
    role = next(found for key, found in match.groupdict().items() if key != "layer" and found)
    path = match["layer"].removeprefix(prefix).replace(".processor.", ".")
    layer = (_PREFIXES[prefix] + path).replace(".", "_")
    return _layer_of_processors(layer), _OTHER_ROLES.get(role, role)


def adapter_alphas(label: str, metadata: Mapping[str, str]) -> dict[str, float]:
    """Return the alphas of UNet and text encoder, by kohya's prefix, that diffusers writes into a file's metadata.

    Raises CheckpointError where they are not one number each, times 1 / rank, as in every other LoRA.
    """
    values = _settings(label, _ADAPTER, metadata.get(_ADAPTER, "{}"))
    found = {prefix: _alpha(label, values, f"{part}.") for part, prefix in (("unet", UNET), ("text_encoder", TEXT))}
    return {prefix: alpha for prefix, alpha in found.items() if alpha is not None}


def peft_alphas(path: Path) -> dict[str, float]:
    """Return the alphas of a file that peft itself has written, which are in a file beside it.

    Raises CheckpointError where that file is missing, or has other than one number.
    """
    config = path.with_name(_PEFT_CONFIG)
    try:
        text = config.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise CheckpointError(
            f"{path} is a LoRA as peft saves it, without its alpha: put its {_PEFT_CONFIG} beside it, or save it with "
            "diffusers' save_lora_weights."
        ) from error
    alpha = _alpha(str(path), _settings(str(path), _PEFT_CONFIG, text), "")
    return {} if alpha is None else dict.fromkeys((UNET, TEXT), alpha)


def _settings(label: str, what: str, text: str) -> Mapping[str, object]:
    try:
        values = parse_json(text)
    except ValueError:
        values = None
    if not isinstance(values, dict):
        raise CheckpointError(f"{label} is damaged: its {what} cannot be read.")
    return values


def _alpha(label: str, values: Mapping[str, object], prefix: str) -> float | None:
    for key in ("alpha_pattern", "use_rslora"):
        if values.get(f"{prefix}{key}"):
            raise CheckpointError(f"{label} is a LoRA with {key}, which Pastelbot does not paint with.")
    alpha = values.get(f"{prefix}lora_alpha")
    return float(alpha) if isinstance(alpha, int | float) else None


def _layer_of_processors(layer: str) -> str:
    """Return a layer's own name where attention processors, diffusers' of 2023, had another for it."""
    if layer.startswith(TEXT):
        start, found, projection = layer.rpartition("_self_attn_")
        return f"{start}{found}{_TEXT_PROJECTIONS.get(projection, projection)}"
    return f"{layer}_0" if layer.endswith("_to_out") else layer
