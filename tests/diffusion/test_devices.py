"""Devices that are not here: what can be known of them beforehand."""

import io

import pytest
import torch
from helpers.lora_files import lora_tensors
from PIL import Image
from safetensors.torch import save_file
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from pastelbot.choices import LATENT_UPSCALERS
from pastelbot.config import WorkerOptions, bundled, checkpoint_location
from pastelbot.diffusion.checkpoint import devices, loading
from pastelbot.diffusion.engine.engine import Engine
from pastelbot.diffusion.engine.factory import load_checkpoint
from pastelbot.diffusion.image.hires import upscale_latents
from pastelbot.diffusion.lora.changes import Change
from pastelbot.diffusion.sampling.rng import TorchGenerator
from pastelbot.errors import CheckpointError
from pastelbot.formats.layout.network_kinds import LORA
from pastelbot.formats.network_files import NetworkFolders
from pastelbot.records import GenerationRequest, HiresFix, InitImage, Painted, PaintingFailed
from pastelbot.rules.hires import HiresSize
from pastelbot.rules.samplers import SAMPLERS

REQUEST = GenerationRequest(prompt="1girl, (blue:1.2)", width=64, height=64, steps=4, seed=2)


@pytest.fixture
def mps(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: True)


@pytest.mark.usefixtures("mps")
def test_mps_is_taken_where_it_is():
    """In float32, because half precision is slower or wrong on some of its chips; an operator can choose it."""
    device = devices.choose_device("auto")

    assert device == devices.choose_device("mps") == torch.device("mps")
    assert devices.choose_dtype("auto", device) == torch.float32
    assert devices.choose_dtype("fp16", device) == torch.float16


@pytest.mark.skipif(torch.backends.mps.is_available(), reason="there is one")
def test_mps_can_be_set_and_is_missed(small):
    """From the configuration down to the loader."""
    options = WorkerOptions.of(bundled(checkpoint={"device": "mps"}))

    with pytest.raises(CheckpointError, match=r"'mps' is not available on this machine; set checkpoint\.device to"):
        load_checkpoint(options)
    assert small.device.type == "cpu"


def test_noise_is_drawn_on_the_cpu():
    """So that a seed means the same picture everywhere."""
    assert torch.device("cpu") == TorchGenerator(1).randn((2,)).device


class Float64Watch(TorchDispatchMode):
    """Notices every operation that gives float64, which MPS does not have."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def __torch_dispatch__(self, function, _types, arguments=(), keywords=None):
        result = function(*arguments, **(keywords or {}))
        several = result if isinstance(result, tuple | list) else (result,)
        if any(isinstance(value, torch.Tensor) and value.dtype == torch.float64 for value in several):
            self.seen.append(str(function))
        return result


def test_the_watch_sees_what_it_looks_for():
    with Float64Watch() as watch, torch.inference_mode():
        (torch.ones(2).double() + 1).float()

    assert 2 == len(watch.seen)


def steps_of(engine, request):
    """Plan and encode, then return what painting itself does in float64."""
    engine.admit("a", request)
    with Float64Watch() as watch:
        while not engine.idle:
            for event in engine.step():
                assert not isinstance(event, PaintingFailed), event
                done = isinstance(event, Painted)
    assert done
    return watch.seen


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_no_sampler_computes_in_float64(small, sampler):
    fix = HiresFix(scale=1.5, steps=4)

    assert [] == steps_of(Engine(small, preview_every=1), REQUEST.replace(sampler=sampler, hires=fix))


@pytest.mark.parametrize(
    "changes",
    [
        {"hires": HiresFix(scale=1.5, steps=2, upscaler="Lanczos")},
        {"noise_source": "CPU", "subseed_strength": 0.3},
        {"seed_resize_width": 96, "seed_resize_height": 96},
    ],
)
def test_no_way_to_a_picture_computes_in_float64(small, changes):
    assert [] == steps_of(Engine(small), REQUEST.replace(**changes))


def test_img2img_computes_nothing_in_float64(small):
    file = io.BytesIO()
    Image.new("RGB", (64, 64), "teal").save(file, "PNG")
    request = REQUEST.replace(init=InitImage.of(file.getvalue()))
    with Float64Watch() as watch:
        small.vae.encode(torch.zeros(3, 64, 64), torch.zeros(4, 8, 8))

    assert [] == watch.seen
    assert [] == steps_of(Engine(small), request)


def test_a_lora_in_float64_goes_to_the_device_in_float32(tmp_path):
    own = loading.load(checkpoint_location("bundled"), device="cpu")
    tensors = {name: value.double() for name, value in lora_tensors(own.patches.targets).items()}
    save_file(tensors, tmp_path / "wide.safetensors")
    engine = Engine(own, networks=NetworkFolders(loras=tmp_path))
    wide = Change(kind=LORA, tensors={"down": torch.ones(2, 3).double(), "up": torch.ones(4, 2).double()}, numbers={})
    moved = wide.moved(torch.device("meta"))

    assert {torch.float32} == {tensor.dtype for tensor in moved.tensors.values()}
    assert [] == steps_of(engine, REQUEST.replace(prompt="1girl <lora:wide:0:1>"))


@pytest.mark.parametrize("upscaler", LATENT_UPSCALERS)
def test_latents_of_mps_are_resized_on_the_cpu(upscaler):
    """MPS lacks some of the ways to do it; the result goes back."""
    with FakeTensorMode(), DeviceWatch("upsample") as watch:
        latents = torch.empty(4, 8, 8, device="mps")
        resized = upscale_latents(latents, HiresSize(width=96, height=80), upscaler)

    assert (torch.device("mps", 0), (4, 10, 12)) == (resized.device, tuple(resized.shape))
    assert {"cpu"} == watch.seen


class DeviceWatch(TorchDispatchMode):
    """Notices on which devices operations of a kind run."""

    def __init__(self, kind):
        super().__init__()
        self.kind, self.seen = kind, set()

    def __torch_dispatch__(self, function, _types, arguments=(), keywords=None):
        if self.kind in str(function):
            self.seen.add(arguments[0].device.type)
        return function(*arguments, **(keywords or {}))
