"""Whole generations: latents after each pass, decoded images and PNGs of every recorded case.

Where a picture goes through pixels between its passes, what comes before and what comes after are compared apart, each
from what is recorded: upscaling.py says how, watched_vae.py why.
"""

import dataclasses
import io

import numpy as np
import pytest
import torch
from golden_cases import folder, report
from golden_requests import reached, request_of, without_missing
from helpers.watched_vae import FLIPPED, WatchedVae, assert_same_but_for_rounding
from PIL import Image
from rrdb import load_rrdb
from upscaling import RecordedCase, compare_init, compare_upscaling, goes_through_pixels, recorded_encodings

from pastelbot.diffusion.checkpoint import loading
from pastelbot.diffusion.engine.engine import Engine
from pastelbot.diffusion.image.upscalers import Upscalers
from pastelbot.diffusion.lora.patch import NetworkPatches
from pastelbot.formats.network_files import NetworkFolders
from pastelbot.records import Painted
from pastelbot.rules.samplers import SAMPLERS

LATENTS_MAX, LATENTS_MEAN = 3e-4, 3e-5
SDE_MAX = 1e-3
DECODED_MAX = 3e-4
PNG_SHARE = 0.01
NOISE_MAX = 1e-5
# Our name of an intermediate result -> the recordings' name of it.
RECORDED = {
    "first_noise": "noise",
    "init_latents": "init_latents",
    "nmask": "nmask",
    "first_latents": "first_latents",
    "hr_input_latents": "hr_input_latents",
    "hr_noise": "hr_noise",
    "hr_latents": "latents",
    "decoded": "decoded",
}
CASES = [
    pytest.param(RecordedCase(folder=folder(), tensors=f"{table}.safetensors", case=case), id=case["name"])
    for table in ("images", "images_more")
    for case in reached(f"{table}.json")
]


@pytest.fixture(scope="module")
def tiny(tiny_sd):
    """Return the recordings' model, loaded."""
    torch.set_num_threads(1)
    return loading.load(str(tiny_sd), device="cpu", precision="fp32")


@pytest.fixture(scope="module")
def models(tiny):
    """Return the model by the names of the sets: as it is, and read as one that predicts velocities.

    The first one holds its weights in float32 alone, as the webui does here: where its file's format is known, weights
    that a LoRA changes are rounded to that.
    """
    patches = NetworkPatches(tiny.unet, tiny.text_encoder, {})
    exact = dataclasses.replace(tiny, patches=patches)
    return {"tiny-sd": exact, "tiny-sd-v": dataclasses.replace(exact, prediction_type="v_prediction")}


def upscalers_of(recorded):
    """Return the set's upscaler models, with the tiles that a case asks for."""
    options = recorded.case["opts"]
    return Upscalers(
        recorded.folder / "networks" / "ESRGAN",
        torch.device("cpu"),
        tile=options.get("ESRGAN_tile", 192),
        overlap=options.get("ESRGAN_tile_overlap", 8),
        load=load_rrdb,
    )


def paint(model, request, networks=None, upscalers=None):
    """Return a request's pictures, its intermediate results by (name, picture), and the events on the way."""
    results = {}
    engine = Engine(
        model,
        networks=networks,
        upscalers=upscalers,
        record=lambda _job, index, name, tensor: results.update({(name, index): tensor}),
    )
    engine.admit("case", request)
    events = []
    while not engine.idle:
        events += engine.step()
    (painted,) = (event for event in events if isinstance(event, Painted))
    return painted.pictures, results, events


@pytest.mark.parametrize("recorded", CASES)
def test_picture_equals_the_recorded_one(golden, models, recorded):
    """Noise, latents after both passes, the decoded image, the PNG and the number of calls are the webui's."""
    case = recorded.case
    request = without_missing(request_of(case), golden / "networks" / "Lora")
    model = models[case.get("model", "tiny-sd")]
    vae = WatchedVae(model.vae, recorded_encodings(recorded, request))
    upscalers = upscalers_of(recorded)
    folders = NetworkFolders(loras=golden / "networks" / "Lora", embeddings=golden / "networks" / "embeddings")

    pictures, results, events = paint(
        dataclasses.replace(model, vae=vae), request, folders if case.get("networks") else None, upscalers
    )

    limits = limits_of(request, case)
    if request.init is not None:
        compare_init(recorded, vae.encodings)
    for index, encoding in enumerate(vae.encodings if goes_through_pixels(request) else []):
        pieces = compare_upscaling(recorded, request, model.vae, encoding, index, upscalers.enlarge)
        assert_same_but_for_rounding(pieces.before, encoding.before, share=PNG_SHARE if is_sde(request) else FLIPPED)
        results["hr_input_latents", index] = pieces.latents
        limits["hr_input_latents"] = pieces.limits or limits["hr_input_latents"]
    differences = compare_tensors(recorded, results) | compare_pngs(golden, case, pictures)
    for name, (largest, mean) in differences.items():
        assert largest <= limits[name][0], name
        assert mean <= limits[name][1], name
    assert [picture.seed for picture in pictures] == case["all_seeds"]
    calls = sum(case["denoiser_calls"].values()) // case["settings"].get("n_iter", 1)
    announced = calls if SAMPLERS[request.sampler].usual_calls is None else results_steps(events)
    assert [(event.step, event.steps) for event in events[-2:-1]] == [(calls, announced)] * (calls > 0)
    report("pictures", case["name"], differences)


def results_steps(events):
    """Return how many steps were announced of a sampler that finds out how many it takes."""
    return events[-2].steps


def is_sde(request):
    """Return whether one of a request's samplers is loose by nature."""
    return "SDE" in request.sampler or (request.hires is not None and "SDE" in (request.hires.sampler or ""))


def limits_of(request, case):
    """Return the largest and mean difference allowed of each result.

    Rounding grows with the numbers: where one step leaves latents with a standard deviation above 1, their mean
    difference may be as many times more. A set may say how far the webui itself is apart on two processors, by its own
    names: three times that is allowed.
    """
    spread = case.get("spread", {})
    latents = (SDE_MAX, SDE_MAX) if is_sde(request) else (LATENTS_MAX, LATENTS_MEAN)
    decoded = SDE_MAX if is_sde(request) else DECODED_MAX
    limits = {
        **dict.fromkeys(("init_latents", "first_latents", "hr_input_latents", "hr_latents"), latents),
        **dict.fromkeys(("first_noise", "hr_noise", "nmask"), (NOISE_MAX, NOISE_MAX)),
        "decoded": (decoded, decoded),
        "png": (1, PNG_SHARE),
    }
    if request.steps == 1:
        limits["first_latents"] = (latents[0], latents[1] * max(1.0, case.get("latent_std", 1.0)))
    known = {name: spread.get(RECORDED.get(name, name), (0, 0)) for name in limits}
    return {
        name: tuple(max(one, 3 * other) for one, other in zip(limits[name], known[name], strict=True))
        for name in limits
    }


def compare_tensors(recorded, results):
    """Return the largest and mean difference of each recorded tensor, over all pictures."""
    differences = {}
    for (result, index), mine in results.items():
        theirs = recorded.tensor(RECORDED.get(result, ""), index)
        if theirs is not None and mine is not None:
            assert mine.shape == theirs.shape
            difference = (mine - theirs).abs()
            largest, mean = differences.get(result, (0.0, 0.0))
            differences[result] = max(largest, difference.max().item()), max(mean, difference.mean().item())
    return differences


def compare_pngs(golden, case, pictures):
    """Return the largest difference in levels and the share of values that differ."""
    largest = share = 0.0
    for picture, name in zip(pictures, case["png"], strict=True):
        mine = np.asarray(Image.open(io.BytesIO(picture.png))).astype(int)
        theirs = np.asarray(Image.open(golden / name).convert("RGB")).astype(int)

        assert mine.shape == theirs.shape
        largest = max(largest, np.abs(mine - theirs).max())
        share = max(share, (mine != theirs).mean())
    return {"png": (float(largest), float(share))}
