"""Check of a checkpoint's parts before anything is loaded: every tensor by its name and its shape.

The widths of a model are what most of its tensors say, so that one wrong shape is found, whichever it is.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

from pastelbot.formats.layout.tables import (
    TEXT_PREFIX,
    UNET_PREFIX,
    VAE_PREFIX,
    Dimension,
    Table,
    text_table,
    unet_table,
    vae_table,
)

Shape = tuple[int, ...]
Shapes = Mapping[str, Shape]

EMA_PREFIX = "model_ema."
NO_VAE = (
    "The VAE is missing. Name one as checkpoint.vae or with --vae, or put one in with "
    "`pastelbot vae bake CHECKPOINT VAE OUT`."
)
_MOST = 3
_INPUTS = (4, 9)  # the second with a mask and the picture under it
# A file that has this share of a part's names is meant to be it.
_ENOUGH = 0.5
_SHORTCUTS = (".skip_connection.", ".nin_shortcut.")
# What conversions from diffusers leave in the VAE's attention; the last four were its names before version 0.17.
_ATTENTION = {"to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out"} | {
    "query": "q",
    "key": "k",
    "value": "v",
    "proj_attn": "proj_out",
}
_ATTENTION_NAME = re.compile(rf"(mid\.attn_1\.)({'|'.join(map(re.escape, _ATTENTION))})(\.(?:weight|bias))$")
_TEXT_PREFIXES = re.compile(r"\A(?:cond_stage_model|text_encoders)\.clip_l\.transformer\.")
_LAYER = re.compile(r"encoder\.layers\.(\d{1,2})\.")


def original_name(name: str) -> str:
    """Return a tensor's original name where it has one of diffusers' in the VAE's attention, or ComfyUI's of CLIP."""
    name = _TEXT_PREFIXES.sub(TEXT_PREFIX, name)
    return _ATTENTION_NAME.sub(lambda found: found[1] + _ATTENTION[found[2]] + found[3], name)


def is_checkpoint(shapes: Shapes) -> bool:
    """Return whether most names of Stable Diffusion 1.x's UNet are there."""
    return _share(unet_table(), _within(shapes, UNET_PREFIX)) >= _ENOUGH


def has_ema_alone(shapes: Shapes) -> bool:
    """Return whether the UNet's weights are there only as those smoothed in training."""
    names = {ema_name(UNET_PREFIX + name) for name in unet_table()}
    return not _within(shapes, UNET_PREFIX) and len(names & shapes.keys()) >= _ENOUGH * len(names)


def ema_name(name: str) -> str:
    """Return what the smoothed counterpart of a UNet tensor is called."""
    return EMA_PREFIX + name.removeprefix("model.").replace(".", "")


def checkpoint_faults(shapes: Shapes, *, needs_vae: bool = True) -> list[str]:
    """Return sentences about what is missing or of a wrong shape in a single-file checkpoint."""
    shapes = {original_name(name): shape for name, shape in shapes.items()}
    unet, text = _within(shapes, UNET_PREFIX), _text_shapes(shapes)
    text_layout = _text_table(text)
    of_unet, of_text = _widths(unet_table(), unet), _widths(text_layout, text)
    faults = [
        *_part_faults("UNet", unet_table(), unet, of_unet),
        *_part_faults("text encoder", text_layout, text, of_text),
    ]
    if needs_vae:
        vae = _within(shapes, VAE_PREFIX)
        faults += vae_faults(vae) if vae else [NO_VAE]
    inputs = of_unet.get("inputs")
    if inputs not in (None, *_INPUTS):
        faults.append(f"The UNet takes {inputs} channels instead of {_INPUTS[0]}.")
    width, context = of_text.get("width"), of_unet.get("context")
    if not faults and width != context:
        faults.append(f"The UNet is made for a text encoder of width {context}, and the file's has {width}.")
    return faults


def vae_faults(shapes: Shapes) -> list[str]:
    """Return sentences about what is wrong with a VAE's tensors, by names without prefix."""
    renamed = {original_name(name): shape for name, shape in shapes.items()}
    flat = {
        name: (*shape, 1, 1) if "attn_1" in name and name.endswith("weight") and len(shape) == 2 else shape
        for name, shape in renamed.items()
    }
    return [*_part_faults("VAE", vae_table(), flat, _widths(vae_table(), flat))]


def _within(shapes: Shapes, prefix: str) -> dict[str, Shape]:
    return {name.removeprefix(prefix): shape for name, shape in shapes.items() if name.startswith(prefix)}


def _text_shapes(shapes: Shapes) -> dict[str, Shape]:
    """Return the text encoder's tensors; early checkpoints lack the part "text_model." of their names."""
    return {name.removeprefix("text_model."): shape for name, shape in _within(shapes, TEXT_PREFIX).items()}


def _text_table(text: Shapes) -> Table:
    layers = [int(found[1]) for name in text if (found := _LAYER.match(name)) is not None]
    return text_table(max(layers, default=0) + 1)


def _share(table: Table, shapes: Shapes) -> float:
    return len(table.keys() & shapes.keys()) / len(table)


def _part_faults(part: str, table: Table, shapes: Shapes, widths: Mapping[str, int]) -> Iterator[str]:
    if not table.keys() & shapes.keys():
        yield f"The {part} is missing."
        return
    wanted = _needed(table, widths)
    missing = [name for name in wanted if name not in shapes]
    if missing:
        yield f"The {part} lacks {_counted(missing)}."
    wrong = [
        f"{name}, which is {list(shapes[name])} instead of {list(shape)}"
        for name, shape in wanted.items()
        if name in shapes and shapes[name] != shape
    ]
    if wrong:
        yield f"The {part} has another shape at {_counted(wrong)}."


def _counted(items: list[str]) -> str:
    more = f" and {len(items) - _MOST} more" if len(items) > _MOST else ""
    return ", ".join(items[:_MOST]) + more


def _widths(table: Table, shapes: Shapes) -> dict[str, int]:
    """Return the widths by name, each as most tensors have it."""
    votes: dict[str, Counter[int]] = defaultdict(Counter)
    for name, dimensions in table.items():
        shape = shapes.get(name, ())
        if len(shape) == len(dimensions):
            for dimension, size in zip(dimensions, shape, strict=True):
                if not isinstance(dimension, int) and len(set(dimension)) == 1 and size % len(dimension) == 0:
                    votes[dimension[0]][size // len(dimension)] += 1
    return {width: counts.most_common(1)[0][0] for width, counts in votes.items()}


def _needed(table: Table, widths: Mapping[str, int]) -> dict[str, Shape]:
    """Return the shapes of a table; shortcuts are there only between different widths."""
    shapes = {name: tuple(_size(each, widths) for each in dimensions) for name, dimensions in table.items()}
    needless = {
        name.rpartition(".")[0]
        for name, shape in shapes.items()
        if any(mark in name for mark in _SHORTCUTS) and len(shape) == 4 and shape[0] == shape[1]
    }
    return {name: shape for name, shape in shapes.items() if name.rpartition(".")[0] not in needless}


def _size(dimension: Dimension, widths: Mapping[str, int]) -> int:
    return dimension if isinstance(dimension, int) else sum(widths.get(width, 0) for width in dimension)
