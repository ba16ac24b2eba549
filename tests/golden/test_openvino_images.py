"""OpenVINO in the place of torch: the recorded pictures at the tolerances that torch has."""

import pytest
import torch
from golden_cases import cases
from test_images import compare_pngs, limits_of, request_of

from pastelbot.diffusion.backends.compiled_unet import CompiledUnet
from pastelbot.diffusion.backends.compiled_vae import CompiledVae
from pastelbot.diffusion.checkpoint import loading
from pastelbot.diffusion.engine.engine import Engine
from pastelbot.records import Painted

pytestmark = pytest.mark.long

EVERY = 10
CASES = [case for case in cases("images.json") if "Latent" in (case["settings"].get("hr_upscaler") or "Latent")][
    ::EVERY
]


@pytest.fixture(scope="module")
def compiled(tiny_sd):
    """Return the recordings' model, its VAE and its UNet behind OpenVINO."""
    pytest.importorskip("openvino", reason="the extra openvino is not installed")
    from pastelbot.diffusion.backends.openvino_unet import OpenVinoUnetCompiler
    from pastelbot.diffusion.backends.openvino_vae import OpenVinoVaeCompiler

    torch.set_num_threads(1)
    loaded = loading.load(str(tiny_sd), device="cpu", precision="fp32")
    compiler = OpenVinoUnetCompiler(loaded.unet, identity="")
    loaded.vae.compiled = CompiledVae(OpenVinoVaeCompiler(loaded.vae.model), start=lambda work: work())
    return loaded, CompiledUnet(loaded.unet, loaded.patches.unet, compiler, start=lambda work: work())


def paint(loaded, unet, request):
    engine = Engine(loaded, compiled=unet)
    engine.admit("case", request)
    events = []
    while not engine.idle:
        events += engine.step()
    return next(event.pictures for event in events if isinstance(event, Painted))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_openvino_paints_the_recorded_picture(golden, compiled, case):
    loaded, unet = compiled
    request = request_of(case)
    for _ in range(3):  # from the third picture of a size on, all of it is compiled
        paint(loaded, unet, request)

    differences = compare_pngs(golden, case, paint(loaded, unet, request))

    largest, share = limits_of(request, case)["png"]
    assert differences["png"][0] <= largest
    assert differences["png"][1] <= share
