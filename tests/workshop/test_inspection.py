"""What `inspect` finds in files."""

import re

import pytest
import torch
from golden_merge.merge_cases import needed
from helpers.network_layers import layer
from helpers.small_checkpoints import ATTENTION, CROSS, POSITIONS, UNET, make_checkpoint, make_lora, save

from pastelbot.errors import CheckpointError
from pastelbot.formats.hashes import hash_file
from pastelbot.workshop.inspection import inspect_path

NORM = "lora_unet_down_blocks_0_resnets_0_norm1"


def look(tensors, path, metadata=None):
    return inspect_path(save(tensors, path, metadata))


def test_checkpoint_is_described(tmp_path):
    """Kind, precision and the hashes that the webui and older infotexts show."""
    path = save(make_checkpoint(dtype=torch.float16), tmp_path / "a.safetensors")
    findings, hashes = inspect_path(path), hash_file(path)

    assert findings.facts["kind"] == "a Stable Diffusion 1.x checkpoint"
    assert findings.facts["precision"].startswith("float16 (942 tensors)")
    assert (hashes.sha256[:10], hashes.old) == (findings.facts["hash"], findings.facts["old hash"])
    assert findings.problems == []


def test_lora_is_described(tmp_path):
    """Rank, alpha, what it was made for, and the words that it was trained with."""
    metadata = {"ss_tag_frequency": '{"10_x": {"mksks style": 20, "1girl": 3}, "5_y": {"1girl": 9}}'}
    facts = look(make_lora(rank=2, alpha=1.0), tmp_path / "a.safetensors", metadata).facts

    assert ("a LoRA", "2 (3 modules)", "1") == (facts["kind"], facts["rank"], facts["alpha"])
    assert facts["trigger words"] == "mksks style, 1girl"
    shapes = {"lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k": (320, 1024)}
    assert look(make_lora(shapes=shapes), tmp_path / "b.safetensors").facts["made for"] == "Stable Diffusion 2.x"


def test_other_networks_are_described(tmp_path):
    """What they are, what only some of their layers have, and what is inside and beside."""
    network = {f"{ATTENTION}.{end}": tensor for end, tensor in layer("loha", (8, 8)).items()}
    network |= {f"{CROSS}.{end}": tensor for end, tensor in layer("dora", (8, 768)).items()}
    network |= {f"{NORM}.{end}": tensor for end, tensor in layer("", (8,)).items()}
    network |= {"bundle_emb.word.emb_params": torch.ones(1, 12), f"{ATTENTION}.scalar": torch.ones(1)}
    findings = look(network, tmp_path / "a.safetensors")

    assert findings.problems == []
    assert findings.facts["form"] == "LoHa (1 modules), LoRA (1 modules), Norm (1 modules), DoRA (1 modules)"
    assert findings.facts["rank"] == "3 (1 modules), 2 (1 modules)"
    assert findings.facts["made for"] == "Stable Diffusion 1.x"
    assert findings.facts["embeddings"] == "word"
    assert findings.facts["not used"] == f"{ATTENTION}.scalar"


def test_an_incomplete_network_is_a_problem(tmp_path):
    findings = look({f"{ATTENTION}.lokr_w1": torch.ones(2, 2)}, tmp_path / "a.safetensors")

    assert findings.facts["kind"] == "a LyCORIS network"
    assert "lacks lokr_w2 of" in findings.problems[0]


def test_trigger_phrase_goes_before_tags(tmp_path):
    """It is what the author says."""
    metadata = {"modelspec.trigger_phrase": "mksks style", "ss_tag_frequency": '{"10_x": {"1girl": 3}}'}

    assert look(make_lora(), tmp_path / "a.safetensors", metadata).facts["trigger words"] == "mksks style"


@pytest.mark.parametrize("damaged", ["[1]", "{", '{"x": 3}', '{"x": {"y": "z"}}'])
def test_damaged_metadata_is_no_reason_to_fail(tmp_path, damaged):
    """There are no trigger words then."""
    assert "trigger words" not in look(make_lora(), tmp_path / "a.safetensors", {"ss_tag_frequency": damaged}).facts


@pytest.mark.parametrize(
    ("tensors", "words"),
    [
        ({POSITIONS: torch.arange(77).unsqueeze(0).half() * 0.99}, "is broken"),
        ({POSITIONS: torch.arange(77).unsqueeze(0).half()}, "instead of int64"),
        ({UNET + "out.2.weight": torch.full((4, 8, 3, 3), float("nan"))}, r"NaN or infinite numbers in .*out\.2"),
    ],
)
def test_problems_are_found(tmp_path, tensors, words):
    """Broken positions and broken numbers, by name."""
    findings = look(make_checkpoint() | tensors, tmp_path / "a.safetensors")

    assert len(findings.problems) == 1
    assert re.search(words, findings.problems[0])


def test_broken_lora_is_a_finding_not_an_error(tmp_path):
    """Each problem once."""
    tensors = make_lora()
    tensors[next(name for name in tensors if name.endswith(".alpha"))] = torch.tensor(float("nan"))
    problems = look(tensors, tmp_path / "a.safetensors").problems

    assert len(problems) == 1
    assert "NaN" in problems[0]


def test_missing_part_is_a_problem(tmp_path):
    """Which one is said."""
    tensors = {name: tensor for name, tensor in make_checkpoint().items() if not name.startswith("first_stage_model.")}

    (problem,) = look(tensors, tmp_path / "a.safetensors").problems

    assert problem.startswith("The VAE is missing. Name one as checkpoint.vae")


def test_ema_weights_are_mentioned(tmp_path):
    """They double the size for nothing."""
    facts = look(make_checkpoint() | {"model_ema.x": torch.ones(1)}, tmp_path / "a.safetensors").facts

    assert facts["EMA weights"].startswith("1 tensors")


def test_unreadable_file_still_has_its_hashes(tmp_path):
    """A broken download can be compared with its page."""
    path = save(make_checkpoint(), tmp_path / "a.safetensors")
    path.write_bytes(path.read_bytes()[:-10])
    findings = inspect_path(path)

    assert "cut short" in findings.problems[0]
    assert hash_file(path).sha256 == findings.facts["sha256"]


def test_lists_and_folders_are_described():
    """Lists have no names; folders have the hash that pictures have of them, their UNet's."""
    lora, folder = inspect_path(needed("lora", "simo_lora.pt")), inspect_path(needed("lora", "base_diffusers"))

    assert ("a LoRA (list without names)", "none") == (lora.facts["kind"], lora.facts["alpha"])
    assert folder.facts["kind"] == "a Stable Diffusion 1.x checkpoint"
    weights = needed("lora", "base_diffusers", "unet", "diffusion_pytorch_model.safetensors")
    assert folder.facts["hash"] == f"{hash_file(weights).short} (its UNet's)"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ({"string_to_param": {"*": torch.zeros(2, 768)}}, "a textual inversion embedding"),
        ({768: [{}], 320: [{}]}, "a hypernetwork"),
    ],
)
def test_other_pickles_are_named(tmp_path, content, kind):
    torch.save(content, tmp_path / "a.pt")
    findings = inspect_path(tmp_path / "a.pt")

    assert kind == findings.facts["kind"]
    assert findings.problems == []


@pytest.mark.parametrize("name", ["a.pt", "a.safetensors"])
def test_embedding_is_described(tmp_path, name):
    if name == "a.pt":
        torch.save({"string_to_param": {"*": torch.zeros(3, 768)}}, tmp_path / name)
    else:
        save({"emb_params": torch.zeros(3, 768)}, tmp_path / name)
    facts = inspect_path(tmp_path / name).facts

    assert ("3, each of 768 numbers", "Stable Diffusion 1.x") == (facts["vectors"], facts["made for"])


@pytest.mark.parametrize(
    ("width", "model"),
    [(1280, "SDXL"), (4096, "Flux or Stable Diffusion 3 (T5)"), (3072, "another kind of model")],
)
def test_embeddings_of_all_widths_say_what_they_were_made_for(tmp_path, width, model):
    save({"emb_params": torch.zeros(3, width)}, tmp_path / "a.safetensors")

    assert inspect_path(tmp_path / "a.safetensors").facts["made for"] == model


def test_lora_of_another_family_is_described_all_the_same(tmp_path):
    """What it is stays said beside the problem."""
    tensors = {name.replace("lora_te_", "lora_te2_"): tensor for name, tensor in make_lora().items()}
    findings = look(tensors, tmp_path / "a.safetensors")

    assert findings.facts["kind"] == "a LoRA"
    assert "SDXL LoRA" in findings.problems[0]


@pytest.mark.parametrize("damaged", ["[{}]", "7", "nonsense"])
def test_damaged_provenance_is_no_reason_to_fail(tmp_path, damaged):
    assert "made from" not in look(make_lora(), tmp_path / "a.safetensors", {"pastelbot.inputs": damaged}).facts


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "is empty"), (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "pointer of Git LFS")],
)
def test_what_is_no_download_at_all_is_reported(tmp_path, content, words):
    (tmp_path / "a.safetensors").write_bytes(content)

    assert words in inspect_path(tmp_path / "a.safetensors").problems[0]


def test_nothing_there_is_an_error(tmp_path):
    """Not a finding."""
    with pytest.raises(CheckpointError, match="There is no file"):
        inspect_path(tmp_path / "nothing")
