"""The names that files of networks have for a layer's tensors, in the forms of all common trainers, as kohya's.

Such as `lora_unet_…to_q.lora_down.weight` (kohya; SD.Next and the webui also with original names of the UNet),
`unet.….to_q.lora_A.weight` (diffusers with peft, OneTrainer) and `unet.….attn1.processor.to_q_lora.down.weight`
(diffusers before peft, where `unet.` may be absent).
"""

import json
import re
from collections.abc import Mapping

from pastelbot.diffusion.lora.targets import TEXT, UNET
from pastelbot.errors import CheckpointError
from pastelbot.formats.layout.network_kinds import DORA, ENDINGS

_FACTOR = re.compile(
    r"(?P<layer>.+?)(?:\.lora_(?P<one>down|up|mid|A|B)(?:\.default)?\.weight"
    r"|(?:\.lora|_lora|\.lora_linear_layer)\.(?P<other>down|up)\.weight"
    rf"|{ENDINGS})"
)
_OTHER_ROLES = {"A": "down", "B": "up", "lora_magnitude_vector": DORA}
_PREFIXES = {
    "lora_unet_": UNET,
    "lora_te_": TEXT,
    "oft_unet_": UNET,
    "lora_te1_": TEXT,  # as the webui's map of layers has it, for models with one text encoder too
    "diffusion_model_": UNET,
    "transformer_text_model_": f"{TEXT}text_model_",
    "unet.": UNET,
    "text_encoder.": TEXT,
    "clip_l.": TEXT,
    "diffusion_model.": UNET,
    "model.diffusion_model.": UNET,
    "cond_stage_model.transformer.": TEXT,
    "down_blocks.": f"{UNET}down_blocks_",
    "mid_block.": f"{UNET}mid_block_",
    "up_blocks.": f"{UNET}up_blocks_",
}
_TEXT_PROJECTIONS = {"to_q": "q_proj", "to_k": "k_proj", "to_v": "v_proj", "to_out": "out_proj"}
_ADAPTER = "lora_adapter_metadata"


def read_factor_name(name: str) -> tuple[str, str] | None:
    """Return kohya's name of the layer and the role ("down", "up", "mid", "alpha", ...); None for any other form."""
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
    try:
        values = json.loads(metadata.get(_ADAPTER, "{}"))
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise CheckpointError(f"{label} is damaged: its {_ADAPTER} cannot be read.")
    alphas = {}
    for part, prefix in (("unet", UNET), ("text_encoder", TEXT)):
        for key in ("alpha_pattern", "use_rslora"):
            if values.get(f"{part}.{key}"):
                raise CheckpointError(f"{label} is a LoRA with {key}, which Pastelbot does not paint with.")
        alpha = values.get(f"{part}.lora_alpha")
        if isinstance(alpha, int | float):
            alphas[prefix] = float(alpha)
    return alphas


def _layer_of_processors(layer: str) -> str:
    """Return a layer's own name where attention processors, diffusers' of 2023, had another for it."""
    if layer.startswith(TEXT):
        start, found, projection = layer.rpartition("_self_attn_")
        return f"{start}{found}{_TEXT_PROJECTIONS.get(projection, projection)}"
    return f"{layer}_0" if layer.endswith("_to_out") else layer
