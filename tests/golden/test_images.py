"""Whole generations: latents after each pass, decoded images and PNGs of every recorded case.

Where a picture goes through pixels between its passes, what comes before and what comes after are compared apart, each
from what is recorded: upscaling.py says how, watched_vae.py why.
"""

import dataclasses
import io

import numpy as np
import pytest
import torch
from golden_cases import cases, report
from helpers.watched_vae import FLIPPED, WatchedVae, assert_same_but_for_rounding
from PIL import Image
from safetensors import safe_open
from upscaling import RecordedCase, compare_upscaling, recorded_encodings

from pastelbot.diffusion.checkpoint import loading
from pastelbot.diffusion.engine.engine import Engine
from pastelbot.records import GenerationRequest, HiresFix, Painted
from pastelbot.rules.samplers import SAMPLERS, painted

LATENTS_MAX, LATENTS_MEAN = 3e-4, 3e-5
SDE_MAX = 1e-3
DECODED_MAX = 3e-4
PNG_SHARE = 0.01
NOISE_MAX = 1e-5
# Our name of an intermediate result -> the recordings' name of it.
RECORDED = {
    "first_noise": "noise",
    "first_latents": "first_latents",
    "hr_input_latents": "hr_input_latents",
    "hr_noise": "hr_noise",
    "hr_latents": "latents",
    "decoded": "decoded",
}
# The recordings were made on a CPU, where the webui's "GPU" noise is torch's CPU generator.
SOURCES = {"GPU": "CPU"}
REFUSED = SAMPLERS.keys() - painted().keys()  # a deliberate difference, see docs/conformance.md
PAINTED = [case for case in cases("images.json") if case["settings"]["sampler_name"] not in REFUSED]


@pytest.fixture(scope="module")
def tiny(tiny_sd):
    """Return the recordings' model, loaded."""
    torch.set_num_threads(1)
    return loading.load(str(tiny_sd), device="cpu", precision="fp32")


def request_of(case):
    """Return the request that a recorded case's settings and options mean."""
    settings, options = case["settings"], case["opts"]
    return GenerationRequest(
        prompt=settings["prompt"],
        negative_prompt=settings.get("negative_prompt", ""),
        width=settings["width"],
        height=settings["height"],
        seed=settings["seed"],
        count=settings.get("batch_size", 1),
        steps=settings["steps"],
        cfg_scale=settings["cfg_scale"],
        sampler=settings["sampler_name"],
        schedule=settings.get("scheduler") or "Automatic",
        clip_skip=options.get("CLIP_stop_at_last_layers", 2),
        hires=hires_of(settings) if settings.get("enable_hr") else None,
        subseed=case["all_subseeds"][0],
        subseed_strength=settings.get("subseed_strength", 0),
        seed_resize_width=max(0, settings.get("seed_resize_from_w", 0)),
        seed_resize_height=max(0, settings.get("seed_resize_from_h", 0)),
        eta_noise_seed_delta=options.get("eta_noise_seed_delta", 31337),
        noise_source=SOURCES.get(options.get("randn_source", "GPU"), options.get("randn_source")) or "CPU",
        emphasis=options.get("emphasis", "Original"),
    )


def hires_of(settings):
    """Return the hires fix of a recorded case's settings."""
    return HiresFix(
        width=settings.get("hr_resize_x", 0),
        height=settings.get("hr_resize_y", 0),
        scale=settings.get("hr_scale", 2),
        steps=settings.get("hr_second_pass_steps", 0),
        denoising_strength=settings["denoising_strength"],
        upscaler=settings.get("hr_upscaler") or "Latent",
        sampler=settings.get("hr_sampler_name"),
        schedule=settings.get("hr_scheduler"),
        cfg_scale=settings.get("hr_cfg"),
        prompt=settings.get("hr_prompt"),
        negative_prompt=settings.get("hr_negative_prompt"),
    )


def paint(tiny, request):
    """Return a request's pictures, its intermediate results by (name, picture), and the events on the way."""
    results = {}
    engine = Engine(tiny, record=lambda _job, index, name, tensor: results.update({(name, index): tensor}))
    engine.admit("case", request)
    events = []
    while not engine.idle:
        events += engine.step()
    (painted,) = (event for event in events if isinstance(event, Painted))
    return painted.pictures, results, events


@pytest.mark.parametrize("case", PAINTED, ids=lambda case: case["name"])
def test_picture_equals_the_recorded_one(golden, tiny, case):
    """Noise, latents after both passes, the decoded image, the PNG and the number of calls are the webui's."""
    recorded = RecordedCase(folder=golden, tensors="images.safetensors", case=case)
    request = request_of(case)
    vae = WatchedVae(tiny.vae, recorded_encodings(recorded, request))

    pictures, results, events = paint(dataclasses.replace(tiny, vae=vae), request)

    limits = limits_of(request, case.get("spread", {}))
    for index, encoding in enumerate(vae.encodings):
        pieces = compare_upscaling(recorded, request, tiny.vae, encoding, index)
        assert_same_but_for_rounding(pieces.before, encoding.before, share=PNG_SHARE if is_sde(request) else FLIPPED)
        results["hr_input_latents", index] = pieces.latents
        limits["hr_input_latents"] = pieces.limits or limits["hr_input_latents"]
    differences = compare_tensors(golden, case["name"], results) | compare_pngs(golden, case, pictures)
    report("pictures", case["name"], differences)
    for name, (largest, mean) in differences.items():
        assert largest <= limits[name][0], name
        assert mean <= limits[name][1], name
    assert [picture.seed for picture in pictures] == case["all_seeds"]
    assert events[-2].steps == sum(case["denoiser_calls"].values()) == events[-2].step


def is_sde(request):
    """Return whether one of a request's samplers is loose by nature."""
    return "SDE" in request.sampler or (request.hires is not None and "SDE" in (request.hires.sampler or ""))


def limits_of(request, spread):
    """Return the largest and mean difference allowed of each result.

    A set may say how far the webui itself is apart on two processors, by its own names: three times that is allowed.
    """
    latents = (SDE_MAX, SDE_MAX) if is_sde(request) else (LATENTS_MAX, LATENTS_MEAN)
    decoded = SDE_MAX if is_sde(request) else DECODED_MAX
    limits = {
        **dict.fromkeys(("first_latents", "hr_input_latents", "hr_latents"), latents),
        **dict.fromkeys(("first_noise", "hr_noise"), (NOISE_MAX, NOISE_MAX)),
        "decoded": (decoded, decoded),
        "png": (1, PNG_SHARE),
    }
    known = {name: spread.get(RECORDED.get(name, name), (0, 0)) for name in limits}
    return {
        name: tuple(max(one, 3 * other) for one, other in zip(limits[name], known[name], strict=True))
        for name in limits
    }


def compare_tensors(golden, name, results):
    """Return the largest and mean difference of each recorded tensor, over the whole batch."""
    differences = {}
    with safe_open(golden / "images.safetensors", "pt") as recorded:
        known = set(recorded.keys())
        for (result, index), mine in results.items():
            key = f"{name}/{RECORDED.get(result, '')}"
            if key not in known or mine is None:
                continue
            theirs = recorded.get_slice(key)[index]

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
