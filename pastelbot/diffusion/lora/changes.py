"""What networks of each kind change: one function a kind gives the difference of a layer's weight, in float32.

The formulas are those of the papers; where trainers differ, those of the webui's extension for networks are kept, and
its number formats: it multiplies and adds some kinds in the format of their file, often half precision, which shows in
pictures. So what was painted with a network there is the same here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from pastelbot.formats.layout.network_kinds import DORA, FULL, GLORA, IA3, LOHA, LOKR, LORA, NORM, OFT, NetworkKind

_SMALL = 1e-8
_IN_FLOAT32 = (LORA, IA3)  # the others in the number format of their file
_INPAINTING_INPUTS = 9

Tensors = Mapping[str, Tensor]
Numbers = Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class Change:
    """The change of one weight: its tensors by role, in the file's own number format, and its single numbers."""

    kind: NetworkKind
    tensors: Tensors
    numbers: Numbers

    @property
    def rank(self) -> int | None:
        """Return the rank that an alpha is divided by; None for kinds without one."""
        roles = {LORA: ("down",), LOHA: ("hada_w1_b",), LOKR: ("lokr_w2_b", "lokr_w1_b")}.get(self.kind, ())
        return next((self.tensors[role].shape[0] for role in roles if role in self.tensors), None)

    @property
    def scale(self) -> float:
        """Return what the difference is multiplied by: the file's own scale, else alpha / rank, else 1."""
        if self.kind is OFT:
            return 1.0
        if "scale" in self.numbers or self.rank is None or "alpha" not in self.numbers:
            return self.numbers.get("scale", 1.0)
        return self.numbers["alpha"] / self.rank

    @property
    def size(self) -> int:
        """Return the bytes that it takes."""
        return sum(tensor.nbytes for tensor in self.tensors.values())

    def first(self, rank: int | None) -> "Change":
        """Return the first ranks of a LoRA alone, scaled as before, as the webui does without a middle factor."""
        own = self.rank
        if rank is None or own is None or rank >= own or self.kind is not LORA or "mid" in self.tensors:
            return self
        tensors = {**self.tensors, "down": self.tensors["down"][:rank], "up": self.tensors["up"][:, :rank]}
        return replace(self, tensors=tensors, numbers={**self.numbers, "scale": self.scale})

    def moved(self, device: torch.device) -> "Change":
        """Return it on a device."""
        return replace(self, tensors={role: _moved(tensor, device) for role, tensor in self.tensors.items()})

    def owned(self) -> "Change":
        """Return it with tensors that hang on no file: what is mapped would vanish with it."""
        return replace(self, tensors={role: tensor.clone() for role, tensor in self.tensors.items()})

    def raw(self, weight: Tensor) -> Tensor:
        """Return the kind's difference of a float32 weight, neither scaled nor given the weight's shape."""
        tensors = self.tensors
        if self.kind in _IN_FLOAT32:
            tensors = {role: tensor.float() for role, tensor in tensors.items()}
        difference = _DIFFERENCES[self.kind](tensors, self.numbers, weight)
        return difference.reshape(tensors["bias"].shape) + tensors["bias"] if "bias" in tensors else difference

    def difference(self, weight: Tensor) -> Tensor:
        """Return the difference of a float32 weight; raises RuntimeError where it was made for another shape."""
        shaped = _shaped(self.raw(weight), weight) * self.scale
        if DORA not in self.tensors:
            return shaped
        weight = weight.to(shaped.dtype)
        return _with_magnitudes(weight + shaped, self.tensors[DORA].to(shaped.dtype)) - weight


def add_changes(weight: Tensor, changes: Sequence[tuple[Change, float]]) -> Tensor:
    """Return a weight with all changes, each times its ratio, in float32, which the caller rounds.

    One after the other, as in the webui, because what a change is may depend on the weight.
    """
    result = weight.float() if weight.dtype != torch.float32 else weight.clone()
    for change, ratio in changes:
        difference = change.difference(result) * ratio
        result = (result.to(difference.dtype) + difference).float()
    return result


def _moved(tensor: Tensor, device: torch.device) -> Tensor:
    """Move a tensor; MPS knows no float64, and everything is computed in float32."""
    if tensor.device == device:
        return tensor
    return (tensor.float() if tensor.dtype == torch.float64 else tensor).to(device)


def _shaped(difference: Tensor, weight: Tensor) -> Tensor:
    """Return a difference with the weight's shape; that of 4 inputs leaves an inpainting model's other 5 alone."""
    if weight.dim() == 4 and difference.dim() == 4 and weight.shape[1] == _INPAINTING_INPUTS > difference.shape[1]:
        difference = torch.nn.functional.pad(difference, (0, 0, 0, 0, 0, weight.shape[1] - difference.shape[1]))
    if difference.shape[0] != weight.shape[0]:
        raise RuntimeError(f"{[*difference.shape]} instead of {[*weight.shape]}")
    return difference.reshape(weight.shape)


def _lora(tensors: Tensors, _numbers: Numbers, _weight: Tensor) -> Tensor:
    """Return up @ down (Hu et al. 2021), with a core between them for convolutions (LyCORIS's `use_tucker`)."""
    up, down = tensors["up"].flatten(1), tensors["down"]
    if "mid" in tensors:
        return _tucker(tensors["mid"], up.T, down.flatten(1))
    return _product("or,ri->oi", up, down.flatten(1)).reshape(-1, *down.shape[1:])


def _product(formula: str, one: Tensor, other: Tensor) -> Tensor:
    """Return a product of matrices in the format of the second one, summed in float32, as processors do."""
    return torch.einsum(formula, one.float(), other.float()).to(other.dtype)


def _tucker(core: Tensor, left: Tensor, right: Tensor) -> Tensor:
    """Return [out, in, height, width] of a core [i, j, height, width] with factors [i, out] and [j, in]."""
    return _product("inkl,io->onkl", _product("ijkl,jn->inkl", core, right), left)


def _loha(tensors: Tensors, _numbers: Numbers, _weight: Tensor) -> Tensor:
    """Return the product by element of two low-rank matrices (Hyeon-Woo et al. 2022, "FedPara")."""
    one, two = (
        _tucker(tensors[f"hada_t{part}"], tensors[f"hada_w{part}_a"], tensors[f"hada_w{part}_b"])
        if f"hada_t{part}" in tensors
        else _product("or,ri->oi", tensors[f"hada_w{part}_a"], tensors[f"hada_w{part}_b"].flatten(1))
        for part in (1, 2)
    )
    return one * two.reshape(one.shape)


def _lokr(tensors: Tensors, _numbers: Numbers, _weight: Tensor) -> Tensor:
    """Return the Kronecker product of two matrices, each whole or of low rank (Yeh et al. 2023)."""
    one, two = _lokr_factor(tensors, 1), _lokr_factor(tensors, 2)
    return torch.kron(one.reshape(*one.shape, *[1] * (two.dim() - one.dim())), two.contiguous())


def _lokr_factor(tensors: Tensors, number: int) -> Tensor:
    name = f"lokr_w{number}"
    if name in tensors:
        return tensors[name]
    if number == 2 and "lokr_t2" in tensors:
        return _tucker(tensors["lokr_t2"], tensors["lokr_w2_a"], tensors["lokr_w2_b"])
    return _product("or,ri->oi", tensors[f"{name}_a"], tensors[f"{name}_b"].flatten(1))


def _ia3(tensors: Tensors, numbers: Numbers, weight: Tensor) -> Tensor:
    """Return the weight scaled by output, or by input (Liu et al. 2022, "T-Few")."""
    factors, rest = tensors["weight"].flatten(), [1] * (weight.dim() - 2)
    return weight * (factors.reshape(1, -1, *rest) if numbers["on_input"] else factors.reshape(-1, 1, *rest))


def _oft(tensors: Tensors, numbers: Numbers, weight: Tensor) -> Tensor:
    """Return what a rotation by blocks adds (Qiu et al. 2023), or one of several in butterflies (Liu et al. 2023).

    `oft_diag` of LyCORIS are rotations themselves; of `oft_blocks` Cayley's transform makes rotations, bounded where
    there is an alpha (kohya's and later LyCORIS's form).
    """
    blocks = tensors.get("oft_diag")
    if blocks is None:
        blocks = _rotations(tensors["oft_blocks"], numbers.get("alpha", 0) * weight.shape[0])
    blocks, size = blocks.float(), blocks.shape[-1]
    if blocks.dim() == 4:
        turned = _butterflies(blocks, weight.flatten(1))
    else:
        turned = blocks.mT @ weight.reshape(blocks.shape[0], size, -1)
    turned = turned.reshape(weight.shape)
    if "rescale" in tensors:
        turned = tensors["rescale"].reshape(-1, *[1] * (weight.dim() - 1)) * turned
    return turned - weight


def _rotations(blocks: Tensor, bound: float) -> Tensor:
    """Return Cayley's transform of the blocks' skew-symmetric parts, whose norm is bounded; 0 does not bound it."""
    skew = blocks - blocks.mT
    if bound:
        norm = torch.linalg.vector_norm(skew)
        skew = skew * ((norm.clamp(max=bound) + _SMALL) / (norm + _SMALL))
    eye = torch.eye(blocks.shape[-1], device=blocks.device)
    inverse: Tensor = torch.linalg.inv(eye - skew)  # in float32, whatever the blocks are
    return (eye + skew) @ inverse


def _butterflies(rotations: Tensor, rows: Tensor) -> Tensor:
    """Turn rows [out, n] by each [blocks, size, size], every time among rows that lie twice as far apart."""
    size = rotations.shape[-1]
    for level, blocks in enumerate(rotations):
        apart = 2**level * (size // 2)
        mixed = rows.reshape(-1, 2, apart, rows.shape[1]).transpose(1, 2).reshape(-1, size, rows.shape[1])
        turned = (blocks @ mixed).reshape(-1, apart, 2, rows.shape[1])
        rows = turned.transpose(1, 2).reshape(rows.shape)
    return rows


def _full(tensors: Tensors, _numbers: Numbers, _weight: Tensor) -> Tensor:
    """Return the difference itself (LyCORIS's `full` and `norm`)."""
    return tensors["diff"]


def _glora(tensors: Tensors, _numbers: Numbers, weight: Tensor) -> Tensor:
    """Return W A + B, both of low rank (Chavan et al. 2023); their alpha is not used, as in the webui."""
    inward, outward = tensors["a2"].flatten(1), tensors["a1"].flatten(1)
    change = _product("oi...,ir->or...", weight.to(inward.dtype), inward)
    change = _product("or...,rj->oj...", change, outward)
    return _product("or,ri->oi", tensors["b2"].flatten(1), tensors["b1"].flatten(1)).reshape(change.shape) + change


def _with_magnitudes(weight: Tensor, magnitudes: Tensor) -> Tensor:
    """Return a weight with other magnitudes (Liu et al. 2024, "DoRA"): of its columns, which have one an input.

    Later trainers (LyCORIS's `wd_on_out`, peft) mean rows, one magnitude an output.
    """
    by_output = magnitudes.shape[0] == weight.shape[0] == magnitudes.numel()
    axis = 0 if by_output else 1
    norm = torch.linalg.vector_norm(weight.transpose(0, axis).flatten(1), dim=1)
    factors = torch.where(norm > 0, magnitudes.flatten() / norm, 0)
    return weight * factors.reshape([-1 if place == axis else 1 for place in range(weight.dim())])


_DIFFERENCES: Mapping[NetworkKind, Callable[[Tensors, Numbers, Tensor], Tensor]] = {
    LORA: _lora,
    LOHA: _loha,
    IA3: _ia3,
    OFT: _oft,
    LOKR: _lokr,
    FULL: _full,
    NORM: _full,
    GLORA: _glora,
}
