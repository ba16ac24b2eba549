"""ONNX checkpoints: exported, and painted with by the same engine as torch's."""

import dataclasses
import io
import json
import re
import shutil

import numpy as np
import pytest
import torch
from helpers.lora_files import write_lora
from helpers.painting import paint
from helpers.watched_vae import WatchedVae, assert_same_but_for_rounding
from PIL import Image
from typer.testing import CliRunner

from pastelbot.cli.main import app
from pastelbot.config import CheckpointSettings
from pastelbot.diffusion.checkpoint import loading
from pastelbot.diffusion.engine.engine import Engine
from pastelbot.errors import CheckpointError, PaintingError, WorkshopError, install_command
from pastelbot.formats.exported import MANIFEST
from pastelbot.formats.network_files import NetworkFolders
from pastelbot.formats.precheck import check_reference
from pastelbot.records import GenerationRequest, HiresFix, InitImage

pytest.importorskip("onnxscript")

from pastelbot.workshop.export.onnx import OnnxOptions, export_onnx

pytestmark = pytest.mark.long

LONG = "1girl, (blue hair:1.3), " + ", ".join(["glasses, smile, [red dress]"] * 15)
SETTINGS = CheckpointSettings()

PARTS = ("text_encoder", "unet", "vae_encoder", "vae_decoder")


@pytest.fixture(scope="session")
def exported(bundled, tmp_path_factory):
    """Return the bundled checkpoint as an ONNX folder, and what was heard while it was written."""
    torch.set_num_threads(1)
    out, heard = tmp_path_factory.mktemp("onnx") / "small", []
    export_onnx(str(bundled), out, SETTINGS, OnnxOptions(), lambda *what: heard.append(what))
    return out, heard


@pytest.fixture(scope="session")
def onnx(exported):
    """Return the ONNX checkpoint, loaded."""
    return loading.load(str(exported[0]), device="cpu")


@pytest.fixture
def copy(exported, tmp_path):
    """Return a copy of the folder, to be damaged."""
    return shutil.copytree(exported[0], tmp_path / "copy")


def init():
    file = io.BytesIO()
    Image.new("RGB", (96, 64), "teal").save(file, "PNG")
    return InitImage.of(file.getvalue(), denoising_strength=0.5)


def request(prompt="1girl, (blue hair:1.3), [glasses]", **changes):
    return GenerationRequest(prompt=prompt, negative_prompt="red", seed=3).replace(
        **{"width": 128, "height": 128, "steps": 5, **changes}
    )


@pytest.mark.parametrize(
    "wanted",
    [
        request(clip_skip=1),
        request(clip_skip=2),
        request(clip_skip=2, count=2, sampler="Euler a", hires=HiresFix(width=192, height=232, steps=3)),
        request(LONG, width=104, height=152, count=2, emphasis="No norm"),
        request(width=128, height=96, init=init()),
    ],
    ids=["clip-skip-1", "clip-skip-2", "batch-and-hires", "two-chunks-odd-size", "img2img"],
)
def test_it_paints_what_torch_paints(small, onnx, wanted):
    """Levels differ by one at most, where rounding goes the other way; the infotext says the same."""
    assert_same_pictures(paint(onnx, wanted), paint(small, wanted))


def test_a_hires_pass_through_pixels_is_torchs_from_the_same_picture(small, onnx):
    """A level that rounding moves between the passes is no difference of the networks, so it is not carried on."""
    wanted = request(hires=HiresFix(scale=1.5, steps=3, upscaler="Lanczos"))
    reference = WatchedVae(small.vae)
    theirs = paint(dataclasses.replace(small, vae=reference), wanted)
    (expected,) = reference.encodings
    watched = WatchedVae(onnx.vae, [expected.latents])
    ours = paint(dataclasses.replace(onnx, vae=watched), wanted)
    (actual,) = watched.encodings

    assert_same_but_for_rounding(expected.before, actual.before)
    with torch.inference_mode():
        latents = onnx.vae.encode(expected.image, expected.noise)
    torch.testing.assert_close(expected.latents, latents, rtol=0, atol=3e-4)
    assert_same_pictures(ours, theirs)


def assert_same_pictures(ours, theirs):
    assert [picture.infotext for picture in theirs] == [picture.infotext for picture in ours]
    for one, other in zip(ours, theirs, strict=True):
        difference = abs(levels(one) - levels(other))
        assert difference.max() <= 1
        assert (difference > 0).mean() < 0.01
        assert levels(one).std() > 10


def levels(picture):
    with Image.open(io.BytesIO(picture.png)) as image:
        return np.asarray(image, dtype=int)


def test_learnt_vectors_and_every_clip_skip(small, onnx):
    """Textual inversions go in where tokens are looked up, and only there."""
    learnt = {"mystyle": torch.randn(3, small.conditioner.width, generator=torch.Generator().manual_seed(1))}
    texts = ["1girl, mystyle, (blue hair:1.2)", LONG]
    plain = onnx.conditioner.encode(texts, clip_skip=1)
    for one in (small, onnx):
        one.conditioner.learn(learnt)
    try:
        for clip_skip in (1, 2, 3, 12):
            ours, theirs = (one.conditioner.encode(texts, clip_skip=clip_skip) for one in (onnx, small))
            torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)
        assert not torch.allclose(plain[0], onnx.conditioner.encode(texts, clip_skip=1)[0], atol=1e-2)
    finally:
        for one in (small, onnx):
            one.conditioner.learn({})


def test_loras_are_refused(small, onnx, tmp_path):
    """They are put into weights, which cannot be changed here."""
    write_lora(tmp_path, "soft", small.patches.targets, seed=1)
    engine = Engine(onnx, networks=NetworkFolders(loras=tmp_path))

    with pytest.raises(PaintingError, match="runs in ONNX Runtime and cannot take LoRAs"):
        engine.admit("a", request("1girl <lora:soft:0.5>"))
    assert engine.idle


def test_a_separate_vae_runs_beside_it(bundled, exported, onnx):
    wanted = request(width=64, height=64, steps=2)
    own = loading.load(str(exported[0]), device="cpu", vae=str(bundled / "vae"))

    assert "vae" == own.vae_name
    (one,), (other,) = paint(own, wanted), paint(onnx, wanted)
    assert abs(levels(one) - levels(other)).max() <= 1


def test_memory_that_runs_out_is_reported_as_such(onnx, monkeypatch):
    """The engine tries smaller groups, and then names a size that would fit."""
    import onnxruntime

    def run(session, outputs, inputs, whole=onnxruntime.InferenceSession.run):
        if "timestep" in inputs:
            raise Exception("[ONNXRuntimeError] : 6 : Failed to allocate memory for requested buffer of size 99")  # noqa: TRY002
        return whole(session, outputs, inputs)

    monkeypatch.setattr(onnxruntime.InferenceSession, "run", run)
    with pytest.raises(PaintingError, match="does not fit into the memory of cpu; try"):
        paint(onnx, request())


def test_what_is_written(exported, bundled):
    """A whole folder with its sums, nothing of this machine, and progress on the way."""
    out, heard = exported
    manifest = json.loads((out / MANIFEST).read_text())
    written = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}

    assert written == {*manifest["files"], MANIFEST}
    assert ("pastelbot-onnx", "fp32", 20) == (manifest["format"], manifest["precision"], manifest["opset"])
    assert loading.load(str(bundled), device="cpu").hash == manifest["hash"]
    for part in PARTS:
        graph = (out / part / "model.onnx").read_bytes()
        assert b"site-packages" not in graph
        assert str(bundled).encode() not in graph
    assert [f"Exporting {part}" for part in PARTS] == [what for what, _, _ in heard if what.startswith("Exporting")]
    assert heard[-1][1] == heard[-1][2] > 0
    assert [out.name] == [path.name for path in out.parent.iterdir()]


def test_the_command_line_paints_with_it(exported, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments = ["imagine", "1girl", "--checkpoint", exported[0], "--size", "64x64", "--steps", 2, "--no-hires"]
    result = CliRunner().invoke(app, [*map(str, arguments), "--out", "x.png"])

    assert result.exit_code == 0, result.output
    with Image.open(tmp_path / "x.png") as picture:
        assert (64, 64) == picture.size


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (OnnxOptions(opset=9), "opset 9 is not possible; take 18 to 23"),
        (OnnxOptions(precision="bf16"), "'bf16' is not possible for ONNX"),
    ],
)
def test_impossible_options_are_reported(bundled, tmp_path, options, words):
    with pytest.raises(WorkshopError, match=words):
        export_onnx(str(bundled), tmp_path / "out", SETTINGS, options)

    assert [] == list(tmp_path.iterdir())


def test_no_name_that_is_taken(bundled, exported, tmp_path):
    """Nor an export of an export."""
    (tmp_path / "file").write_text("mine")
    with pytest.raises(WorkshopError, match="exists already"):
        export_onnx(str(bundled), tmp_path, SETTINGS, OnnxOptions())
    with pytest.raises(WorkshopError, match="does not exist"):
        export_onnx(str(bundled), tmp_path / "no" / "folder", SETTINGS, OnnxOptions())
    with pytest.raises(WorkshopError, match="is an export already"):
        export_onnx(str(exported[0]), tmp_path / "out", SETTINGS, OnnxOptions())

    assert ["file"] == [path.name for path in tmp_path.iterdir()]


def test_the_workshop_says_what_it_is(exported, tmp_path):
    """There are no weights to work with."""
    result = CliRunner().invoke(app, ["convert", str(exported[0]), str(tmp_path / "out.safetensors")])

    assert isinstance(result.exception, CheckpointError)
    assert "is an export: take the checkpoint that it was made from" in str(result.exception)


def test_what_breaks_off_leaves_nothing(bundled, tmp_path, monkeypatch):
    def stop(*_arguments, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr("torch.onnx.export", stop)
    with pytest.raises(KeyboardInterrupt):
        export_onnx(str(bundled), tmp_path / "out", SETTINGS, OnnxOptions())

    assert [] == list(tmp_path.iterdir())


def test_without_the_packages_one_sentence_says_what_to_install(bundled, exported, tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)

    with pytest.raises(WorkshopError, match=re.escape(install_command("onnx"))):
        export_onnx(str(bundled), tmp_path / "out", SETTINGS, OnnxOptions())
    for look in (check_reference, lambda place: loading.load(place, device="cpu")):
        with pytest.raises(
            CheckpointError, match=re.escape(f"needs ONNX Runtime: install it with `{install_command('onnx')}`")
        ):
            look(str(exported[0]))


@pytest.mark.parametrize(
    ("path", "content", "words"),
    [
        (MANIFEST, b"{}", "damaged"),
        (MANIFEST, b'{"version": 99}', "another version"),
        ("unet/model.onnx", None, "unet/model.onnx is missing"),
        ("unet/model.onnx", b"half", "cannot be loaded"),
        ("unet/model.onnx.data", None, "cannot be loaded"),
        ("text_encoder/config.json", b"[", "missing or damaged"),
        ("tokenizer/merges.txt", None, "tokenizer"),
    ],
)
def test_a_damaged_folder_is_reported(copy, path, content, words):
    if content is None:
        (copy / path).unlink()
    else:
        (copy / path).write_bytes(content)

    with pytest.raises(CheckpointError, match=words):
        loading.load(str(copy), device="cpu")


@pytest.mark.parametrize(
    ("device", "words"), [("mps", "does not run on the device 'mps'"), ("cuda:1", "cannot use the device 'cuda:1'")]
)
def test_devices_that_the_runtime_has_not(exported, device, words):
    with pytest.raises(CheckpointError, match=words):
        loading.load(str(exported[0]), device=device)
