"""Every kind of network on every shape of layer: its formula, written otherwise here, in float64."""

import pytest
import torch
from helpers.network_layers import LAYERS, layer
from helpers.small_checkpoints import ATTENTION, CONVOLUTION, make_checkpoint, make_lora, save

from pastelbot.diffusion.lora.files import open_lora
from pastelbot.diffusion.lora.targets import find_targets
from pastelbot.diffusion.weights.tensor_sources import MemorySource
from pastelbot.errors import CheckpointError

BASE = make_checkpoint()
TARGETS = find_targets(MemorySource(BASE, "it").entries, rare=True)
NORM = "lora_unet_down_blocks_0_resnets_0_norm1"
SHAPES = [(8, 12), (8, 12, 1, 1), (16, 8, 3, 3)]
WITHOUT_BIAS = ATTENTION
WITH_BIAS = CONVOLUTION


def loop(weight, tensors):
    """Return the difference of a weight by element, from the definitions in the papers."""
    weight = weight.double()
    tensors = {name: tensor.double() for name, tensor in tensors.items()}
    flat = weight.reshape(weight.shape[0], -1)
    found = of_kind(weight, flat, tensors).reshape(weight.shape)
    if "dora_scale" not in tensors:
        return found
    whole, magnitudes = weight + found, tensors["dora_scale"].flatten()
    result = torch.empty_like(whole)
    by_output = tensors["dora_scale"].shape[0] > 1
    for number in range(magnitudes.numel()):
        place = number if by_output else (slice(None), number)
        part = whole[place]
        result[place] = magnitudes[number] * part / part.square().sum().sqrt()
    return result - weight


def of_kind(weight, flat, tensors):
    formulas = {
        "lora_mid.weight": lambda: tucker_lora(tensors),
        "lora_up.weight": lambda: low_rank(tensors),
        "hada_t1": lambda: tucker(*hada(tensors, 1)) * tucker(*hada(tensors, 2)),
        "hada_w1_a": lambda: product(tensors, 1) * product(tensors, 2) * tensors["alpha"] / 3,
        "lokr_w1": lambda: lokr(weight, tensors),
        "lokr_w1_a": lambda: lokr(weight, tensors),
        "on_input": lambda: ia3(weight, tensors),
        "diff": lambda: tensors["diff"],
        "a1.weight": lambda: glora(weight, tensors),
    }
    formula = next((formula for end, formula in formulas.items() if end in tensors), None)
    return turned(flat, tensors) - flat if formula is None else formula()


def low_rank(tensors):
    up, down = tensors["lora_up.weight"].flatten(1), tensors["lora_down.weight"].flatten(1)
    return up @ down * tensors["alpha"] / down.shape[0]


def tucker_lora(tensors):
    up, down = tensors["lora_up.weight"].flatten(1), tensors["lora_down.weight"].flatten(1)
    return tucker(tensors["lora_mid.weight"], up.T, down)


def hada(tensors, part):
    return [tensors[f"hada_{name}"] for name in (f"t{part}", f"w{part}_a", f"w{part}_b")]


def product(tensors, part):
    return tensors[f"hada_w{part}_a"] @ tensors[f"hada_w{part}_b"]


def ia3(weight, tensors):
    shape = [1, -1] if tensors["on_input"] else [-1, 1]
    return weight * tensors["weight"].reshape(*shape, *[1] * (weight.dim() - 2))


def tucker(core, left, right):
    result = torch.zeros(left.shape[1], right.shape[1], *core.shape[2:], dtype=torch.float64)
    for i in range(core.shape[0]):
        for j in range(core.shape[1]):
            result += left[i][:, None, None, None] * right[j][None, :, None, None] * core[i, j]
    return result


def lokr(weight, tensors):
    one = tensors.get("lokr_w1", tensors.get("lokr_w1_a"))
    one = one if "lokr_w1" in tensors else one @ tensors["lokr_w1_b"]
    scale = 1.0
    if "lokr_w2" in tensors:
        two = tensors["lokr_w2"]
    elif "lokr_t2" in tensors:
        two, scale = tucker(tensors["lokr_t2"], tensors["lokr_w2_a"], tensors["lokr_w2_b"]), tensors["alpha"] / 3
    else:
        two, scale = tensors["lokr_w2_a"] @ tensors["lokr_w2_b"], tensors["alpha"] / 3
    outputs, inputs = weight.shape[0] // 2, weight.shape[1] // 2
    two = two.reshape(outputs, inputs, *weight.shape[2:])
    rows = [torch.cat([one[row, column] * two for column in range(2)], dim=1) for row in range(2)]
    return torch.cat(rows) * scale


def glora(weight, tensors):
    inner = tensors["a2.weight"].flatten(1) @ tensors["a1.weight"].flatten(1)
    change = torch.tensordot(weight, inner, dims=([1], [0]))  # the new inputs are last
    change = change.movedim(-1, 1)
    return change + (tensors["b2.weight"].flatten(1) @ tensors["b1.weight"].flatten(1)).reshape(weight.shape)


def turned(flat, tensors):
    if "oft_diag" in tensors:
        return torch.block_diag(*[block.T for block in tensors["oft_diag"]]) @ flat
    blocks = tensors["oft_blocks"]
    if blocks.dim() == 4:
        for level, each in enumerate(blocks):
            order = butterfly(len(flat), level, each.shape[-1])
            flat = flat[order]
            flat = torch.block_diag(*[cayley(block) for block in each]) @ flat
            flat = flat[torch.argsort(order)]
        return flat
    if "alpha" in tensors:
        bound = tensors["alpha"] * len(flat)
        norm = (blocks - blocks.mT).norm()
        blocks = blocks * (bound / norm if norm > bound else 1)
    flat = torch.block_diag(*[cayley(block).T for block in blocks]) @ flat
    return flat * tensors["rescale"] if "rescale" in tensors else flat


def cayley(block):
    skew = block - block.T
    eye = torch.eye(len(block), dtype=block.dtype)
    return torch.linalg.solve((eye - skew).T, (eye + skew).T).T


def butterfly(rows, level, size):
    """Return the order that brings rows together which are so far apart: first and second half take turns."""
    apart = 2**level * size // 2
    order = []
    for start in range(0, rows, 2 * apart):
        for place in range(apart):
            order += [start + place, start + place + apart]
    return torch.tensor(order)


def opened(tensors, path, name=ATTENTION):
    return open_lora(save({f"{name}.{end}": tensor for end, tensor in tensors.items()}, path / "a.safetensors"))


def difference(tensors, weight, path):
    (module,) = opened(tensors, path).modules
    return module.change().difference(weight)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("kind", LAYERS)
def test_difference_is_that_of_the_definition(kind, shape, tmp_path):
    weight = torch.randn(shape, generator=torch.Generator().manual_seed(3))
    tensors = layer(kind, shape)

    torch.testing.assert_close(
        difference(tensors, weight, tmp_path), loop(weight, tensors).float(), rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("kind", ["oft", "oft without bound", "boft"])
def test_rotations_keep_lengths(kind, tmp_path):
    weight = torch.randn(16, 8, generator=torch.Generator().manual_seed(3))
    tensors = {end: tensor for end, tensor in layer(kind, weight.shape).items() if end != "rescale"}
    after = weight + difference(tensors, weight, tmp_path)

    assert not torch.allclose(after, weight, atol=1e-2)
    torch.testing.assert_close(after.norm(dim=0), weight.norm(dim=0))


@pytest.mark.parametrize("kind", ["lora", "loha", "lokr, low rank", "lokr, tucker"])
@pytest.mark.parametrize(
    ("numbers", "scale"), [({}, 1.0), ({"alpha": 0.0}, 0.0), ({"alpha": 1.0, "scale": 2.0}, 2.0), ({"scale": 0.5}, 0.5)]
)
def test_scale_is_the_files_own_or_alpha_over_the_rank(kind, numbers, scale, tmp_path):
    weight = torch.zeros(8, 12)
    tensors = {end: tensor for end, tensor in layer(kind, weight.shape).items() if end != "alpha"}
    plain = difference(tensors, weight, tmp_path)

    tensors |= {end: torch.tensor(number) for end, number in numbers.items()}
    torch.testing.assert_close(difference(tensors, weight, tmp_path), plain * scale)


@pytest.mark.parametrize("kind", ["lokr", "full", "glora", "ia3", "oft_diag"])
def test_kinds_without_a_rank_have_no_alpha(kind, tmp_path):
    """As in the webui."""
    weight = torch.randn(8, 12)
    tensors = layer(kind, weight.shape) | {"alpha": torch.tensor(0.25)}
    plain = {end: tensor for end, tensor in tensors.items() if end != "alpha"}

    assert torch.equal(difference(tensors, weight, tmp_path), difference(plain, weight, tmp_path))


@pytest.mark.parametrize("kind", ["lora", "loha", "lokr"])
def test_what_is_added_to_a_layers_change_is_added(kind, tmp_path):
    weight, added = torch.zeros(8, 12), torch.randn(8, 12)
    tensors = layer(kind, weight.shape) | {"alpha": torch.tensor(1.0), "scale": torch.tensor(1.0)}
    plain = difference(tensors, weight, tmp_path)

    torch.testing.assert_close(difference(tensors | {"bias": added}, weight, tmp_path), plain + added)


def test_columns_of_zeros_stay_zeros(tmp_path):
    tensors = layer("dora", (8, 12)) | {"lora_up.weight": torch.zeros(8, 2)}

    assert torch.equal(difference(tensors, torch.zeros(8, 12), tmp_path), torch.zeros(8, 12))


def test_inputs_of_an_inpainting_model_that_a_network_does_not_know_stay(tmp_path):
    weight, tensors = torch.randn(16, 9, 3, 3), layer("lora", (16, 4, 3, 3))
    found = difference(tensors, weight, tmp_path)

    assert torch.equal(found[:, 4:], torch.zeros(16, 5, 3, 3))
    torch.testing.assert_close(found[:, :4], loop(weight[:, :4], tensors).float(), rtol=1e-4, atol=1e-5)


def test_half_precision_is_multiplied_in_it(tmp_path):
    """As the webui does, but for LoRAs: what is smaller than its steps is lost."""
    tensors = {end: tensor.half() for end, tensor in layer("loha", (8, 12), strength=1.0).items()}
    found = difference(tensors, torch.zeros(8, 12), tmp_path)

    assert torch.equal(found, found.half().float())
    tensors = {end: tensor.half() for end, tensor in layer("lora", (8, 12), strength=1.0).items()}
    found = difference(tensors, torch.zeros(8, 12), tmp_path)
    assert not torch.equal(found, found.half().float())


def test_norms_and_biases_are_changed(tmp_path):
    norm, layered = layer("", TARGETS[NORM].shape), layer("full", TARGETS[WITH_BIAS].shape)
    tensors = {f"{NORM}.{end}": tensor for end, tensor in norm.items()}
    tensors |= {f"{WITH_BIAS}.{end}": tensor for end, tensor in layered.items()}
    bound, unknown = open_lora(save(tensors, tmp_path / "a.safetensors")).bind(TARGETS)

    assert unknown == []
    assert {key: change.load().difference(BASE[key]).sum() for key, change in bound.items()} == {
        TARGETS[NORM].key: norm["w_norm"].sum(),
        TARGETS[NORM].key_of(1): norm["b_norm"].sum(),
        TARGETS[WITH_BIAS].key: layered["diff"].sum(),
        TARGETS[WITH_BIAS].key_of(1): layered["diff_b"].sum(),
    }


def test_a_bias_that_the_layer_lacks_is_left_out_and_said(tmp_path):
    bound, unknown = opened(layer("full", TARGETS[WITHOUT_BIAS].shape), tmp_path, WITHOUT_BIAS).bind(TARGETS)

    assert bound.keys() == {TARGETS[WITHOUT_BIAS].key}
    assert unknown == [f"{WITHOUT_BIAS}.bias"]


@pytest.mark.parametrize("end", ["scalar", "rank_dropout", "lora_B.bias", "bias_indices", "extra.weight"])
def test_tensors_that_mean_nothing_are_left_out_and_said(end, tmp_path):
    plain = layer("loha", TARGETS[ATTENTION].shape)
    bound, unknown = opened(plain | {end: torch.ones(2)}, tmp_path).bind(TARGETS)

    assert bound.keys() == {TARGETS[ATTENTION].key}
    assert len(unknown) == 1
    assert end.partition(".")[0] in unknown[0]


# What these change, the number of outputs or of inputs does not show.
FREE = {
    *((kind, (8, 20)) for kind in ("ia3", "oft", "oft without bound", "oft_diag")),
    *(("ia3, inputs", shape) for shape in ((12, 8), (20, 8))),
}


@pytest.mark.parametrize("kind", [kind for kind in LAYERS if kind != "boft"])
def test_a_network_for_other_widths_is_refused(kind, tmp_path):
    for shape in ((12, 8), (8, 20), (20, 8)):
        if (kind, shape) in FREE:
            continue
        with pytest.raises(CheckpointError, match=r"was made for another architecture: its .*attn1_to_q"):
            opened(layer(kind, shape), tmp_path).bind(TARGETS)


@pytest.mark.parametrize(
    ("metadata", "family"),
    [
        ({"ss_base_model_version": "sdxl_base_v1-0"}, "SDXL"),
        ({"ss_base_model_version": "flux1"}, "Flux"),
        ({"modelspec.architecture": "stable-diffusion-v2-768-v/lora"}, r"Stable Diffusion 2\.x"),
        ({"ss_base_model_version": "sd3m"}, "Stable Diffusion 3"),
    ],
)
def test_a_refusal_says_what_the_network_was_made_for_and_what_to_do(metadata, family, tmp_path):
    other = make_lora(shapes={"lora_unet_elsewhere": (8, 8)})
    with pytest.raises(
        CheckpointError, match=rf"changes no layer .* made for {family}\. Use a network for Stable Diff"
    ):
        open_lora(save(other, tmp_path / "a.safetensors", metadata)).bind(TARGETS)
    unknown = {f"{ATTENTION}.vera_b": torch.ones(2), **other}
    with pytest.raises(CheckpointError, match=rf"it has .*vera_b\. It was made for {family}\. Use a network"):
        open_lora(save(unknown, tmp_path / "b.safetensors", metadata))
