"""LoRA files of all kinds, merging them, and extracting them."""

import pytest
import torch
from helpers.small_checkpoints import (
    ATTENTION,
    CONVOLUTION,
    CROSS,
    LORA_SHAPES,
    TEXT_LAYER,
    make_checkpoint,
    make_lora,
    save,
)

from pastelbot.diffusion.lora.files import open_lora, open_loras
from pastelbot.diffusion.lora.targets import find_targets
from pastelbot.diffusion.weights.tensor_sources import MemorySource
from pastelbot.errors import CheckpointError, WorkshopError
from pastelbot.workshop.lora_extract import Extraction, extract
from pastelbot.workshop.lora_merge import LoraMerge

BASE = make_checkpoint()
TARGETS = find_targets(MemorySource(BASE, "base").entries)


def merged(loras, base=BASE, **options):
    merge = LoraMerge(MemorySource(base, "base"), loras, **options)
    return {name: merge.read(name) for name in merge.entries}


def lora(path, **options):
    return open_lora(save(make_lora(**options), path))


@pytest.mark.parametrize("alpha", [None, 1.0, 8.0])
def test_change_is_alpha_over_rank_times_the_product(tmp_path, alpha):
    """Without an alpha it is the product alone."""
    tensors = make_lora(rank=4, alpha=alpha)
    result = merged([(open_lora(save(tensors, tmp_path / "x.safetensors")), 0.5)])

    for name in LORA_SHAPES:
        product = tensors[f"{name}.lora_up.weight"] @ tensors[f"{name}.lora_down.weight"]
        expected = BASE[TARGETS[name].key] + 0.5 * (alpha or 4) / 4 * product
        torch.testing.assert_close(expected, result[TARGETS[name].key], rtol=0, atol=1e-5)
    touched = {TARGETS[name].key for name in LORA_SHAPES}
    assert all(torch.equal(tensor, result[name]) for name, tensor in BASE.items() if name not in touched)


def test_pickled_file_is_the_same_lora(tmp_path):
    """With parameters instead of tensors as well."""
    tensors = make_lora(alpha=None)
    torch.save({name: torch.nn.Parameter(tensor) for name, tensor in tensors.items()}, tmp_path / "x.pt")
    one = merged([(open_lora(tmp_path / "x.pt"), 1.0)])
    other = merged([(open_lora(save(tensors, tmp_path / "x.safetensors")), 1.0)])

    assert all(torch.equal(one[name], other[name]) for name in BASE)


def test_order_of_loras_does_not_matter(tmp_path):
    """In float32, but for the last bit."""
    pairs = [(lora(tmp_path / f"{seed}.safetensors", seed=seed), 0.3 * seed) for seed in range(1, 5)]
    one, other = merged(pairs), merged(pairs[::-1])

    for name in BASE:
        torch.testing.assert_close(one[name], other[name], rtol=0, atol=2e-5)


def test_weight_0_changes_nothing_and_negative_takes_away(tmp_path):
    """Exactly, and but for rounding."""
    file = lora(tmp_path / "x.safetensors")

    assert all(torch.equal(BASE[name], tensor) for name, tensor in merged([(file, 0.0)]).items())
    for name, tensor in merged([(file, 0.7), (file, -0.7)]).items():
        torch.testing.assert_close(BASE[name], tensor, rtol=0, atol=1e-5)


def test_several_loras_are_rounded_once(tmp_path):
    """A sum of changes each too small for half precision is not lost."""
    base = make_checkpoint(dtype=torch.float16)
    tensors = {name: tensor * 0.01 for name, tensor in make_lora(rank=1).items() if "alpha" not in name}
    file = open_lora(save(tensors, tmp_path / "x.safetensors"))
    once = merged([(file, 0.1)] * 10, base)
    whole = merged([(file, 1.0)], base)

    assert all(torch.equal(whole[name], once[name]) for name in base)


def test_convolutions_and_lora_mid_are_read(tmp_path):
    """The middle factor sits between the others."""
    down, mid, up = torch.randn(2, 8, 1, 1), torch.randn(3, 2, 3, 3), torch.randn(8, 3, 1, 1)
    tensors = {
        f"{CONVOLUTION}.lora_down.weight": down,
        f"{CONVOLUTION}.lora_mid.weight": mid,
        f"{CONVOLUTION}.lora_up.weight": up,
    }
    key = TARGETS[CONVOLUTION].key
    result = merged([(open_lora(save(tensors, tmp_path / "x.safetensors")), 1.0)])[key]
    expected = torch.einsum("ip,prkl,rj->ijkl", up[..., 0, 0], mid, down[..., 0, 0])

    torch.testing.assert_close(BASE[key] + expected, result, rtol=0, atol=1e-5)


def test_unknown_modules_are_reported(tmp_path):
    """By name, and the rest is merged."""
    tensors = make_lora() | make_lora(shapes={"lora_unet_nothing": (3, 3)})
    merge = LoraMerge(MemorySource(BASE, "base"), [(open_lora(save(tensors, tmp_path / "x.safetensors")), 1.0)])

    assert ["x.safetensors: 1 modules are unknown and left out: lora_unet_nothing"] == merge.notes


def embedding():
    return {"string_to_token": {"*": 265}, "string_to_param": {"*": torch.ones(2, 768)}}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (embedding(), "a textual inversion embedding, not a LoRA"),
        ({320: [{"linear.0.weight": torch.ones(1)}], "step": 3}, "a hypernetwork, not a LoRA"),
        ({"state_dict": {"a": torch.ones(1)}}, "a full checkpoint, not a LoRA"),
        ([torch.ones(2, 2), "x"], "a list, but not one of a LoRA"),
        ([torch.ones(2, 2), torch.ones(3, 3)], "do not fit each other"),
        ("text", "an unknown kind of file"),
        ({"emb_params": torch.ones(1, 768)}, "a textual inversion embedding"),
    ],
)
def test_pickled_files_of_other_kinds_are_refused_by_name(tmp_path, content, words):
    """What was meant is easily seen then."""
    torch.save(content, tmp_path / "x.pt")
    with pytest.raises(CheckpointError, match=words):
        open_lora(tmp_path / "x.pt")


@pytest.mark.parametrize(
    ("tensors", "words"),
    [
        (BASE, "a Stable Diffusion 1.x checkpoint, not a LoRA"),
        ({f"{ATTENTION}.hada_w1_a": torch.ones(2, 2)}, "lacks hada_w1_b of .* it is incomplete"),
        ({f"{ATTENTION}.a1.weight": torch.ones(2, 2)}, "lacks a2 of .* it is incomplete"),
        ({f"{ATTENTION}.on_input": torch.ones(())}, "lacks weight of .* it is incomplete"),
        ({f"{ATTENTION}.lokr_w1": torch.ones(2, 2), f"{ATTENTION}.lokr_w2_a": torch.ones(2, 2)}, "lacks lokr_w2_b"),
        ({"lora_te2_text_model.lora_down.weight": torch.ones(1, 1)}, "an SDXL LoRA"),
        ({"transformer.mid.lora_A.weight": torch.ones(1, 1)}, "another form than kohya's"),
        ({f"{ATTENTION}.lora_down.weight": torch.ones(1, 1)}, "lacks lora_up"),
        (make_lora() | {f"{ATTENTION}.lora_up.weight": torch.ones(8, 3)}, "do not fit each other"),
        (make_lora() | {f"{ATTENTION}.lora_up.weight": torch.ones(8, 2, 3, 3)}, "do not fit each other"),
        (make_lora() | {f"{ATTENTION}.lora_down.weight": torch.ones(2)}, "do not fit each other"),
        (make_lora() | {f"{ATTENTION}.other.vera_d": torch.ones(8), "x.y": torch.ones(1)}, "it has x.y. Use a network"),
    ],
)
def test_other_safetensors_files_are_refused_by_name(tmp_path, tensors, words):
    """LyCORIS, SDXL, other forms, damaged ones."""
    with pytest.raises(CheckpointError, match=words):
        open_lora(save(tensors, tmp_path / "x.safetensors"))


@pytest.mark.parametrize(("width", "words"), [(1024, "Stable Diffusion 2"), (2048, "SDXL"), (13, "another arch")])
def test_lora_for_another_family_is_named(tmp_path, width, words):
    """By the width of its cross-attention."""
    file = lora(tmp_path / "x.safetensors", shapes={CROSS: (8, width)})
    with pytest.raises(CheckpointError, match=words):
        merged([(file, 1.0)])


@pytest.mark.parametrize(
    ("down", "up", "words"),
    [
        ((2, 8, 3, 3), (8, 2, 1, 1), r"is \[8, 8, 3, 3\] instead of \[8, 8\]"),
        ((2, 9), (8, 2), r"is \[8, 9\] instead of \[8, 8\]"),
        ((0, 8), (8, 0), "do not fit each other"),
        ((2, 8, 1), (8, 2, 1), "do not fit each other"),
    ],
)
def test_factors_of_impossible_shapes_are_reported(tmp_path, down, up, words):
    """Of the wrong kernel, of the wrong width, of rank 0, with three dimensions."""
    tensors = {f"{ATTENTION}.lora_down.weight": torch.ones(down), f"{ATTENTION}.lora_up.weight": torch.ones(up)}
    tensors[f"{ATTENTION}.alpha"] = torch.tensor(1.0)
    path = save(tensors, tmp_path / "a.safetensors")

    with pytest.raises(CheckpointError, match=words):
        LoraMerge(MemorySource(make_checkpoint(), "x"), [(open_lora(path), 1.0)])


def test_lora_that_fits_nothing_is_refused(tmp_path):
    """Instead of writing a copy."""
    with pytest.raises(CheckpointError, match="changes no layer"):
        merged([(lora(tmp_path / "x.safetensors", shapes={"lora_unet_nothing": (3, 3)}), 1.0)])


class Evil:
    def __reduce__(self):
        return (exec, ("raise SystemExit('it ran')",))


def test_malicious_pickle_is_not_run(tmp_path):
    """It is named instead."""
    torch.save({"x.lora_up.weight": Evil()}, tmp_path / "x.pt")
    with pytest.raises(CheckpointError, match=r"builtins\.exec"):
        open_lora(tmp_path / "x.pt")


def test_folder_is_no_lora(tmp_path):
    """A repository's name, for example, where a file in it is meant."""
    with pytest.raises(CheckpointError, match="is a folder: name the LoRA's file"):
        open_lora(tmp_path)


def test_truncated_files_are_named(tmp_path):
    """Pickled ones and others."""
    whole = save(make_lora(), tmp_path / "x.safetensors")
    torch.save(make_lora(), tmp_path / "x.pt")
    for path in (whole, tmp_path / "x.pt"):
        path.write_bytes(path.read_bytes()[:-200])
        with pytest.raises(CheckpointError, match=path.name):
            open_lora(path)


def test_nan_in_a_lora_is_named(tmp_path):
    """Before anything has its final name."""
    tensors = make_lora()
    tensors[f"{TEXT_LAYER}.lora_up.weight"][0, 0] = float("nan")
    with pytest.raises(CheckpointError, match=f"NaN or infinite numbers in {TEXT_LAYER}"):
        merged([(open_lora(save(tensors, tmp_path / "x.safetensors")), 1.0)])


def test_alpha_is_one_number(tmp_path):
    """Anything else is damage."""
    tensors = make_lora() | {f"{TEXT_LAYER}.alpha": torch.ones(2)}
    with pytest.raises(CheckpointError, match="is not a single number"):
        merged([(open_lora(save(tensors, tmp_path / "x.safetensors")), 1.0)])


def test_merge_then_extract_gives_the_lora_back(tmp_path):
    """Its product, that is; the factors are arbitrary."""
    tensors = make_lora(rank=2) | {
        f"{CONVOLUTION}.lora_down.weight": torch.randn(2, 8, 3, 3),
        f"{CONVOLUTION}.lora_up.weight": torch.randn(8, 2, 1, 1),
    }
    tuned = merged([(open_lora(save(tensors, tmp_path / "x.safetensors")), 1.0)])
    found, metadata = extract(
        MemorySource(BASE, "base"), MemorySource(tuned, "tuned"), Extraction(rank=2, conv_rank=2, min_difference=0.0)
    )
    again = merged([(open_lora(save(found, tmp_path / "y.safetensors", metadata)), 1.0)])

    for name in BASE:
        torch.testing.assert_close(tuned[name], again[name], rtol=0, atol=1e-4)


def test_unchanged_text_encoder_is_left_out():
    """As a whole, where nothing differs by more than the limit."""
    tuned = {name: tensor + 0.005 if tensor.is_floating_point() else tensor for name, tensor in BASE.items()}
    sources = MemorySource(BASE, "base"), MemorySource(tuned, "tuned")

    assert not any("lora_te" in name for name in extract(*sources, Extraction(rank=1))[0])
    assert any("lora_te" in name for name in extract(*sources, Extraction(rank=1, min_difference=1e-6))[0])


@pytest.mark.parametrize("wrong", [{"rank": 0}, {"rank": 1, "conv_rank": 0}, {"rank": 1, "clamp": 1.5}])
def test_impossible_extractions_are_refused(wrong):
    """Before anything is read."""
    with pytest.raises(WorkshopError):
        Extraction(**wrong)


def test_extraction_from_another_architecture_is_refused():
    """The tensor is named."""
    tuned = BASE | {TARGETS[CROSS].key: torch.ones(8, 13)}
    with pytest.raises(CheckpointError, match=r"\[8, 13\] instead of \[8, 12\]"):
        extract(MemorySource(BASE, "base"), MemorySource(tuned, "tuned"), Extraction(rank=1))


def test_partner_of_a_list_is_not_taken_twice(tmp_path):
    """Where it is named itself."""
    unet, text = tmp_path / "x.pt", tmp_path / "x.text_encoder.pt"
    pairs = [torch.ones(8, 2), torch.ones(2, 8)]
    torch.save(pairs * 144, unet)
    torch.save(pairs * 48, text)

    assert [48] == [len(file.text_list) for file in open_loras([unet])]
    assert [0, 48] == [len(file.text_list) for file in open_loras([unet, text])]
