"""Merges of checkpoints, and what cannot be merged."""

import random

import pytest
import torch
from helpers.block_names import BLOCKS, block_of
from helpers.small_checkpoints import POSITIONS, SHAPES, TEXT, UNET, VAE, make_checkpoint

from pastelbot.diffusion.weights.tensor_sources import MemorySource
from pastelbot.errors import CheckpointError, WorkshopError
from pastelbot.workshop.blocks import BlockWeights, read_weights, uniform
from pastelbot.workshop.merge import AddDifference, BlockMerge

A, B, C = (make_checkpoint(seed=seed) for seed in (1, 2, 3))


def source(tensors, label="A"):
    return MemorySource(tensors, label)


def everything(merge):
    return {name: merge.read(name) for name in merge.entries}


def block_merge(weights, a=A, b=B, **options):
    return BlockMerge(source(a, "A"), source(b, "B"), weights, **options)


def random_weights(seed, choices=None):
    generator = random.Random(seed)
    numbers = [generator.choice(choices) if choices else generator.uniform(-0.5, 1.5) for _block in BLOCKS]
    return BlockWeights(weights=tuple(numbers), base_alpha=generator.choice(choices) if choices else generator.random())


@pytest.mark.parametrize("seed", range(5))
def test_weights_of_0_and_1_take_exactly_a_or_b(seed):
    """Bit for bit, in any block."""
    weights = random_weights(seed, choices=(0.0, 1.0))
    merged = everything(block_merge(weights))

    for name in SHAPES:
        assert torch.equal((B if weights.of(name) else A)[name], merged[name])


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_result_is_the_exact_one_rounded_once(seed, dtype):
    """Half a step of the format, and what float32 loses before."""
    a, b = (make_checkpoint(seed=number, dtype=dtype) for number in (seed, seed + 10))
    weights = random_weights(seed)
    merged = everything(block_merge(weights, a, b))

    for name in SHAPES:
        exact = a[name].double() * (1 - weights.of(name)) + b[name].double() * weights.of(name)
        size = torch.maximum(a[name].double().abs(), b[name].double().abs()) * 2 + exact.abs()
        tolerance = exact.abs() * torch.finfo(dtype).eps * 0.51 + size * 1e-6
        assert dtype == merged[name].dtype
        assert bool(((merged[name].double() - exact).abs() <= tolerance).all())


FP8, FP16, BF16, FP32 = torch.float8_e4m3fn, torch.float16, torch.bfloat16, torch.float32


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (FP16, FP16, FP16),
        (FP16, FP32, FP32),
        (FP16, BF16, FP32),
        (FP8, FP8, FP8),
        (FP8, FP16, FP16),
        (FP32, FP8, FP32),
    ],
)
def test_mixed_precision_gives_the_format_that_holds_both(one, other, expected):
    """Of two half-precision formats that is float32."""
    a, b = make_checkpoint(seed=1, dtype=one), make_checkpoint(seed=2, dtype=other)
    name = UNET + "out.2.weight"
    merged = block_merge(uniform(0.5), a, b).read(name)

    assert expected == merged.dtype
    torch.testing.assert_close((a[name].float() + b[name].float()) / 2, merged.float(), rtol=0.07, atol=0.02)


@pytest.mark.parametrize("weight", [0.25, 0.3, 0.9])
def test_merge_is_the_same_from_the_other_side(weight):
    """A with B at w is B with A at 1 - w."""
    one, other = everything(block_merge(uniform(weight))), everything(block_merge(uniform(1 - weight), B, A))

    for name in SHAPES:
        torch.testing.assert_close(one[name], other[name], rtol=0, atol=1e-6)


def test_large_tensors_are_merged_in_pieces_without_seams():
    """More numbers than a piece has."""
    name = TEXT + "embeddings.token_embedding.weight"
    a, b = ({**tensors, name: torch.randn(70_001, 12)} for tensors in (A, B))
    merged = block_merge(uniform(0.5), a, b).read(name)

    torch.testing.assert_close(a[name] * 0.5 + b[name] * 0.5, merged, rtol=0, atol=1e-6)


def test_add_difference_adds_what_b_has_learnt():
    """A + (B - C) * w; schedules and positions stay."""
    merged = everything(AddDifference(source(A), source(B), source(C), 0.7))

    for name in SHAPES:
        torch.testing.assert_close(A[name] + (B[name] - C[name]) * 0.7, merged[name], rtol=0, atol=1e-5)
    assert torch.equal(A["betas"], merged["betas"])
    assert torch.equal(A[POSITIONS], merged[POSITIONS])


@pytest.mark.parametrize("base_alpha", [0.0, 0.29, 1.0])
def test_positions_are_always_sound(base_alpha):
    """Even where both inputs' are broken."""
    broken = {POSITIONS: torch.arange(77).unsqueeze(0) * 0.99}
    merged = block_merge(BlockWeights(weights=(0.5,) * 25, base_alpha=base_alpha), A | broken, B | broken)

    assert torch.equal(torch.arange(77).unsqueeze(0), merged.read(POSITIONS))


def test_tensors_of_only_one_input_are_kept_and_reported():
    """Neither lost nor scaled."""
    extra = {UNET + "label_emb.0.weight": torch.ones(2, 2)}
    for merge in (block_merge(uniform(0.5), A | extra, B), block_merge(uniform(0.5), A, B | extra)):
        assert torch.equal(torch.ones(2, 2), merge.read(UNET + "label_emb.0.weight"))
        assert "label_emb" in merge.notes[0]


def test_schedules_are_those_of_a():
    """What B has more is left out."""
    merge = block_merge(uniform(0.5), A, B | {"alphas_cumprod": torch.ones(3)})

    assert torch.equal(A["betas"], merge.read("betas"))
    assert "alphas_cumprod" not in merge.entries


@pytest.mark.parametrize(
    ("name", "block"),
    [
        (UNET + "time_embed.0.weight", "IN00"),
        (UNET + "out.2.weight", "OUT11"),
        (UNET + "middle_block.1.transformer_blocks.0.attn1.to_out.0.weight", "M00"),
        (UNET + "output_blocks.3.0.out_layers.3.weight", "OUT03"),
        (UNET + "label_emb.0.weight", "BASE"),
        ("model_ema.diffusion_modelout2weight", "BASE"),
        (VAE + "decoder.conv_in.weight", "BASE"),
    ],
)
def test_names_that_resemble_others_have_their_own_block(name, block):
    """Such as to_out and out."""
    assert block == block_of(name)


@pytest.mark.parametrize("weights", [(0.5,) * 24, (0.5,) * 26, "1,2,3"])
def test_weights_must_be_25(weights):
    """The error says how many there are."""
    with pytest.raises(WorkshopError, match="block weights, but 25 are needed"):
        read_weights(weights)


def test_a_preset_of_26_is_explained():
    """Supermerger's have the base alpha first; other numbers of weights are explained by no such remark."""
    with pytest.raises(
        WorkshopError, match=r"is the base alpha: .*--base-alpha 0\.3, .* and the other 25 as the weights"
    ):
        read_weights(",".join(["0.3"] + ["0.5"] * 25))
    with pytest.raises(WorkshopError, match=r"OUT00 to OUT11\.$"):
        read_weights((0.5,) * 27)


def test_weights_must_be_numbers():
    """As text, with commas."""
    with pytest.raises(WorkshopError, match="numbers separated by commas: 'two' is not"):
        read_weights("1, two,3")


@pytest.mark.parametrize("number", ["nan", "inf", "-inf", "1e999"])
def test_weights_must_be_finite(number):
    """Else the first tensor would be blamed."""
    with pytest.raises(WorkshopError, match="numbers separated by commas"):
        read_weights(",".join(["0.5"] * 24 + [number]))


SDXL = {"conditioner.embedders.0.transformer.weight": torch.ones(1), UNET + "input_blocks.0.0.weight": torch.ones(1)}
CROSS = UNET + "input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight"


@pytest.mark.parametrize(
    ("tensors", "words"),
    [
        (SDXL, "SDXL"),
        (A | {CROSS: torch.ones(8, 1024)}, "Stable Diffusion 2"),
        (A | {UNET + "input_blocks.0.0.weight": torch.ones(8, 9, 3, 3)}, "name the inpainting model first"),
        ({"x.lora_down.weight": torch.ones(1, 1)}, "a LoRA"),
        ({"something": torch.ones(1)}, "an unknown kind of file"),
        ({name: tensor for name, tensor in A.items() if VAE not in name}, "The VAE is missing"),
        ({name: tensor for name, tensor in A.items() if TEXT not in name}, "without its text encoder"),
        (A | {CROSS: torch.ones(8, 13)}, "different architectures"),
    ],
)
def test_what_cannot_be_merged_is_named(tensors, words):
    """By its kind, its family, or what it lacks."""
    with pytest.raises(CheckpointError, match=words):
        block_merge(uniform(0.5), A, tensors)


FIRST = UNET + "input_blocks.0.0.weight"
INPAINTING = A | {FIRST: torch.cat((A[FIRST], torch.full((A[FIRST].shape[0], 5, 3, 3), 7.0)), dim=1)}


@pytest.mark.parametrize("weight", [0.0, 0.25, 1.0])
def test_a_plain_model_goes_into_what_an_inpainting_model_sees_of_the_latents(weight):
    """As in the webui, where the other channels stay."""
    merged = block_merge(uniform(weight), INPAINTING, B).read(FIRST)
    added = AddDifference(source(INPAINTING, "A"), source(B, "B"), source(C, "C"), weight).read(FIRST)

    torch.testing.assert_close(merged[:, :4], torch.lerp(A[FIRST], B[FIRST], weight))
    torch.testing.assert_close(added[:, :4], A[FIRST] + weight * (B[FIRST] - C[FIRST]))
    for made in (merged, added):
        assert torch.equal(made[:, 4:], INPAINTING[FIRST][:, 4:])


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_numbers_that_are_none_are_named(bad, dtype):
    """File and tensor."""
    broken = A[CROSS].clone().to(dtype)
    broken[3, 3] = bad
    with pytest.raises(CheckpointError, match=r"B has NaN or infinite numbers in .*attn2\.to_k"):
        everything(block_merge(uniform(0.5), A, B | {CROSS: broken}))


def test_result_too_large_for_its_format_is_named():
    """Instead of becoming infinite."""
    large = {CROSS: torch.full((8, 12), 60_000.0)}
    with pytest.raises(CheckpointError, match=r"too large for torch\.float16: use fp32"):
        everything(block_merge(uniform(1.5), A | large, B | {CROSS: -large[CROSS]}, precision=torch.float16))
