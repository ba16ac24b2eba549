import json

import numpy as np
import pytest
from helpers.support import png
from PIL import Image
from safetensors.numpy import save_file
from typer.testing import CliRunner

from pastelbot import config
from pastelbot.cli import generate
from pastelbot.cli.main import app
from pastelbot.errors import RequestError
from pastelbot.formats.pictures import read_infotext
from pastelbot.options import GenerationOptions


def test_a_picture_to_start_from_is_read_and_painted_over(tmp_path, settings):
    path = tmp_path / "start.png"
    path.write_bytes(png(size=(64, 96)))

    options = GenerationOptions(prompt="1girl", init=generate.read_init(path), denoise=0.4)
    request, notes = generate.request_of(options, settings, None)

    assert (64, 96, 0.4, None) == (request.width, request.height, request.init.denoising_strength, request.hires)
    assert () == notes


def test_a_missing_picture_is_named(tmp_path):
    with pytest.raises(RequestError, match=r"nowhere\.png"):
        generate.read_init(tmp_path / "nowhere.png")


def test_an_operators_upscaler_may_be_asked_for(tmp_path, settings):
    (tmp_path / "4x-AnimeSharp.pth").touch()
    checkpoint = settings.checkpoint.model_copy(update={"upscalers": tmp_path})
    options = GenerationOptions(prompt="1girl", hires_upscaler="4x-AnimeSharp")

    request, _ = generate.request_of(options, settings.model_copy(update={"checkpoint": checkpoint}), None)
    assert "4x-AnimeSharp" == request.hires.upscaler
    with pytest.raises(RequestError, match="4x-AnimeSharp"):
        generate.request_of(options, settings, None)


@pytest.fixture
def loras(tmp_path):
    """Return a folder with a LoRA of the bundled checkpoint's first text layer, and of a layer that it lacks."""
    width = json.loads((config.bundled_checkpoint() / "text_encoder" / "config.json").read_text())["hidden_size"]
    tensors = {}
    for layer in ("text_model_encoder_layers_0_self_attn_q_proj", "elsewhere"):
        tensors[f"lora_te_{layer}.lora_down.weight"] = np.full((1, width), 0.1, np.float32)
        tensors[f"lora_te_{layer}.lora_up.weight"] = np.full((width, 1), 0.1, np.float32)
    (tmp_path / "loras").mkdir()
    save_file(tensors, tmp_path / "loras" / "soft.safetensors")
    return tmp_path / "loras"


def test_checkpoints_vaes_and_loras_are_painted_with_by_name(tmp_path, loras):
    """What the user may not expect is noted; the infotext names what painted."""
    inside = str(config.bundled_checkpoint())
    settings = config.bundled(checkpoints={"again": {"path": inside}}, vaes={"inner": f"{inside}/vae"})
    settings = generate.with_files(settings, vae=None, loras=loras, embeddings=None)
    options = GenerationOptions(
        prompt="1girl <lora:Soft:0.5>", size="64x64", steps=1, hires=False, checkpoint="again", vae="inner"
    )
    request, _ = generate.request_of(options, settings, None)
    notes = []
    (path,) = generate.paint(request, settings, tmp_path / "out.png", on_note=notes.append)

    assert notes[-1].startswith("the seed is ")
    assert notes[:-1] == [
        "There is no LoRA 'Soft': soft was used.",
        "1 modules of the LoRA soft are unknown: lora_te_elsewhere.",
    ]
    infotext = read_infotext(path)
    assert "VAE: vae" in infotext
    assert 'Lora hashes: "Soft: ' in infotext
    assert 'Lora names: "Soft: soft"' in infotext


def test_a_lora_that_an_infotext_has_and_this_bot_has_not_is_left_out_and_said(settings, loras, tmp_path):
    """As in the webui; one that is typed is refused, also beside an infotext."""
    settings = generate.with_files(settings, vae=None, loras=loras, embeddings=None)
    source = tmp_path / "infotext.txt"
    source.write_text("a <lora:gone:1><lora:soft:0.5>, b\nSteps: 2, Sampler: Euler, CFG scale: 5, Seed: 1, Size: 64x64")
    request, notes = generate.request_of(GenerationOptions(), settings, source)

    assert request.prompt == "a <lora:soft:0.5>, b"
    assert "The LoRA gone is not here: it is left out." in notes
    with pytest.raises(RequestError, match="no LoRA 'gone'"):
        generate.request_of(GenerationOptions(prompt="a <lora:gone:1>"), settings, source)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"prompt": "1girl <lora:hard:1>"}, "no LoRA 'hard'"),
        ({"checkpoint": "agian"}, "no checkpoint 'agian'"),
        ({"vae": "iner"}, "no VAE 'iner'"),
    ],
)
def test_names_that_there_are_not_are_refused(settings, changes, words):
    with pytest.raises(RequestError, match=words):
        generate.request_of(GenerationOptions(prompt="1girl").replace(**changes), settings, None)


def test_a_vae_may_be_named_by_its_file(settings):
    changed = generate.with_files(settings, vae="some/vae.pt", loras=None, embeddings=None)
    request, _ = generate.request_of(GenerationOptions(prompt="1girl", vae="some/vae.pt"), changed, None)

    assert (request.vae, changed.vaes) == ("some/vae.pt", {"some/vae.pt": "some/vae.pt"})


OVER = "1girl\nSteps: 2, Sampler: Euler, CFG scale: 5, Seed: 1, Size: 64x64, Denoising strength: 0.3"


def picture(path, colour, size=(64, 64)):
    Image.new("RGB", size, colour).save(path)
    return path


def test_an_infotext_of_img2img_is_painted_over_the_picture_that_is_given(tmp_path, settings):
    source = tmp_path / "infotext.txt"
    source.write_text(OVER + ", Mask blur: 2, Mask mode: Inpaint not masked")
    start, mask = (picture(tmp_path / f"{colour}.png", colour).read_bytes() for colour in ("red", "white"))
    request, notes = generate.request_of(GenerationOptions(init=start, mask=mask), settings, source)
    without, said = generate.request_of(GenerationOptions(init=start), settings, source)

    assert (0.3, 2, True, start, mask) == (
        request.init.denoising_strength,
        request.init.mask.blur_x,
        request.init.mask.inverted,
        request.init.content,
        request.init.mask.content,
    )
    assert without.init.mask is None
    assert not any("noise alone" in note for note in (*notes, *said))
    assert any("by a mask, which is not given" in note for note in said)


def test_the_command_line_paints_by_a_mask(tmp_path):
    """What is black in the mask stays as it is in the picture to start from."""
    start, mask = picture(tmp_path / "start.png", (200, 60, 20)), tmp_path / "mask.png"
    half = Image.new("L", (64, 64))
    half.paste(255, (0, 0, 32, 64))
    half.save(mask)
    source = tmp_path / "infotext.txt"
    source.write_text(OVER)
    options = ["--init", str(start), "--mask", str(mask), "--set", "Mask blur: 0", "--denoise", "0.9"]
    result = CliRunner().invoke(
        app, ["imagine", "--from-infotext", str(source), *options, "--out", str(tmp_path / "out.png")]
    )

    assert 0 == result.exit_code, result.output
    with Image.open(tmp_path / "out.png") as painted:
        assert (200, 60, 20) == painted.convert("RGB").getpixel((60, 30))
        assert (200, 60, 20) != painted.convert("RGB").getpixel((4, 30))
