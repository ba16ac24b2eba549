"""Loading checkpoints: folders, single files, VAE files, and what is none of these."""

import json
import shutil

import pytest
import torch
from helpers.hub_double import running_hub, use_hub
from helpers.painting import paint
from helpers.small_checkpoints import make_checkpoint
from safetensors.torch import load_file, save_file

from pastelbot.diffusion.checkpoint import devices, loading
from pastelbot.diffusion.weights import ldm
from pastelbot.diffusion.weights.files import read_vae
from pastelbot.errors import CheckpointError
from pastelbot.formats.identify import SD1, SD1_VAE, identify
from pastelbot.records import GenerationRequest

REQUEST = GenerationRequest(prompt="1girl", width=64, height=64, steps=2)
CROSS = "model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight"
FIRST = "model.diffusion_model.input_blocks.0.0.weight"
TEXT = "cond_stage_model.transformer.text_model.embeddings.position_ids"


@pytest.fixture
def folder(bundled, tmp_path):
    """Return a copy of the bundled checkpoint's folder."""
    copy = tmp_path / "my model"
    shutil.copytree(bundled, copy)
    return copy


def test_folder_is_loaded_whole(small):
    """Name, hash, device and format are known, and it paints."""
    assert len(small.hash) == 10
    assert small.device == torch.device("cpu")
    assert small.dtype == torch.float32
    assert small.prediction_type == "epsilon"
    assert len(paint(small, REQUEST)) == 1


def test_folder_may_say_its_name(folder):
    """Otherwise it is the folder's."""
    index = json.loads((folder / "model_index.json").read_text())
    (folder / "model_index.json").write_text(json.dumps(index | {"_pastelbot_name": "Pastel"}))
    assert loading.load(str(folder), device="cpu").name == "Pastel"
    del index["_pastelbot_name"]
    (folder / "model_index.json").write_text(json.dumps(index))
    assert loading.load(str(folder), device="cpu").name == "my model"


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        ("unet/config.json", "config.json is missing"),
        ("unet/diffusion_pytorch_model.safetensors", "has no weights"),
        ("model_index.json", "not a complete diffusers checkpoint"),
        ("tokenizer/merges.txt", "tokenizer"),
    ],
)
def test_incomplete_folder_names_what_is_missing(folder, missing, words):
    """One sentence with the path."""
    (folder / missing).unlink()
    with pytest.raises(CheckpointError, match=words):
        loading.load(str(folder), device="cpu")


def test_folder_without_a_tokenizer_takes_the_bundled_one(folder, small):
    """All models of Stable Diffusion 1.x have the same."""
    shutil.rmtree(folder / "tokenizer")

    mine, bundled_one = paint(loading.load(str(folder), device="cpu"), REQUEST), paint(small, REQUEST)
    assert mine[0].png[-1000:] == bundled_one[0].png[-1000:]


def test_damaged_weights_are_recognised(folder):
    """A broken download says so."""
    (folder / "unet" / "diffusion_pytorch_model.safetensors").write_bytes(b"half a download")
    with pytest.raises(CheckpointError, match="damaged"):
        loading.load(str(folder), device="cpu")


def test_weights_that_lack_tensors_are_refused(folder):
    """The first missing one is named."""
    path = folder / "unet" / "diffusion_pytorch_model.safetensors"
    tensors = load_file(path)
    del tensors["conv_out.bias"]
    save_file(tensors, path)
    with pytest.raises(CheckpointError, match=r"conv_out\.bias"):
        loading.load(str(folder), device="cpu")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"cross_attention_dim": 2048}, "SDXL"),
        ({"cross_attention_dim": 1024}, "2.x"),
        ({"in_channels": 8}, "InstructPix2Pix"),
    ],
)
def test_folder_of_another_kind_is_named(folder, change, words):
    """By what its UNet's configuration says."""
    path = folder / "unet" / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(CheckpointError, match=words):
        loading.load(str(folder), device="cpu")


def test_own_vae_replaces_the_checkpoints(folder, tmp_path):
    """A folder or a single file with diffusers' names, pickled as plain data or not."""
    tensors = ldm.vae_tensors(make_checkpoint())
    pickled = tmp_path / "kl.vae.pt"
    torch.save({"state_dict": tensors}, pickled)

    assert tensors.keys() == read_vae(pickled).tensors.keys()
    loaded = loading.load(str(folder), vae=str(folder / "vae"), device="cpu")
    assert len(paint(loaded, REQUEST)) == 1


def test_pickled_program_is_not_run(tmp_path):
    """A file that holds more than plain data is refused before anything of it runs."""

    class Evil:
        def __reduce__(self):
            return (print, ("boo",))

    path = tmp_path / "evil.pt"
    torch.save({"state_dict": Evil()}, path)
    with pytest.raises(CheckpointError, match="plain weights"):
        read_vae(path)


@pytest.mark.parametrize("reference", ["/nowhere/model.safetensors", "./nothing", "nothing", "a/b/c/d"])
def test_missing_checkpoint_is_one_sentence(reference):
    """It says where to look."""
    with pytest.raises(CheckpointError, match=r"checkpoint\.path"):
        loading.load(reference)


@pytest.mark.parametrize("reference", ["owner/model", "owner/model/file.safetensors"])
def test_offline_hub_name_says_that_it_is_not_cached(reference, tmp_path):
    """Nothing is downloaded then."""
    said = []
    with pytest.raises(CheckpointError, match="not in the download cache"):
        loading.load(reference, offline=True, cache_dir=tmp_path, on_progress=said.append)
    assert said[0].startswith("Looking for owner/model")


def test_cached_hub_folder_is_found_offline(bundled, small, tmp_path):
    """The cache is the hub client's own."""
    cached = tmp_path / "models--owner--model"
    commit = "0123456789abcdef0123456789abcdef01234567"
    shutil.copytree(bundled, cached / "snapshots" / commit)
    (cached / "refs").mkdir()
    (cached / "refs" / "main").write_text(commit)

    assert loading.load("owner/model", offline=True, cache_dir=tmp_path, device="cpu").hash == small.hash


def test_hub_folder_brings_the_best_weights_of_each_part(bundled, tmp_path, monkeypatch):
    """Pickled weights are downloaded only where there are no others."""
    files = {path.relative_to(bundled).as_posix(): path.read_bytes() for path in bundled.rglob("*") if path.is_file()}
    files["vae/diffusion_pytorch_model.bin"] = b"pickled"
    files["text_encoder/model.fp16.safetensors"] = files.pop("text_encoder/model.safetensors")
    with running_hub() as hub:
        use_hub(monkeypatch, hub)
        hub.repos["owner/model"] = files
        loaded = loading.load("owner/model", revision="v1", device="cpu", cache_dir=tmp_path)

    assert loaded.name == "pastelbot-lorelei"
    assert [] == [line for line in hub.asked if "model.bin" in line]


def test_missing_vae_names_its_own_key(bundled):
    """Not the checkpoint's."""
    with pytest.raises(CheckpointError, match=r"checkpoint\.vae"):
        loading.load(str(bundled), vae="/nowhere.pt", device="cpu")


@pytest.mark.parametrize(("device", "precision"), [("tpu", "auto"), ("cpu", "fp8")])
def test_unknown_device_and_precision_are_refused(bundled, device, precision):
    """The known ones are named."""
    with pytest.raises(CheckpointError, match="known ones"):
        loading.load(str(bundled), device=device, precision=precision)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_absent_device_is_refused(bundled):
    """Asking for what is not there is an error, "auto" takes what is."""
    with pytest.raises(CheckpointError, match="not available"):
        loading.load(str(bundled), device="cuda")
    assert devices.choose_device("auto").type in ("cpu", "mps")


KINDS = [
    ({CROSS: (320, 768), FIRST: (320, 4, 3, 3), TEXT: (1, 77)}, SD1),
    ({CROSS: (320, 1024), FIRST: (320, 4, 3, 3), "cond_stage_model.model.ln_final.bias": (1024,)}, "Diffusion 2"),
    ({FIRST: (320, 4, 3, 3), "conditioner.embedders.1.model.ln_final.bias": (1280,)}, "SDXL"),
    ({CROSS: (320, 768), FIRST: (320, 9, 3, 3), TEXT: (1, 77)}, "inpainting"),
    ({CROSS: (320, 768), FIRST: (320, 8, 3, 3), TEXT: (1, 77)}, "InstructPix2Pix"),
    ({CROSS: (320, 768), FIRST: (320, 4, 3, 3)}, "without its text encoder"),
    ({"lora_unet_mid_block_attentions_0_proj_in.lora_down.weight": (8, 1280)}, "LoRA"),
    ({"lora_unet_mid_block_attentions_0_proj_in.hada_w1_a": (8, 1280)}, "LyCORIS"),
    ({"lora_unet_mid_block_resnets_0_norm1.w_norm": (1280,)}, "LyCORIS"),
    ({"lora_unet_mid_block_attentions_0_proj_in.on_input": ()}, "LyCORIS"),
    ({"oft_unet_mid_block_attentions_0_proj_in.oft_blocks": (4, 320, 320)}, "LyCORIS"),
    ({"control_model.input_blocks.0.0.weight": (320, 4, 3, 3)}, "ControlNet"),
    ({"model.diffusion_model.joint_blocks.0.x": (1,)}, "Diffusion 3"),
    ({"double_blocks.0.img_attn.qkv.weight": (1, 1)}, "Flux"),
    ({"decoder.conv_in.weight": (512, 4, 3, 3)}, SD1_VAE),
    ({"first_stage_model.decoder.conv_in.weight": (512, 4, 3, 3)}, SD1_VAE),
    ({"down_blocks.0.resnets.0.conv1.weight": (320, 320, 3, 3)}, "UNet of diffusers"),
    ({"text_model.encoder.layers.0.layer_norm1.bias": (768,)}, "text encoder"),
    ({"emb_params": (8, 768)}, "textual inversion"),
]


@pytest.mark.parametrize(("shapes", "words"), KINDS, ids=[words for _shapes, words in KINDS])
def test_weights_are_known_by_their_tensors(shapes, words):
    """Names and shapes are enough."""
    assert words in identify(shapes)


def test_unknown_tensors_are_nothing():
    """It is better to say so than to guess."""
    assert identify({"something.weight": (1,)}) is None


def test_file_of_another_kind_is_named(tmp_path):
    """Before its tensors are read."""
    path = tmp_path / "style.safetensors"
    save_file({"lora_te_text_model_encoder_layers_0_mlp_fc1.lora_down.weight": torch.zeros(4, 768)}, path)
    with pytest.raises(CheckpointError, match=r"style\.safetensors is a LoRA, not a Stable Diffusion 1"):
        loading.load(str(path))
    with pytest.raises(CheckpointError, match="not a VAE"):
        read_vae(path)


def test_programs_load_a_checkpoint_by_the_folders_own_name():
    from pastelbot.diffusion import checkpoint

    assert checkpoint.load is loading.load
    with pytest.raises(AttributeError, match="unload"):
        checkpoint.unload  # noqa: B018 - asking is the point
