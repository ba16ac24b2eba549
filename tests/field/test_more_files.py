"""More files that people name as checkpoints, VAEs, embeddings and networks: kinds C, D, F and H.

Each is read, or named truly with what to do; `inspect` says the same.
"""

from pathlib import Path

import pytest
import torch
from helpers.small_checkpoints import ATTENTION, TEXT, UNET, make_checkpoint, make_lora, save

from pastelbot.diffusion.embeddings import read_embedding
from pastelbot.diffusion.lora.files import open_lora
from pastelbot.diffusion.lora.targets import find_targets
from pastelbot.diffusion.weights.files import read_file
from pastelbot.diffusion.weights.tensor_sources import MemorySource
from pastelbot.errors import CheckpointError
from pastelbot.formats.identify import EMBEDDING, SD1
from pastelbot.formats.precheck import check_reference
from pastelbot.workshop.folders import open_checkpoint
from pastelbot.workshop.inspection import inspect_path

WHOLE = make_checkpoint()
TARGETS = find_targets(MemorySource(WHOLE, "it").entries)


def named(prefix, old=""):
    return {(prefix + name if name.startswith(old) else name): it for name, it in WHOLE.items()}


COMPILED = {name.replace(UNET, f"{UNET}_orig_mod."): it for name, it in WHOLE.items()}
TENSORS = {
    "names of a parallel training": (named("module."), "with the extra part module. in its tensors' names"),
    "names of a module": (named("model.", UNET), "with the extra part model. in its tensors' names"),
    "names of a compiled network": (COMPILED, "with the extra part _orig_mod. in its tensors' names"),
    "names of a training in parts": (
        {name.replace(UNET, f"{UNET}_fsdp_wrapped_module."): it for name, it in WHOLE.items()},
        "with the extra part _fsdp_wrapped_module. in its tensors' names",
    ),
    "a whole folder in one file": (
        {
            name.replace(UNET, "unet.").replace("cond_stage_model.transformer.", "text_encoder."): it
            for name, it in WHOLE.items()
            if not name.startswith("first_stage")
        },
        "the parts of a diffusers folder in one file",
    ),
    "weights of bitsandbytes": (
        WHOLE
        | {
            f"{UNET}input_blocks.1.1.proj_in.weight": torch.ones(32, 1, dtype=torch.uint8),
            f"{UNET}input_blocks.1.1.proj_in.weight.absmax": torch.ones(8),
        },
        "quantised for bitsandbytes: download it in half precision",
    ),
    "scaled weights": (
        WHOLE | {f"{UNET}input_blocks.1.1.proj_in.scale_weight": torch.ones(1), "scaled_fp8": torch.ones(1)},
        "in scaled fp8, for other programs: download it in half precision",
    ),
    "a network of another kind": (
        {f"{ATTENTION}.reft_A": torch.ones(2, 8)},
        "a network of a kind that is not painted with",
    ),
    "a network of several tensors": (
        {f"{ATTENTION}.q_layer.weight": torch.ones(2, 8), f"{ATTENTION}.lambda_layer": torch.ones(1, 2)},
        "a network of a kind that is not painted with",
    ),
    "a motion module": (
        {"down_blocks.0.motion_modules.0.norm.weight": torch.ones(1)},
        "a motion module of AnimateDiff",
    ),
    "an image encoder": ({"vision_model.encoder.layers.0.mlp.fc1.weight": torch.ones(1)}, "an image encoder"),
    "a small VAE": ({"decoder.layers.0.weight": torch.ones(1)}, "a small VAE for previews (TAESD)"),
    "a VeRA network": ({"base_model.model.a.vera_lambda_d": torch.ones(1)}, "a VeRA network"),
    "a VAE of another prefix": ({"vae.decoder.conv_in.weight": torch.ones(1)}, "an unknown kind of file"),
}


@pytest.mark.parametrize("name", TENSORS)
def test_tensors_are_named_truly(name, tmp_path):
    tensors, words = TENSORS[name]
    path = save(tensors, tmp_path / "a.safetensors")

    for use in (read_file, lambda path: check_reference(str(path))):
        with pytest.raises(CheckpointError) as caught:
            use(path)
        assert words in str(caught.value)
    assert inspect_path(path).facts["kind"].removeprefix("unknown") in str(caught.value)


@pytest.mark.parametrize("dtype", [torch.int8, torch.uint8, torch.bool])
def test_weights_of_eight_bits_are_refused_everywhere(dtype, tmp_path):
    name = f"{UNET}input_blocks.0.0.weight"
    path = save(WHOLE | {name: torch.ones_like(WHOLE[name]).to(dtype)}, tmp_path / "a.safetensors")

    words = f"holds {str(dtype).removeprefix('torch.')} where weights belong: {name}. It is quantised"
    for use in (read_file, open_checkpoint):
        with pytest.raises(CheckpointError, match=words):
            use(path)
    assert words in " ".join(inspect_path(path).problems)


@pytest.mark.parametrize("key", ["state_dict", "lora", "weights", "model"])
def test_a_pickled_lora_under_any_name_is_read_as_it_is_inspected(key, tmp_path):
    torch.save({"step": 5, key: make_lora()}, tmp_path / "a.pt")

    assert len(open_lora(tmp_path / "a.pt").named) == 3
    assert inspect_path(tmp_path / "a.pt").problems == []


def test_other_names_beside_the_usual_ones_are_no_obstacle(tmp_path):
    path = save(WHOLE | {f"module.{UNET}a": torch.ones(1)}, tmp_path / "a.safetensors")

    assert read_file(path).unet.tensors


PICKLES = {
    "under model": {"model": WHOLE, "step": 5},
    "under module": {"module": WHOLE, "step": 5},
    "with a path": {"state_dict": WHOLE, "hyper_parameters": {"folder": Path("a")}},
}


@pytest.mark.parametrize("name", PICKLES)
def test_pickles_of_training_programs_are_read(name, tmp_path):
    torch.save(PICKLES[name], tmp_path / "a.pt")

    assert read_file(tmp_path / "a.pt").unet.tensors
    assert inspect_path(tmp_path / "a.pt").facts["kind"] == SD1


NOT_READ = {
    "a newer pickle": ({"state_dict": {"a": torch.ones(1)}}, "it is pickled with protocol 4"),
    "a hypernetwork": ({768: [{"linear.0.weight": torch.ones(2, 2)}]}, "is a hypernetwork"),
    "an IP adapter": ({"image_proj": {}, "ip_adapter": {}}, "is an IP adapter"),
}


@pytest.mark.parametrize("name", NOT_READ)
def test_other_pickles_are_named_truly(name, tmp_path):
    content, words = NOT_READ[name]
    torch.save(content, tmp_path / "a.pt", pickle_protocol=4 if "newer" in name else 2)

    with pytest.raises(CheckpointError, match=words):
        read_file(tmp_path / "a.pt")


BYTES = {
    "a refusal": (b"Invalid username or password.", "is a text: the download was refused"),
    "a configuration": (b"model:\n  base_learning_rate: 1.0e-04\n", "is a text: "),
    "zeros": (bytes(5000), "is nothing but zeros, which is what a download that did not end leaves"),
    "Keras": (b"\x89HDF\r\n\x1a\n" + bytes(100), "is a file of Keras"),
    "TensorRT": (b"ftrt" + bytes(100), "is an engine of TensorRT"),
}


@pytest.mark.parametrize("name", BYTES)
@pytest.mark.parametrize("ending", ["safetensors", "ckpt", "SAFETENSORS"])
def test_files_are_named_by_their_content(name, ending, tmp_path):
    content, words = BYTES[name]
    path = tmp_path / f"a.{ending}"
    path.write_bytes(content)

    with pytest.raises(CheckpointError, match=words):
        read_file(path)
    assert any(words in problem for problem in inspect_path(path).problems)


def test_a_link_to_nothing_is_said(tmp_path):
    path = tmp_path / "a.safetensors"
    path.symlink_to(tmp_path / "gone.safetensors")

    with pytest.raises(CheckpointError, match=r"is a link to .*gone\.safetensors, which is not there"):
        check_reference(str(path))


EMBEDDINGS = {
    "a word with a dot": {"my.style": torch.ones(2, 768)},
    "SDXL's first part alone": {"clip_l": torch.ones(2, 768)},
}


@pytest.mark.parametrize("name", EMBEDDINGS)
def test_embeddings_are_inspected_as_they_are_read(name, tmp_path):
    path = save(EMBEDDINGS[name], tmp_path / "a.safetensors")

    assert (2, 768) == tuple(read_embedding(path).shape)
    assert inspect_path(path).facts["kind"] == EMBEDDING
    assert inspect_path(path).problems == []


NO_EMBEDDINGS = {
    "several words": ({"<a>": torch.ones(768), "<b>": torch.ones(768)}, "holds 2 tensors instead of one"),
    "another model": ({"clip_l": torch.ones(1, 768), "t5": torch.ones(1, 4096)}, "for Flux, not"),
    "a model that is not known": (
        {"clip_l": torch.ones(1, 768), "llama": torch.ones(1, 9)},
        "for another kind of model",
    ),
}


@pytest.mark.parametrize("name", NO_EMBEDDINGS)
def test_other_embeddings_are_refused_alike(name, tmp_path):
    tensors, words = NO_EMBEDDINGS[name]
    path = save(tensors, tmp_path / "a.safetensors")

    with pytest.raises(CheckpointError, match=words):
        read_embedding(path)
    assert words in inspect_path(path).problems[0]


def factors(layer):
    return {f"{layer}.lora_A.weight": torch.ones(2, 8), f"{layer}.lora_B.weight": torch.ones(8, 2)}


FAMILIES = {
    "Wan": factors("diffusion_model.blocks.0.self_attn.q"),
    "Stable Cascade": {
        f"lora_prior_unet_down_blocks_0_0.lora_{end}.weight": torch.ones(shape)
        for end, shape in (("down", (2, 8)), ("up", (8, 2)))
    },
    "a transformer such as": factors("transformer.transformer_blocks.0.attn1.to_q"),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_loras_of_other_models_are_named(family, tmp_path):
    with pytest.raises(CheckpointError, match=f"It was made for {family}"):
        open_lora(save(FAMILIES[family], tmp_path / "a.safetensors")).bind(TARGETS)


def test_whole_numbers_are_no_weights(tmp_path):
    tensors = make_lora() | {f"{ATTENTION}.lora_down.weight": torch.ones(2, 8, dtype=torch.int8)}

    with pytest.raises(CheckpointError, match="holds whole numbers where weights belong"):
        open_lora(save(tensors, tmp_path / "a.safetensors"))


def test_the_text_encoder_is_still_known_alone(tmp_path):
    only = {name: it for name, it in WHOLE.items() if name.startswith(TEXT)}

    assert inspect_path(save(only, tmp_path / "a.safetensors")).facts["kind"] == "a text encoder"


@pytest.mark.parametrize("content", [{"string_to_param": {"*": torch.ones(2, 768)}}, {"<char>": torch.ones(2, 768)}])
def test_an_embedding_in_a_state_dict_is_read_as_it_is_inspected(content, tmp_path):
    torch.save({"state_dict": content}, path := tmp_path / "char.pt")

    assert (2, 768) == read_embedding(path).shape
    assert "a textual inversion embedding" in str(inspect_path(path))
