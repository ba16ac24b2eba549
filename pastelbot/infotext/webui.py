"""Infotext parsing as the webui does it: the fields, with those that it adds where they are missing."""

import math
import re
from collections.abc import Mapping

from pastelbot.errors import PromptError
from pastelbot.infotext.fields import Infotext, read_fields
from pastelbot.prompt.attention import parse_attention

Value = str | int | bool

SAME_SAMPLER = "Use same sampler"
SAME_SCHEDULE = "Use same scheduler"

_SIZE = re.compile(r"(\d+)x(\d+)")
_VERSION = re.compile(r"v?(\d+)\.(\d+)(?:\.(\d+))?(?:-?(rc)\d*|-(\d+))?(?:-.*)?", re.IGNORECASE)

_DEFAULTS: Mapping[str, Value] = {
    "Clip skip": "1",
    "Hires resize-1": 0,
    "Hires resize-2": 0,
    "Hires sampler": SAME_SAMPLER,
    "Hires schedule type": SAME_SCHEDULE,
    "Hires checkpoint": "Use same checkpoint",
    "Hires prompt": "",
    "Hires negative prompt": "",
    "Mask mode": "Inpaint masked",
    "Masked content": "original",
    "Inpaint area": "Whole picture",
    "Masked area padding": 32,
    "RNG": "GPU",
    "Schedule type": "Automatic",
    "Schedule max sigma": 0,
    "Schedule min sigma": 0,
    "Schedule rho": 0,
    "VAE Encoder": "Full",
    "VAE Decoder": "Full",
    "FP8 weight": "Disable",
    "Refiner switch by sampling steps": False,
}


def parse_infotext(text: str) -> dict[str, Value]:
    """Return an infotext's fields as the webui does: sizes split in two, and its assumed defaults added."""
    return interpreted(read_fields(text))


def interpreted(raw: Infotext) -> dict[str, Value]:
    """Do as `parse_infotext` with an infotext that was taken apart."""
    fields: dict[str, Value] = {"Prompt": raw.prompt, "Negative prompt": raw.negative_prompt}
    for name, value in raw.fields.items():
        if size := _SIZE.fullmatch(value):
            fields[f"{name}-1"], fields[f"{name}-2"] = size[1], size[2]
        else:
            fields[name] = value
    _add_hypernetwork(fields)
    _restore_first_pass_size(fields)
    fields = {**_DEFAULTS, **fields}
    if fields["FP8 weight"] != "Disable":
        fields.setdefault("Cache FP16 weight for LoRA", False)
    if _has_emphasis(raw.prompt) or _has_emphasis(raw.negative_prompt):
        fields.setdefault("Emphasis", "Original")
    _mark_old_behaviour(fields)
    return fields


def _add_hypernetwork(fields: dict[str, Value]) -> None:
    if name := fields.get("Hypernet"):
        fields["Prompt"] = f"{fields['Prompt']}<hypernet:{name}:{fields.get('Hypernet strength', '1.0')}>"


def _restore_first_pass_size(fields: dict[str, Value]) -> None:
    """Read the first hires fix's fields, which called the final size "Size"."""
    if "First pass size-1" not in fields or "First pass size-2" not in fields:
        return
    first = _pixels(fields, "First pass size-1", 0), _pixels(fields, "First pass size-2", 0)
    final = _pixels(fields, "Size-1", 512), _pixels(fields, "Size-2", 512)
    if 0 in first:
        first = _half_megapixel(*final)
    fields["Size-1"], fields["Size-2"] = first
    fields["Hires resize-1"], fields["Hires resize-2"] = final


def _pixels(fields: Mapping[str, Value], name: str, default: int) -> int:
    text = str(fields.get(name, default))
    return int(text) if text.isdecimal() and len(text) < 10 else default


def _half_megapixel(width: int, height: int) -> tuple[int, int]:
    """Return the size of about 512 x 512 pixels in multiples of 64 that the first hires fix began with."""
    scale = math.sqrt(512 * 512 / max(1, width * height))
    return math.ceil(scale * width / 64) * 64, math.ceil(scale * height / 64) * 64


def _has_emphasis(prompt: str) -> bool:
    try:
        return any(fragment.weight != 1.0 and fragment.text != "BREAK" for fragment in parse_attention(prompt))
    except PromptError:
        return True


def _mark_old_behaviour(fields: dict[str, Value]) -> None:
    """Add fields for what older versions of the webui did differently."""
    version = _version(str(fields.get("Version", "")))
    if version is None:
        return
    if version < (1, 6, 0, 0) and "[" in str(fields["Prompt"]):
        fields["Old prompt editing timelines"] = True
    if version < (1, 6, 0, 0) and fields.get("Sampler") in ("DDIM", "PLMS"):
        fields["Pad conds v0"] = True
    if version < (1, 7, 0, 225):
        fields["Downcast alphas_cumprod"] = True
    if version < (1, 8, 0, 0) and fields.get("Refiner"):
        fields["Refiner switch by sampling steps"] = True


def _version(text: str) -> tuple[int, int, int, int] | None:
    """Read "v1.7.0-225-gabcdef" as (1, 7, 0, 225), a release candidate as -1."""
    match = _VERSION.fullmatch(text)
    if match is None:
        return None
    commits = -1 if match[4] else int(match[5] or 0)
    return int(match[1]), int(match[2]), int(match[3] or 0), commits
