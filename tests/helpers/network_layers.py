"""Random layers of every kind of network, for a weight of any shape, and files of them."""

from math import prod

import torch
from safetensors.torch import save_file

BLOCK = 4


def _lora(draw, outputs, inputs, kernel):
    return {
        "lora_down.weight": draw(2, inputs, *kernel),
        "lora_up.weight": draw(outputs, 2, *[1] * len(kernel)),
        "alpha": torch.tensor(1.0),
    }


def _tucker(draw, outputs, inputs, kernel):
    return {
        "lora_down.weight": draw(2, inputs, 1, 1),
        "lora_mid.weight": draw(3, 2, *(kernel or (1, 1))),
        "lora_up.weight": draw(outputs, 3, 1, 1),
    }


def _loha(draw, outputs, inputs, kernel):
    return {
        f"hada_w{part}_{side}": draw(*((outputs, 3) if side == "a" else (3, inputs * prod(kernel))))
        for part in (1, 2)
        for side in "ab"
    } | {"alpha": torch.tensor(2.0)}


def _loha_tucker(draw, outputs, inputs, kernel):
    factors = {f"hada_w{part}_{side}": draw(3, outputs if side == "a" else inputs) for part in (1, 2) for side in "ab"}
    return factors | {f"hada_t{part}": draw(3, 3, *(kernel or (1, 1))) for part in (1, 2)}


def _lokr(draw, outputs, inputs, kernel):
    return {"lokr_w1": draw(2, 2), "lokr_w2": draw(outputs // 2, inputs // 2, *kernel)}


def _lokr_low(draw, outputs, inputs, kernel):
    return {
        "lokr_w1_a": draw(2, 1),
        "lokr_w1_b": draw(1, 2),
        "lokr_w2_a": draw(outputs // 2, 3),
        "lokr_w2_b": draw(3, inputs // 2 * prod(kernel)),
        "alpha": torch.tensor(1.5),
    }


def _lokr_tucker(draw, outputs, inputs, kernel):
    return {
        "lokr_w1": draw(2, 2),
        "lokr_w2_a": draw(3, outputs // 2),
        "lokr_w2_b": draw(3, inputs // 2),
        "lokr_t2": draw(3, 3, *(kernel or (1, 1))),
        "alpha": torch.tensor(1.0),
    }


def _ia3(draw, outputs, _inputs, _kernel):
    return {"weight": draw(outputs), "on_input": torch.tensor(False)}


def _ia3_inputs(draw, _outputs, inputs, _kernel):
    return {"weight": draw(inputs), "on_input": torch.tensor(True)}


def _oft(draw, outputs, _inputs, _kernel):
    return {"oft_blocks": draw(outputs // BLOCK, BLOCK, BLOCK), "alpha": torch.tensor(0.01)}


def _oft_free(draw, outputs, _inputs, _kernel):
    return {"oft_blocks": draw(outputs // BLOCK, BLOCK, BLOCK), "rescale": 1 + draw(outputs, 1)}


def _oft_diag(draw, outputs, _inputs, _kernel):
    return {"oft_diag": torch.eye(BLOCK) + draw(outputs // BLOCK, BLOCK, BLOCK)}


def _boft(draw, outputs, _inputs, _kernel):
    return {"oft_blocks": draw(2, outputs // BLOCK, BLOCK, BLOCK)}


def _full(draw, outputs, inputs, kernel):
    return {"diff": draw(outputs, inputs, *kernel), "diff_b": draw(outputs)}


def _glora(draw, outputs, inputs, kernel):
    tail = [1] * len(kernel)
    return {
        "a1.weight": draw(2, inputs, *tail),
        "a2.weight": draw(inputs, 2, *tail),
        "b1.weight": draw(2, inputs, *kernel),
        "b2.weight": draw(outputs, 2, *tail),
        "alpha": torch.tensor(1.0),
    }


def _dora(draw, outputs, inputs, kernel):
    return _lora(draw, outputs, inputs, kernel) | {"dora_scale": 1 + draw(1, inputs, *[1] * len(kernel))}


def _dora_outputs(draw, outputs, inputs, kernel):
    return _loha(draw, outputs, inputs, kernel) | {"dora_scale": 1 + draw(outputs, 1, *[1] * len(kernel))}


LAYERS = {
    "lora": _lora,
    "lora, tucker": _tucker,
    "loha": _loha,
    "loha, tucker": _loha_tucker,
    "lokr": _lokr,
    "lokr, low rank": _lokr_low,
    "lokr, tucker": _lokr_tucker,
    "ia3": _ia3,
    "ia3, inputs": _ia3_inputs,
    "oft": _oft,
    "oft without bound": _oft_free,
    "oft_diag": _oft_diag,
    "boft": _boft,
    "full": _full,
    "glora": _glora,
    "dora": _dora,
    "dora by output": _dora_outputs,
}


def layer(kind, shape, *, seed=1, strength=0.3):
    """Return a random layer's tensors by the ends of their names, for a weight [out, in] or [out, in, height, width].

    A weight of one dimension is that of a norm, whatever the kind.
    """
    generator = torch.Generator().manual_seed(seed)

    def draw(*size):
        return torch.randn(*size, generator=generator) * strength

    if len(shape) == 1:
        return {"w_norm": draw(*shape), "b_norm": draw(*shape)}
    outputs, inputs, *kernel = shape
    return LAYERS[kind](draw, outputs, inputs, tuple(kernel))


def write_network(path, targets, kind, *, seed=1, strength=0.05):
    """Write a network of one kind for layers by LoRA names, and return its path."""
    tensors = {
        f"{name}.{end}": tensor
        for number, (name, target) in enumerate(targets.items())
        for end, tensor in layer(kind, target.shape, seed=seed + number, strength=strength).items()
        if end != "diff_b" or target.bias
    }
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path)
    return path
