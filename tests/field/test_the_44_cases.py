"""The 44 cases from the field, each by its number: the command that people gave, and the line that was expected.

Their small inputs are in `data`, under the case's number; checkpoints are made from the recordings' small one.
"""

import re
import shutil
import warnings
from pathlib import Path

import pytest
import torch
from helpers.field_cases import DATA, HIRES, INFOTEXT, PAINTED
from PIL import Image
from safetensors.torch import load_file

from pastelbot.config import bundled_checkpoint
from pastelbot.diffusion import checkpoint
from pastelbot.prompt.tags.vocabulary import read_tag_file


def picture(name):
    return {"picture": (name, (DATA / name).read_bytes())}


# What members give to /recreate, by the case's number, and what the answer has.
RECREATED = [
    (24, INFOTEXT.replace("red hair", "<lora:soft:0.8:lbw=OUTALL:stop=10>"), "PAINTS '1girl, <lora:soft:0.8:lbw"),
    (30, "30-quality.jpg", "PAINTS '最高品質, 1girl' 'hat'"),
    (32, "32-horde.jpg", PAINTED),
    (34, "34-fooocus.jpg", PAINTED),
    (34, "34-fooocus.webp", PAINTED),
    (35, "35-nai.png", "It was made with NovelAI"),
    (35, "35-nai.png", "PAINTS '1girl, {red hair}' 'lowres' 28 Euler a 11 123456"),
    (36, "36-comfy.png", "It was made with ComfyUI"),
    (36, "36-invoke.png", "It was made with InvokeAI"),
    (36, "36-easydiffusion.png", "It was made with Easy Diffusion"),
    (36, "36-fooocus.png", "It was made with Fooocus"),
    (36, "36-stealth.png", PAINTED),
    (38, "38-fenced.txt", PAINTED),
    (38, f"``` {INFOTEXT} ```".replace("\n", " "), PAINTED),
    (41, "41-infotext-ab12cd.txt", PAINTED),
    (42, "42-it.txt", PAINTED),
    (44, "44-big.txt", "The seed 1125899906842624 is not a whole number from 0 to 4294967295; a random one was drawn."),
    (44, "44-five.txt", "The seed 5000000000 is not a whole number from 0 to 4294967295; a random one was drawn."),
    (44, "44-minus.txt", "The seed -1 means a random one; one was drawn."),
    (46, "46-cap.txt", PAINTED),
    (46, "46-k.txt", PAINTED),
    (46, "46-anc.txt", PAINTED),
    (47, f"{INFOTEXT}, {HIRES} R-ESRGAN 4x+ Anime6B", "RealESRGAN_x4plus_anime_6B"),
    (47, f"{INFOTEXT}, {HIRES} R-ESRGAN 4x+", "RealESRGAN_x4plus"),
    (47, f"{INFOTEXT}, {HIRES} 4x_UltraSharp", "4x-UltraSharp"),
    (48, f"{INFOTEXT}, Model: tiny", f"{PAINTED} tiny"),
    (48, f"{INFOTEXT}, Model: other", "It was painted with other; here"),
    (50, "50-it.txt", "Civitai lists the LoRA Soft: style (0.8), which is not here: it is left out."),
]


@pytest.mark.parametrize(("number", "given", "expected"), RECREATED)
async def test_recreate(number, given, expected, bot, tmp_path):
    upscalers = tmp_path / "upscalers"
    upscalers.mkdir()
    for name in ("RealESRGAN_x4plus_anime_6B", "RealESRGAN_x4plus", "4x-UltraSharp"):
        (upscalers / f"{name}.pth").touch()
    loras = lora_folder(tmp_path, "soft")
    settings = {
        "checkpoint": {"upscalers": upscalers, "loras": loras},
        "checkpoints": {"tiny": {"path": "tiny.safetensors"}},
    }
    is_file = given.startswith(f"{number}-")

    said = await bot("recreate", settings=settings, **(picture(given) if is_file else {"infotext": given}))

    assert expected in said
    if is_file and given.endswith(".txt"):
        pasted = (DATA / given).read_text(encoding="utf-8")
        assert expected in await bot("menu", settings=settings, infotext=pasted)


def lora_folder(tmp_path, name):
    path = tmp_path / "loras" / f"{name}.safetensors"
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(DATA / "15-te1.safetensors", path)
    return tmp_path / "loras"


# What members type into /imagine, and what the answer has or has not.
IMAGINED = [
    (24, "1girl <lora:soft:0.8:lbw=OUTALL>", "PAINTS '1girl <lora:soft:0.8:lbw=OUTALL>'", "⚠️"),
    (29, "[red:blue:0.5] hair", "PAINTS '[red:blue:0.5] hair'", "Did you mean"),
    (29, "[[[[blurry]]]], ((((sharp))))", "PAINTS", "Did you mean"),
    (52, INFOTEXT.replace("\n", " "), "This is an infotext, not a prompt", "PAINTS '"),
    (53, "{0.5::red|2::blue} hair", " hair'", "::"),
    (53, "{2$$red|blue|green} hair", ", ", "$$"),
    (55, "__colors/warm__ hair", "PAINTS 'red hair'", "There is no wildcard"),
    (57, "__bom__, 1girl", "PAINTS 'red hair, 1girl'", "\ufeff"),
    (57, "__comment__, 1girl", "is empty: its file has no lines", "\ufeff"),
    (57, "__utf16__, 1girl", "PAINTS 'red hair, 1girl'", "broken"),
    (64, "1girl <lora:sub/inner:1>", "PAINTS '1girl <lora:sub/inner:1>'", "There is no LoRA"),
    (67, "1girl <lora:nosuch:1>", "There is no LoRA 'nosuch'", "PAINTS '"),
]


@pytest.mark.parametrize(("number", "prompt", "expected", "never"), IMAGINED)
async def test_imagine(number, prompt, expected, never, bot, tmp_path):
    loras = lora_folder(tmp_path, "soft")
    lora_folder(tmp_path, "sub/inner")
    settings = {"checkpoint": {"loras": loras}, "prompts": {"wildcards": DATA / "wildcards"}}

    said = await bot("imagine", settings=settings, prompt=prompt, hires="off", seed=1)

    assert number
    assert expected in said
    assert never not in said


def test_01_a_folder_saved_today_paints(imagine, pastelbot, tmp_path):
    saved = tmp_path / "saved"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from diffusers import StableDiffusionPipeline

        pipeline = StableDiffusionPipeline.from_pretrained(str(bundled_checkpoint()), safety_checker=None)
        pipeline.save_pretrained(str(saved))

    assert imagine(model=saved)[0] == pastelbot("inspect", saved)[0] == 0


def test_02_a_yaml_beside_the_file_counts(make, pastelbot):
    path = make("plain", "vpred.safetensors")
    path.with_suffix(".yaml").write_text('model:\n  params:\n    parameterization: "v"\n', encoding="utf-8")

    assert "v_prediction" in pastelbot("inspect", path)[1]
    assert checkpoint.load(str(path), device="cpu", offline=True).prediction_type == "v_prediction"


def test_04_other_predictions_are_not_mixed(make, pastelbot):
    code, said = pastelbot("merge", make("plain"), make("v_pred"), "m.safetensors", "--weight", "1")

    assert code == 1
    assert "they cannot be mixed" in said


def test_05_zero_terminal_snr_changes_the_picture(make, imagine, tmp_path):
    path, pictures = make("v_pred"), []
    for text in ("", "model:\n  params:\n    zero_snr: true\n"):
        path.with_suffix(".yaml").write_text(text, encoding="utf-8")
        assert imagine(model=path, out=f"{len(pictures)}.png")[0] == 0
        pictures.append(Image.open(tmp_path / f"{len(pictures)}.png").tobytes())

    assert pictures[0] != pictures[1]


def test_07_a_missing_vae_is_said_given_and_baked(make, imagine, pastelbot):
    path, vae = make("novae"), make("vae")

    assert "The VAE is missing. Name one as checkpoint.vae or with --vae" in imagine(model=path)[1]
    assert imagine("1girl", "--vae", vae, model=path)[0] == 0
    assert pastelbot("vae", "bake", path, vae, "baked.safetensors")[0] == 0
    assert imagine(model="baked.safetensors")[0] == 0


def test_08_to_q_in_the_vae_is_read(make, imagine, pastelbot):
    path = make("to_q")

    assert imagine(model=path)[0] == pastelbot("inspect", path)[0] == 0


def test_10_ema_weights_alone_are_named_and_cured(make, pastelbot, imagine):
    path = make("ema_only")

    assert "with its EMA weights alone" in pastelbot("inspect", path)[1]
    assert pastelbot("convert", path, "e.safetensors", "--ema", "use")[0] == 0
    assert imagine(model="e.safetensors")[0] == 0


@pytest.mark.parametrize(("number", "name"), [(11, "UPPER.SAFETENSORS"), (13, "st.ckpt"), (13, "pickle.safetensors")])
def test_11_13_content_decides(number, name, make, tiny, imagine, pastelbot, tmp_path):
    if name.startswith("pickle"):
        torch.save({"state_dict": load_file(tiny[1])}, tmp_path / name)
    else:
        make("plain", name)
    lora = DATA / {11: "11-KOHYA.SAFETENSORS", 13: "13-lora.ckpt"}[number]

    assert imagine(model=name)[0] == 0
    assert "a LoRA" in pastelbot("inspect", lora)[1]


# LoRAs, and what painting with them says; "" where there is nothing to say.
LORAS = [
    (15, "15-te1.safetensors", 0, ""),
    (17, "17-convin.safetensors", 0, ""),
    (18, "18-bundled.safetensors", 0, ""),
    (19, "19-dora.safetensors", 0, ""),
    (19, "19-norm.safetensors", 0, ""),
    (19, "19-diff_b.safetensors", 0, ""),
    (19, "19-peft.safetensors", 0, ""),
    (19, "19-attn_procs.safetensors", 0, ""),
    (19, "19-kohya_AB.safetensors", 0, ""),
    (21, "21-xl.safetensors", 1, "is an SDXL LoRA, not one for Stable Diffusion 1.x"),
    (23, "23-nested.pt", 0, ""),
]


@pytest.mark.parametrize(("number", "name", "code", "words"), LORAS)
def test_loras(number, name, code, words, imagine, pastelbot, tmp_path):
    loras = tmp_path / "loras"
    loras.mkdir()
    shutil.copy(DATA / name, loras / f"it{Path(name).suffix}")

    plain = imagine(out="plain.png")
    done = imagine("1girl <lora:it:1>", "--loras", loras)

    assert number
    assert "a LoRA" in pastelbot("inspect", DATA / name)[1]
    assert (plain[0], done[0]) == (0, code)
    assert words in done[1]
    assert "unknown" not in done[1]
    if code == 0:
        assert Image.open(tmp_path / "o.png").tobytes() != Image.open(tmp_path / "plain.png").tobytes()


@pytest.mark.parametrize("name", ["26-mychar.pt", "26-learned_embeds.bin", "28-pngchar.png"])
def test_26_28_embeddings_are_inspected_as_the_bot_reads_them(name, pastelbot):
    code, said = pastelbot("inspect", DATA / name)

    assert code == 0
    assert "a textual inversion embedding" in said
    assert "each of 64 numbers" in said


@pytest.mark.parametrize("name", ["58-bom.txt", "58-utf16.txt", "41-infotext-ab12cd.txt", "42-it.txt"])
def test_58_the_command_line_reads_text_files_by_their_marks(name, pastelbot, tmp_path):
    given = ["--from-infotext", DATA / name, "--no-hires", "--steps", "1", "--size", "64x64", "--out", "b.png"]

    assert pastelbot("imagine", *given)[0] == 0
    assert pastelbot("info", tmp_path / "b.png")[1].startswith("1girl, red hair\nNegative prompt: hat\nSteps: 1, ")


def test_60_61_tag_lists_are_read():
    counted, joined = (read_tag_file((DATA / name).read_bytes(), name) for name in ("60-nocount.csv", "61-joined.csv"))

    assert {tag.count for tag in counted.tags} == {0}
    assert (len(joined.tags), len(joined.problems)) == (3, 1)


def test_62_an_inpainting_version_is_made_by_add_difference(make, pastelbot, tmp_path):
    plain, inpainting, made = make("plain"), make("inpaint"), tmp_path / "m.safetensors"
    code, _said = pastelbot("merge", inpainting, plain, made, "--minus", plain, "--weight", "1")
    refused, said = pastelbot("merge", plain, inpainting, tmp_path / "n.safetensors", "--weight", "1")

    assert code == 0
    assert "inpainting model" in pastelbot("inspect", made)[1]
    assert refused == 1
    assert "name the inpainting model first" in said


def test_63_26_block_weights_are_explained(make, pastelbot):
    path = make("plain")
    code, said = pastelbot("merge", path, path, "m.safetensors", "--weights", ",".join(["0.3"] * 26))

    assert code != 0
    assert "The first of 26 values" in said
    assert pastelbot("merge", path, path, "m.safetensors", "--weights", ",\n".join(["0.3"] * 25))[0] == 0
    assert pastelbot("merge", path, path, "long.safetensors", "--weights", ",".join(["0.123456789012"] * 25))[0] == 0


async def test_65_a_completed_tag_is_no_weight(bot):
    assert "PAINTS '1girl, cat ears, :3,'" in await bot("imagine", prompt="1girl, cat ears, :3", hires="off")


def test_67_folders_that_are_not_there_are_said(imagine):
    said = imagine("1girl", "--loras", "nosuch", "--embeddings", "nosuch")[1]

    assert "checkpoint.loras: there is no folder nosuch" in said
    assert "checkpoint.embeddings: there is no folder nosuch" in said


def test_every_case_is_here():
    """By the numbers in the lists, and in the names of the tests."""
    named = {int(number) for name in globals() for number in re.findall(r"(?<=_)\d\d(?=_)", name)}
    listed = {row[0] for row in (*RECREATED, *IMAGINED, *LORAS)}

    assert sorted(named | listed) == [
        *(1, 2, 4, 5, 7, 8, 10, 11, 13, 15, 17, 18, 19, 21, 23, 24, 26, 28, 29, 30, 32, 34, 35, 36, 38, 41, 42, 44, 46),
        *(47, 48, 50, 52, 53, 55, 57, 58, 60, 61, 62, 63, 64, 65, 67),
    ]
