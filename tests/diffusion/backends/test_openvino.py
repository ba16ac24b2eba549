"""OpenVINO behind the bundled checkpoint's UNet: the pictures of torch, within what one level of 255 is."""

import hashlib
import io
import os

import numpy as np
import pytest
import structlog
import torch
from helpers.lora_files import write_lora
from helpers.network_layers import write_network
from helpers.painting import paint
from PIL import Image

from pastelbot.diffusion.backends.blob_cache import BlobCache
from pastelbot.diffusion.backends.choice import CompiledNetworks, compiled_networks
from pastelbot.diffusion.backends.compiled_unet import Bucket, CompiledUnet
from pastelbot.diffusion.backends.compiled_vae import CompiledVae, VaeBucket
from pastelbot.diffusion.backends.openvino_unet import OpenVinoUnetCompiler
from pastelbot.diffusion.backends.openvino_vae import OpenVinoVaeCompiler
from pastelbot.diffusion.checkpoint import loading
from pastelbot.diffusion.engine.engine import Engine
from pastelbot.diffusion.lora.patch import NO_LORAS
from pastelbot.formats.network_files import NetworkFolders
from pastelbot.records import GenerationRequest, HiresFix, Painted

pytest.importorskip("openvino", reason="the extra openvino is not installed")
pytestmark = pytest.mark.long

REQUEST = GenerationRequest(
    prompt="1girl, red hair, smile",
    negative_prompt="blurry",
    width=64,
    height=96,
    steps=6,
    seed=5,
    hires=HiresFix(width=120, height=184, steps=6),
)


@pytest.fixture(scope="module")
def checkpoint(bundled):
    """Return a checkpoint that only these tests use."""
    torch.set_num_threads(1)
    return loading.load(str(bundled), device="cpu", precision="fp32")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return the folder of what was compiled."""
    return tmp_path_factory.mktemp("compiled")


def opened(checkpoint, folder):
    """Return the checkpoint's UNet with a compiler that is waited for."""
    compiler = OpenVinoUnetCompiler(checkpoint.unet, identity=checkpoint.hash, cache=BlobCache(folder))
    return CompiledUnet(checkpoint.unet, checkpoint.patches.unet, compiler, start=lambda work: work())


@pytest.fixture
def compiled(checkpoint, folder):
    checkpoint.patches.unet.use(NO_LORAS)
    checkpoint.patches.text.use(NO_LORAS)
    return opened(checkpoint, folder)


def levels(picture):
    with Image.open(io.BytesIO(picture.png)) as image:
        return np.asarray(image).astype(int)


def difference(one, other):
    return np.abs(levels(one) - levels(other)).max()


@pytest.fixture
def without_torch(checkpoint, monkeypatch):
    """Return a function after which torch's UNet may not be called."""

    def forbid():
        def fail(*_args, **_named):
            raise AssertionError("torch was asked")

        monkeypatch.setattr(checkpoint.unet, "forward", fail)

    return forbid


def test_pictures_are_those_of_torch(checkpoint, compiled, without_torch):
    (ours,) = paint(checkpoint, REQUEST)
    paint(checkpoint, REQUEST, compiled=compiled)
    without_torch()
    (theirs,) = paint(checkpoint, REQUEST, compiled=compiled)

    assert difference(ours, theirs) <= 1
    assert ours.infotext == theirs.infotext


def test_a_picture_is_the_same_alone_and_in_company(checkpoint, compiled):
    request = REQUEST.replace(hires=None)
    paint(checkpoint, request, compiled=compiled)
    (alone,) = paint(checkpoint, request, compiled=compiled)
    engine, painted = Engine(checkpoint, compiled=compiled), {}
    for number in range(3):
        engine.admit(str(number), request.replace(seed=5 + number))
    while not engine.idle:
        painted |= {event.job_id: event for event in engine.step() if isinstance(event, Painted)}

    assert difference(alone, painted["0"].pictures[0]) <= 1


@pytest.mark.parametrize("kind", ["lora", "lokr", "full"])
def test_loras_are_in_the_compiled_network_and_only_theirs(checkpoint, compiled, without_torch, tmp_path, kind):
    """Other networks too, with what they change of norms and biases."""
    if kind == "lora":
        write_lora(tmp_path, "hard", checkpoint.patches.targets, seed=2, conv=True, rank=3, alpha=2.0)
    else:
        every = checkpoint.patches.targets.items()
        targets = {name: target for name, target in every if name.startswith("lora_unet_") and not target.shape[0] % 8}
        write_network(tmp_path / "hard.safetensors", targets, kind)
    networks = {"networks": NetworkFolders(loras=tmp_path)}
    plain, patched = REQUEST.replace(hires=None), REQUEST.replace(hires=None, prompt=f"{REQUEST.prompt} <lora:hard:1>")
    with_torch = [paint(checkpoint, request, **networks)[0] for request in (plain, patched)]
    engine = Engine(checkpoint, compiled=compiled, **networks)
    for number, request in enumerate((plain, patched, plain, patched)):
        engine.admit(str(number), request)
        while not engine.idle:
            engine.step()
    without_torch()
    (bare,) = paint(checkpoint, plain, compiled=compiled, **networks)

    assert difference(with_torch[0], with_torch[1]) > 8
    assert difference(bare, with_torch[0]) <= 1
    # The same engine knows the LoRA as the same.
    engine.admit("last", patched)
    events = []
    while not engine.idle:
        events += engine.step()
    (painted,) = (event for event in events if isinstance(event, Painted))
    assert difference(painted.pictures[0], with_torch[1]) <= 1


def test_what_was_compiled_is_found_after_a_restart_and_rebuilt_where_damaged(checkpoint, tmp_path):
    bucket = Bucket(latents=(2, 4, 8, 8), tokens=77, loras=())

    def predicted():
        compiler = OpenVinoUnetCompiler(checkpoint.unet, identity=checkpoint.hash, cache=BlobCache(tmp_path))
        found = compiler.has(bucket, threads=1)
        predict = compiler.compile(bucket, threads=1, unchanged=lambda: True)
        generator = torch.Generator().manual_seed(1)
        x, context = (torch.randn(shape, generator=generator) for shape in ((2, 4, 8, 8), (2, 77, width)))
        return found, predict(x, torch.full((2,), 500.0), context)

    width = checkpoint.unet.config.cross_attention_dim
    (first, fresh), (again, kept) = predicted(), predicted()
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-1000])
    _, rebuilt = predicted()

    assert (first, again) == (False, True)
    assert torch.allclose(fresh, kept, atol=1e-5)
    assert torch.allclose(fresh, rebuilt, atol=1e-5)
    assert hashlib.sha256(file.read_bytes()[32:]).digest() == file.read_bytes()[:32]


@pytest.mark.parametrize(
    ("backend", "precision", "words"),
    [
        ("openvino", "bf16", "float32, and the checkpoint is loaded in bfloat16"),
        ("auto", "bf16", None),
        ("torch", "fp32", None),
    ],
)
def test_a_backend_that_cannot_be_had_is_a_warning_and_torch_paints(bundled, backend, precision, words):
    loaded = loading.load(str(bundled), device="cpu", precision=precision)

    with structlog.testing.capture_logs() as logs:
        assert compiled_networks(loaded, backend) is None

    assert [words in entry["reason"] for entry in logs] == ([True] if words else [])


@pytest.mark.skipif(
    "ONEDNN_MAX_CPU_ISA" in os.environ,
    reason="OpenVINO asks the processor for bfloat16, and oneDNN this variable: then its softmax has no implementation",
)
def test_a_unet_in_bfloat16_is_compiled_in_it(bundled):
    """From a copy in float32: the UNet itself paints meanwhile."""
    loaded = loading.load(str(bundled), device="cpu", precision="fp32")
    unet = loaded.unet.to(torch.bfloat16)
    compiler = OpenVinoUnetCompiler(unet, identity="")
    predict = compiler.compile(Bucket(latents=(2, 4, 8, 8), tokens=77, loras=()), threads=1, unchanged=lambda: True)
    x, times, context = torch.randn(2, 4, 8, 8), torch.full((2,), 500.0), torch.randn(2, 77, loaded.conditioner.width)
    given = x.bfloat16(), times, context.bfloat16()
    with torch.inference_mode():
        eager = unet(*given, return_dict=False)[0].float()

    assert unet.dtype == torch.bfloat16
    assert float((predict(*given) - eager).norm() / eager.norm()) < compiler.tolerance


def test_openvino_is_chosen_by_itself_on_a_cpu(checkpoint):
    assert isinstance(compiled_networks(checkpoint, "auto"), CompiledNetworks)
    assert isinstance(checkpoint.vae.compiled, CompiledVae)
    checkpoint.vae.compiled = None


@pytest.mark.parametrize("size", [(4, 8, 12), (4, 23, 15)])
def test_a_vae_answers_as_torch_does_both_ways(checkpoint, size):
    """Every size of a picture is compiled of one graph."""
    compiler = OpenVinoVaeCompiler(checkpoint.vae.model)
    latents = torch.randn(1, *size, generator=torch.Generator().manual_seed(1)) * 5
    with torch.inference_mode():
        images = checkpoint.vae.model.decode(latents)[0].clamp(-1, 1)
        decoded, encoded = checkpoint.vae.model.decode(latents)[0], checkpoint.vae.model.encode(images)[0].parameters
    expected = {True: (latents, decoded), False: (images, encoded)}
    for decodes, (given, answer) in expected.items():
        bucket = VaeBucket(decodes=decodes, size=tuple(given.shape))
        compiled = compiler.compile(bucket, threads=1, unchanged=lambda: True)(given)

        assert float((compiled - answer).norm() / answer.norm()) < 1e-5


def test_pictures_are_decoded_as_those_of_torch(checkpoint, folder, monkeypatch):
    """From their second size on, which is the picture's: the first is the one before the hires pass."""
    request = REQUEST.replace(hires=HiresFix(width=120, height=184, steps=2, upscaler="Lanczos"))
    (ours,) = paint(checkpoint, request)
    compiler = OpenVinoVaeCompiler(checkpoint.vae.model, cache=BlobCache(folder))
    monkeypatch.setattr(checkpoint.vae, "compiled", CompiledVae(compiler, start=lambda work: work()))
    for _ in range(3):
        paint(checkpoint, request)

    def fail(*_args, **_named):
        raise AssertionError("torch was asked")

    for half in ("decode", "encode"):
        monkeypatch.setattr(checkpoint.vae.model, half, fail)
    (theirs,) = paint(checkpoint, request)

    assert difference(ours, theirs) <= 1
    assert checkpoint.vae.compiled.sizes == 3  # decoded twice, encoded once


def test_a_compiled_vae_is_found_after_a_restart_by_its_weights(checkpoint, bundled, tmp_path):
    bucket, other = VaeBucket(decodes=True, size=(1, 4, 8, 8)), loading.load(str(bundled), device="cpu").vae.model
    OpenVinoVaeCompiler(checkpoint.vae.model, cache=BlobCache(tmp_path)).compile(
        bucket, threads=1, unchanged=lambda: True
    )

    def found(model):
        return OpenVinoVaeCompiler(model, cache=BlobCache(tmp_path)).has(bucket, threads=1)

    assert found(other)
    other.decoder.conv_in.weight.mul_(1.01)
    assert not found(other)
