"""What was right when people's files of weights were first tried (rows 118 to 131), and stays so."""

import json
import shutil

import pytest
import torch
from helpers.field_cases import UNET, VAE
from helpers.small_checkpoints import ATTENTION, CROSS, POSITIONS, TEXT, make_checkpoint, make_lora, make_vae, save

from pastelbot.diffusion.checkpoint.folder_check import check_folder
from pastelbot.diffusion.embeddings import read_embedding
from pastelbot.diffusion.lora.files import open_lora
from pastelbot.diffusion.lora.targets import find_targets
from pastelbot.diffusion.weights import ldm
from pastelbot.diffusion.weights.files import read_file, read_vae
from pastelbot.diffusion.weights.tensor_sources import MemorySource
from pastelbot.errors import CheckpointError
from pastelbot.formats.network_files import LoraFiles
from pastelbot.formats.precheck import check_reference
from pastelbot.workshop.inspection import inspect_path

WHOLE = make_checkpoint()
TARGETS = find_targets(MemorySource(WHOLE, "it").entries)


def each(change, tensors):
    return {name: change(name, it) for name, it in tensors.items()}


def as_alpha(change):
    return each(lambda name, it: change(it) if name.endswith("alpha") else it, make_lora())


LORAS = {
    "kohya": make_lora(),
    "LoCon": make_lora() | {"lora_unet_conv_in.alpha": torch.tensor(1.0)},
    "bfloat16": make_lora(dtype=torch.bfloat16),
    "fp8": each(lambda _name, it: it.to(torch.float8_e4m3fn), make_lora()),
    "alpha as a vector": as_alpha(lambda it: it.reshape(1)),
    "alpha as a whole number": as_alpha(lambda it: it.long()),
}


def changed(path):
    return open_lora(path).bind(TARGETS)[0].keys()


@pytest.mark.parametrize("name", LORAS)
def test_118_loras_are_applied(name, tmp_path):
    assert len(make_lora()) // 3 == len(changed(save(LORAS[name], tmp_path / "a.safetensors")))


def test_118_lists_of_cloneofsimo_are_known(tmp_path):
    torch.save([torch.ones(8, 2), torch.ones(2, 8)], tmp_path / "a.pt")

    assert "a LoRA (list without names)" in inspect_path(tmp_path / "a.pt").facts["kind"]


FOREIGN = {
    "119 SD2": (make_lora(shapes={CROSS: (8, 1024)}), "Stable Diffusion 2"),
    "120 SDXL": (
        {name.replace("lora_te_", f"lora_te{n}_"): it for n in (1, 2) for name, it in make_lora().items()},
        "SDXL",
    ),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_loras_for_other_models_are_named(name, tmp_path):
    tensors, words = FOREIGN[name]

    with pytest.raises(CheckpointError, match=words):
        changed(save(tensors, tmp_path / "a.safetensors"))


LYCORIS = {
    "LoHa": {f"hada_w{n}_{end}": torch.ones(*((8, 2) if end == "a" else (2, 8))) for n in (1, 2) for end in "ab"},
    "LoKr": {"lokr_w1": torch.ones(2, 2), "lokr_w2": torch.ones(4, 4)},
    "OFT": {"oft_blocks": torch.zeros(2, 4, 4), "alpha": torch.tensor(1.0)},
}


@pytest.mark.parametrize("name", LYCORIS)
def test_121_networks_of_lycoris_are_applied(name, tmp_path):
    """They were refused in a sentence at first."""
    path = save({f"{ATTENTION}.{role}": it for role, it in LYCORIS[name].items()}, tmp_path / "a.safetensors")

    assert len(changed(path)) == 1
    assert name in inspect_path(path).facts["form"]


NAMES = [
    ("te,st1", "te,st1"),
    ("test2", "test2 "),
    ("name.with.dots-v1.5", "name.with.dots-v1.5"),
    ("with space", "with space"),
    ("[brackets] (1)", "[brackets] (1)"),
    ("🌸", "🌸"),
    ("和風", "和風"),
    ("Case", "case"),
]


@pytest.mark.parametrize(("file", "named"), NAMES)
def test_122_loras_are_found_by_name(file, named, tmp_path):
    path = save(make_lora(), tmp_path / f"{file}.safetensors")

    assert path == LoraFiles(tmp_path).find(named).path


def test_123_a_pointer_of_lfs_is_named_with_what_to_do(tmp_path):
    path = tmp_path / "lfs.safetensors"
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 4\n", encoding="ascii")

    with pytest.raises(CheckpointError, match=r"a pointer of Git LFS .* run `git lfs pull`"):
        read_file(path)


def renamed(old, new):
    return {name.replace(old, new): it for name, it in WHOLE.items()}


def cast(dtype, *, start=""):
    return each(lambda name, it: it.to(dtype) if name.startswith(start) and it.is_floating_point() else it, WHOLE)


EXTRAS = {name: torch.ones(1) for name in ("logit_scale", "loss.logvar", "embedding_manager.a.weight")}
READ = {
    "124 with position_ids": WHOLE,
    "124 without position_ids": {name: it for name, it in WHOLE.items() if name != POSITIONS},
    "127 early names of the text encoder": renamed("transformer.text_model.", "transformer."),
    "127 extra keys": WHOLE | EXTRAS,
    "127 fp8": cast(torch.float8_e4m3fn, start=UNET),
    "127 bfloat16": cast(torch.bfloat16),
    "127 some in fp64": cast(torch.float64, start=TEXT),
}


@pytest.mark.parametrize("name", READ)
def test_checkpoints_are_read(name, tmp_path):
    path = save(READ[name], tmp_path / "a.safetensors")

    assert len(read_file(path).unet.tensors) == sum(name.startswith(UNET) for name in WHOLE)
    check_reference(str(path))


PICKLES = {
    "Lightning": {"state_dict": WHOLE, "epoch": 1, "pytorch-lightning_version": "1"},
    "flat": WHOLE,
    "nested twice": {"state_dict": {"state_dict": WHOLE}},
}


@pytest.mark.parametrize("name", PICKLES)
def test_125_pickles_are_loaded(name, tmp_path):
    torch.save(PICKLES[name], tmp_path / "a.ckpt")

    assert read_file(tmp_path / "a.ckpt").unet.tensors


def widened(channels):
    name = f"{UNET}input_blocks.0.0.weight"
    return WHOLE | {name: torch.zeros(WHOLE[name].shape[0], channels, 3, 3)}


def test_126_an_inpainting_model_is_named_and_painted_with(tmp_path):
    """It was refused at first."""
    path = save(widened(9), tmp_path / "a.safetensors")

    assert read_file(path).unet.config["in_channels"] == 9
    assert "an inpainting model" in inspect_path(path).facts["kind"]


def test_126_instruct_pix2pix_is_named_and_refused(tmp_path):
    with pytest.raises(CheckpointError, match="an InstructPix2Pix model"):
        read_file(save(widened(8), tmp_path / "a.safetensors"))


VAE_ONLY = make_vae()
VAES = {
    "loss keys": ({"state_dict": VAE_ONLY | {"loss.logvar": torch.ones(1)}}, ".vae.pt"),
    "EMA": ({"state_dict": VAE_ONLY | {"model_ema.decay": torch.ones(1)}}, ".ckpt"),
    "prefix": ({f"{VAE}{name}": it for name, it in VAE_ONLY.items()}, ".pt"),
    "diffusers' names": (ldm.vae_tensors(VAE_ONLY), ".bin"),
}


@pytest.mark.parametrize("name", VAES)
def test_128_vaes_are_read(name, tmp_path):
    content, suffix = VAES[name]
    torch.save(content, tmp_path / f"a{suffix}")

    assert read_vae(tmp_path / f"a{suffix}").tensors


def test_129_broken_numbers_are_named(tmp_path):
    name = f"{VAE}decoder.conv_in.weight"
    path = save(WHOLE | {name: torch.full_like(WHOLE[name], torch.nan)}, tmp_path / "a.safetensors")

    assert any(name in problem for problem in inspect_path(path).problems)


EMBEDDINGS = {
    "emb_params": ({"emb_params": torch.ones(2, 768)}, ""),
    "*": ({"string_to_param": {"*": torch.ones(2, 768)}}, ""),
    "SDXL": ({"clip_l": torch.ones(2, 768), "clip_g": torch.ones(2, 1280)}, "for SDXL"),
    "76 vectors": ({"emb_params": torch.ones(76, 768)}, "has 76 vectors"),
    "two tokens": ({"<a>": torch.ones(768), "<b>": torch.ones(768)}, "holds 2 tensors"),
}


@pytest.mark.parametrize("name", EMBEDDINGS)
def test_130_embeddings_are_read_or_named(name, tmp_path):
    content, words = EMBEDDINGS[name]
    torch.save(content, tmp_path / "a.pt")

    if words:
        with pytest.raises(CheckpointError, match=words):
            read_embedding(tmp_path / "a.pt")
    else:
        assert (2, 768) == tuple(read_embedding(tmp_path / "a.pt").shape)


def test_130_an_embedding_for_sd2_is_named(tmp_path):
    save({"emb_params": torch.ones(2, 1024)}, tmp_path / "a.safetensors")

    assert "Stable Diffusion 2.x" in inspect_path(tmp_path / "a.safetensors").facts["made for"]


@pytest.fixture
def folder(tiny, tmp_path):
    """Return a copy of a diffusers folder."""
    return shutil.copytree(tiny[0], tmp_path / "folder")


def edit(path, **values):
    content = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    path.write_text(json.dumps(content | values), encoding="utf-8")


def with_fp16_variant(folder):
    for part in ("unet", "vae", "text_encoder"):
        for path in (folder / part).glob("*.safetensors"):
            path.rename(path.with_name(f"{path.stem}.fp16.safetensors"))


def of_img2img(folder):
    edit(folder / "model_index.json", _class_name="StableDiffusionImg2ImgPipeline")


def with_added_tokens(folder):
    (folder / "tokenizer").mkdir(exist_ok=True)
    edit(folder / "tokenizer" / "added_tokens.json", **{"<a>": 49408})


def without_tokenizer(folder):
    shutil.rmtree(folder / "tokenizer", ignore_errors=True)


def with_non_ema(folder):
    for path in (folder / "unet").glob("*.safetensors"):
        shutil.copy(path, path.with_name(f"{path.stem}.non_ema.safetensors"))


def of_lcm(folder):
    edit(folder / "model_index.json", _class_name="LatentConsistencyModelPipeline")


FOLDERS = [with_fp16_variant, of_img2img, without_tokenizer, with_non_ema]


@pytest.mark.parametrize("change", FOLDERS)
def test_131_folders_are_read(change, folder):
    change(folder)

    check_folder(folder)
    assert inspect_path(folder).problems == []


def test_131_a_folder_for_lcm_is_named(folder):
    of_lcm(folder)

    with pytest.raises(CheckpointError, match="is a LatentConsistencyModelPipeline"):
        check_folder(folder)
