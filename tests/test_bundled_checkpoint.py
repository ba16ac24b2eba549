"""The bundled checkpoint draws what the tags say: a fast version of training.evaluate, on the bot's engine."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import pastelbot
from pastelbot.diffusion.checkpoint import loading
from pastelbot.diffusion.engine.engine import Engine
from pastelbot.records import GenerationRequest, HiresFix, Painted, PaintingFailed
from training.evaluate import many_options, redness, sharpness
from training.judge import load_judge
from training.sampling import NEGATIVE, POSITIVE

pytestmark = pytest.mark.long

FOLDER = Path(pastelbot.__file__).parent / "data" / "checkpoint"


@pytest.fixture(scope="module")
def checkpoint():
    return loading.load(str(FOLDER), device="cpu")


@pytest.fixture(scope="module")
def judge():
    return load_judge()


def request(prompt, **changes):
    """Return a request of half the usual steps, which show as well what is drawn."""
    return GenerationRequest(prompt=prompt, negative_prompt=NEGATIVE, width=128, height=128, steps=10).replace(
        **changes
    )


def paint(checkpoint, requests):
    """Paint all requests together; pixels [n, h, w, 3]."""
    engine = Engine(checkpoint)
    for i, one in enumerate(requests):
        engine.admit(str(i), one)
    done = {}
    while len(done) < len(requests):
        for event in engine.step():
            assert not isinstance(event, PaintingFailed), event
            if isinstance(event, Painted):
                done[int(event.job_id)] = np.asarray(Image.open(io.BytesIO(event.pictures[0].png)).convert("RGB"))
    return np.stack([done[i] for i in range(len(requests))])


def share(answers, question, expected):
    return np.mean([answer[question] == right for answer, right in zip(answers, expected, strict=True)])


def test_it_draws_the_hair_background_and_glasses_that_were_asked_for(checkpoint, judge):
    """The judge finds what the prompt says in nearly every picture."""
    wanted = many_options(12, seed=5)
    seen = judge.look(paint(checkpoint, [request(w.prompt, seed=i) for i, w in enumerate(wanted)]))

    for question, least in (("hair", 0.85), ("background", 0.85), ("eyewear", 0.85), ("style", 0.85)):
        assert share(seen, question, [w.answers[question] for w in wanted]) >= least, question


def test_a_negative_prompt_keeps_glasses_away(checkpoint, judge):
    """With "glasses" in the negative prompt at most one picture of eight wears them."""
    requests = [request(f"{POSITIVE}1girl, red hair", negative_prompt=NEGATIVE + ", glasses", seed=i) for i in range(8)]
    seen = judge.look(paint(checkpoint, requests))

    assert sum(answer["eyewear"] == "glasses" for answer in seen) <= 1


def test_emphasis_moves_the_blush(checkpoint):
    """Cheeks are redder at (blush:1.4) than at (blush:0.6)."""
    weak, strong = (
        redness(
            paint(
                checkpoint, [request(f"{w.prompt}, (blush:{weight})", seed=i) for i, w in enumerate(many_options(4, 3))]
            )
        )
        for weight in (0.6, 1.4)
    )

    assert strong.mean() > weak.mean()


def test_the_hires_fix_keeps_the_person_and_adds_sharpness(checkpoint, judge):
    """Twice the size, strength 0.6: the same answers, sharper lines than an enlargement."""
    prompts = [w.prompt for w in many_options(2, seed=2)]
    small = paint(checkpoint, [request(p, seed=i) for i, p in enumerate(prompts)])
    large = paint(checkpoint, [request(p, seed=i, hires=HiresFix(steps=10)) for i, p in enumerate(prompts)])
    enlarged = np.stack([np.asarray(Image.fromarray(p).resize((256, 256), Image.Resampling.BICUBIC)) for p in small])
    kept = [a["hair"] == b["hair"] for a, b in zip(judge.look(small), judge.look(large), strict=True)]

    assert large.shape == (2, 256, 256, 3)
    assert all(kept)
    assert sharpness(large) > sharpness(enlarged)


def test_it_is_small_and_laid_out_as_sd_1x():
    """All files together stay below 24 MB; noise schedule and scaling are those of SD 1.x."""
    import json

    size = sum(file.stat().st_size for file in FOLDER.rglob("*") if file.is_file())
    schedule = json.loads((FOLDER / "scheduler" / "scheduler_config.json").read_text())
    vae = json.loads((FOLDER / "vae" / "config.json").read_text())

    assert size < 24_000_000
    assert (schedule["beta_start"], schedule["beta_end"], schedule["beta_schedule"]) == (
        0.00085,
        0.012,
        "scaled_linear",
    )
    assert (vae["scaling_factor"], vae["latent_channels"]) == (0.18215, 4)


@pytest.mark.filterwarnings("ignore")
def test_diffusers_own_pipeline_paints_with_it():
    """StableDiffusionPipeline loads the folder as it is."""
    from diffusers import StableDiffusionPipeline

    pipeline = StableDiffusionPipeline.from_pretrained(FOLDER, safety_checker=None, torch_dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    image = pipeline("1girl", num_inference_steps=4, width=128, height=128).images[0]

    assert image.size == (128, 128)
    assert np.asarray(image).std() > 10
