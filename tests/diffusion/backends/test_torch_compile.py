"""Torch's compiler behind the bundled checkpoint's UNet: the pictures of eager torch, whatever is in the weights."""

import io
import re
import shutil
import types

import numpy as np
import pytest
import structlog
import torch
from helpers.lora_files import write_lora
from helpers.painting import paint
from helpers.small_unets import SMALL
from PIL import Image

from pastelbot.diffusion.backends.blob_cache import BlobCache
from pastelbot.diffusion.backends.choice import compiled_networks
from pastelbot.diffusion.backends.compiled_unet import Bucket, CompiledUnet
from pastelbot.diffusion.backends.torch_unet import TorchUnetCompiler, torch_compile_obstacle
from pastelbot.diffusion.checkpoint import loading
from pastelbot.diffusion.engine.engine import Engine
from pastelbot.diffusion.lora.patch import NO_LORAS
from pastelbot.diffusion.networks.lean_unet import LeanUnet
from pastelbot.diffusion.networks.unet import UNet2DConditionModel, prepare_unet
from pastelbot.errors import PaintingError
from pastelbot.formats.network_files import NetworkFolders
from pastelbot.records import GenerationRequest, Painted

CPU = torch.device("cpu")
BUCKET = Bucket(latents=(2, 4, 8, 8), tokens=77, loras=())
REQUEST = GenerationRequest(
    prompt="1girl, red hair, smile", negative_prompt="blurry", width=64, height=64, steps=6, seed=5
)
needs_compiler = pytest.mark.skipif(not shutil.which("g++"), reason="there is no g++")


@pytest.fixture(scope="module")
def checkpoint(bundled):
    """Return a checkpoint that only these tests use."""
    torch.set_num_threads(1)
    return loading.load(str(bundled), device="cpu", precision="fp32")


@pytest.fixture(scope="module")
def folder(tmp_path_factory, checkpoint):
    """Return a folder with the one size that is compiled for all tests."""
    folder = tmp_path_factory.mktemp("compiled")
    compiler = TorchUnetCompiler(checkpoint.unet, cache=BlobCache(folder))
    compiler.compile(BUCKET, threads=1, unchanged=lambda: True)
    return folder


def must_not_build(_order):
    raise AssertionError("it was compiled again")


@pytest.fixture
def compiled(checkpoint, folder):
    checkpoint.patches.unet.use(NO_LORAS)
    checkpoint.patches.text.use(NO_LORAS)
    compiler = TorchUnetCompiler(checkpoint.unet, cache=BlobCache(folder), build=must_not_build)
    return CompiledUnet(checkpoint.unet, checkpoint.patches.unet, compiler, start=lambda work: work())


@pytest.fixture
def without_torch(checkpoint, monkeypatch):
    """Return a function after which torch's UNet may not be called."""

    def forbid():
        def fail(*_args, **_named):
            raise AssertionError("torch was asked")

        monkeypatch.setattr(checkpoint.unet, "forward", fail)

    return forbid


def difference(one, other):
    def levels(picture):
        with Image.open(io.BytesIO(picture.png)) as image:
            return np.asarray(image).astype(int)

    return np.abs(levels(one) - levels(other)).max()


def painted(engine, request, name="job"):
    engine.admit(name, request)
    events = []
    while not engine.idle:
        events += engine.step()
    return next(event.pictures[0] for event in events if isinstance(event, Painted))


@pytest.mark.long
@needs_compiler
class TestPictures:
    """Of the bundled checkpoint, in one size that is compiled once, in another process."""

    def test_they_are_those_of_torch(self, checkpoint, compiled, without_torch):
        (ours,) = paint(checkpoint, REQUEST)
        paint(checkpoint, REQUEST, compiled=compiled)
        without_torch()
        (theirs,) = paint(checkpoint, REQUEST, compiled=compiled)

        assert difference(ours, theirs) <= 1
        assert ours.infotext == theirs.infotext

    def test_one_is_the_same_alone_and_in_company(self, checkpoint, compiled):
        paint(checkpoint, REQUEST, compiled=compiled)
        (alone,) = paint(checkpoint, REQUEST, compiled=compiled)
        engine, events = Engine(checkpoint, compiled=compiled), []
        for number in range(3):
            engine.admit(str(number), REQUEST.replace(seed=5 + number))
        while not engine.idle:
            events += engine.step()
        (beside,) = (event.pictures[0] for event in events if isinstance(event, Painted) and event.job_id == "0")

        assert difference(alone, beside) <= 1

    def test_loras_need_nothing_compiled(self, checkpoint, compiled, without_torch, tmp_path):
        write_lora(tmp_path, "hard", checkpoint.patches.targets, seed=2, conv=True, rank=3, alpha=2.0)
        networks = {"networks": NetworkFolders(loras=tmp_path)}
        requests = REQUEST, REQUEST.replace(prompt=f"{REQUEST.prompt} <lora:hard:1>")
        expected = [paint(checkpoint, request, **networks)[0] for request in requests]
        engine = Engine(checkpoint, compiled=compiled, **networks)
        painted(engine, REQUEST)
        without_torch()
        found = [painted(engine, request) for request in (*requests, *requests)]

        assert difference(*expected) > 8
        assert max(map(difference, found, expected * 2)) <= 1

    def test_rows_may_be_at_different_times(self, checkpoint, compiled):
        generator = torch.Generator().manual_seed(1)
        x = torch.randn(BUCKET.latents, generator=generator)
        context = torch.randn((2, 77, checkpoint.conditioner.width), generator=generator)
        for times in ([500.0, 500.0], [500.0, 500.0], [3.25, 900.0]):
            given = x, torch.tensor(times), context
            with torch.inference_mode():
                expected, answer = checkpoint.unet(*given, return_dict=False)[0], compiled(*given)[0]

            torch.testing.assert_close(answer, expected, atol=1e-5, rtol=0)
        assert compiled.sizes == 1

    def test_a_damaged_package_is_compiled_again(self, checkpoint, folder, tmp_path):
        (file,) = folder.iterdir()
        (tmp_path / file.name).write_bytes(file.read_bytes()[:-1000])
        orders, package = [], file.read_bytes()[32:]
        compiler = TorchUnetCompiler(
            checkpoint.unet, cache=BlobCache(tmp_path), build=lambda order: orders.append(order) or package
        )

        assert compiler.has(BUCKET, threads=1)
        compiler.compile(BUCKET, threads=1, unchanged=lambda: True)
        assert [order.latents for order in orders] == [BUCKET.latents]
        assert (tmp_path / file.name).read_bytes() == file.read_bytes()

    def test_another_shape_or_count_of_threads_is_another_package(self, checkpoint, folder):
        compiler = TorchUnetCompiler(checkpoint.unet, cache=BlobCache(folder))
        larger = Bucket(latents=(2, 4, 8, 16), tokens=77, loras=())

        assert compiler.has(BUCKET, threads=1)
        assert not compiler.has(BUCKET, threads=2)
        assert not compiler.has(larger, threads=1)


def small_unet(kind=LeanUnet, **config):
    torch.manual_seed(0)
    return prepare_unet(kind(**SMALL | config), CPU, torch.float32)


def test_a_compiler_that_fails_is_a_line_in_the_log_and_torch_paints():
    def fail(_order):
        raise PaintingError("g++ ran out of memory")

    unet, weights = small_unet(), types.SimpleNamespace(used=NO_LORAS, changes=0)
    network = CompiledUnet(unet, weights, TorchUnetCompiler(unet, build=fail), start=lambda work: work())
    given = torch.zeros(BUCKET.latents), torch.ones(2), torch.zeros(2, 77, 16)
    with structlog.testing.capture_logs() as logs, torch.inference_mode():
        answers = [network(*given)[0] for _ in range(8)]
        expected = unet(*given, return_dict=False)[0]

    assert [entry["reason"] for entry in logs] == ["g++ ran out of memory"]
    assert all(torch.equal(answer, expected) for answer in answers)


@pytest.mark.long
def test_the_reason_of_another_process_is_told():
    """Here that a UNet of four channels gets five."""
    bucket = Bucket(latents=(2, 5, 8, 8), tokens=77, loras=())

    with pytest.raises(PaintingError, match="to have 4 channels, but got 5 channels"):
        TorchUnetCompiler(small_unet()).compile(bucket, threads=1, unchanged=lambda: True)


@pytest.mark.parametrize(
    ("unet", "which", "words"),
    [
        (small_unet(), lambda _name: "/bin/g++", None),
        (small_unet(), lambda _name: None, r"no C\+\+ compiler; install g\+\+ or clang"),
        (small_unet(UNet2DConditionModel), lambda _name: "/bin/g++", "built otherwise than that of Stable Diffusion"),
        (small_unet(mid_block_scale_factor=2.0), lambda _name: "/bin/g++", "built otherwise"),
        (small_unet().to("meta"), lambda _name: "/bin/g++", "for CPUs and CUDA, and the device is meta"),
    ],
)
def test_what_keeps_it_from_compiling_is_said(unet, which, words):
    reason = torch_compile_obstacle(unet, which)

    assert reason is None if words is None else re.search(words, reason)


def test_it_is_chosen_where_it_is_asked_for_and_by_itself_on_cuda(monkeypatch):
    unet = small_unet()

    def chosen(backend, kind):
        vae, patches = types.SimpleNamespace(model=None), types.SimpleNamespace(unet=None)
        fake = types.SimpleNamespace(
            unet=unet, vae=vae, patches=patches, device=torch.device(kind), dtype=torch.float32, name="a"
        )
        networks = compiled_networks(fake, backend)
        return networks and networks.unet.backend

    monkeypatch.setattr(shutil, "which", lambda name: name)
    assert chosen("torch-compile", "cpu") == "torch-compile"
    assert chosen("auto", "cuda") == "torch-compile"
    assert chosen("torch", "cuda") is None


def test_without_a_compiler_one_line_says_so(monkeypatch):
    fake = types.SimpleNamespace(unet=small_unet(), device=torch.device("cuda"), name="a")
    monkeypatch.setattr("pastelbot.diffusion.backends.torch_unet.shutil.which", lambda _name: None)
    with structlog.testing.capture_logs() as logs:
        assert compiled_networks(fake, "auto") is None

    assert [(entry["event"], entry["reason"]) for entry in logs] == [
        ("painting with torch alone", "there is no C++ compiler; install g++ or clang")
    ]
