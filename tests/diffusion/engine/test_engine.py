"""The step engine: jobs join, advance together, leave, fail alone, and give the same pictures in any company."""

import dataclasses
import io
from collections import defaultdict
from itertools import pairwise

import numpy as np
import pytest
import torch
from helpers.painting import paint
from PIL import Image

from pastelbot.diffusion.engine.engine import Engine
from pastelbot.errors import LimitError, PaintingError, PromptError
from pastelbot.formats.pictures import read_infotext
from pastelbot.records import (
    GenerationRequest,
    HiresFix,
    Painted,
    PaintingCancelled,
    PaintingFailed,
    Progress,
    Prompts,
)
from pastelbot.rules.samplers import SAMPLERS

REQUEST = GenerationRequest(
    prompt="1girl, red hair", width=64, height=64, steps=3, seed=5, sampler="DPM++ 2M", cfg_scale=5.0
)
HIRES = HiresFix(width=96, height=128, steps=2)


def run(engine, jobs=None):
    """Admit jobs, step until nothing is in flight, and return the events of each job."""
    for job_id, request in (jobs or {}).items():
        engine.admit(job_id, request)
    events = defaultdict(list)
    while not engine.idle:
        for event in engine.step():
            events[event.job_id].append(event)
    return events


def pixels(picture):
    """Return a picture's pixels."""
    return np.asarray(Image.open(io.BytesIO(picture.png))).astype(int)


def distance(first, second):
    """Return the largest difference of two pictures in levels."""
    return np.abs(pixels(first) - pixels(second)).max()


class FakeUnet:
    """A UNet that does something else where a condition on its input holds."""

    def __init__(self, unet, *, when, then):
        self.unet = unet
        self.when = when
        self.then = then
        self.dtype = unet.dtype
        self.batches = []

    def parameters(self):
        """Return the real network's parameters."""
        return self.unet.parameters()

    def __call__(self, sample, *args, **kwargs):
        """Note the batch's size and answer."""
        self.batches.append(tuple(sample.shape))
        if self.when(sample):
            return self.then(sample)
        return self.unet(sample, *args, **kwargs)


def faulty(small, when, then):
    """Return the checkpoint with a faulty UNet."""
    return dataclasses.replace(small, unet=FakeUnet(small.unet, when=when, then=then))


def out_of_memory(_sample):
    """Fail as torch does."""
    raise torch.OutOfMemoryError("CUDA out of memory")


def test_job_reports_every_step_and_then_its_picture(small):
    """Progress counts to the end, and the picture carries its infotext."""
    events = run(Engine(small), {"a": REQUEST})["a"]

    *progress, painted = events
    assert [(event.step, event.steps) for event in progress] == [(1, 3), (2, 3), (3, 3)]
    (picture,) = painted.pictures
    assert (picture.width, picture.height, picture.seed) == (64, 64, 5)
    assert read_infotext(picture.png) == picture.infotext
    assert "Seed: 5" in picture.infotext
    assert painted.seconds > 0


def test_same_request_gives_the_same_bytes(small):
    """Painted alone twice, a picture is the same file."""
    first, second = paint(small, REQUEST), paint(small, REQUEST)

    assert first == second


def test_picture_is_the_same_alone_and_in_company(small):
    """Pictures of a job, and jobs of other sizes and prompts that join half-way, change nothing but rounding."""
    engine = Engine(small)
    engine.admit("four", REQUEST.replace(count=4))
    engine.step()
    events = run(engine, {"other": REQUEST.replace(seed=7, prompt="blue hair", negative_prompt="smile, " * 40)})
    hires = run(engine, {"hires": REQUEST.replace(hires=HIRES)})

    four = events["four"][-1].pictures
    assert [picture.seed for picture in four] == [5, 6, 7, 8]
    assert distance(four[2], paint(small, REQUEST.replace(seed=7))[0]) <= 1
    other = paint(small, REQUEST.replace(seed=7, prompt="blue hair", negative_prompt="smile, " * 40))[0]
    assert distance(events["other"][-1].pictures[0], other) <= 1
    assert distance(hires["hires"][-1].pictures[0], paint(small, REQUEST.replace(hires=HIRES))[0]) <= 1


def test_each_picture_is_painted_from_its_own_prompts(small):
    """What lists have picked for each picture gives the file that it gives alone, infotext and all."""
    own = (Prompts(prompt="red hair", negative_prompt="hat"), Prompts(prompt="blue hair, (smile:1.2)"))
    both = REQUEST.replace(count=2, prompt="red hair", negative_prompt="hat", prompts=own)
    pictures = paint(small, both)

    assert ["red hair", "blue hair, (smile:1.2)"] == [each.infotext.splitlines()[0] for each in pictures]
    for number, picture in enumerate(pictures):
        (alone,) = paint(small, both.alone(number))
        assert alone.infotext == picture.infotext
        assert distance(alone, picture) <= 1


def test_pictures_of_one_size_share_a_batch(small):
    """Two jobs with prompts of one length make one call of four rows; `max_rows` makes them two."""
    watched = faulty(small, when=lambda _sample: False, then=None)
    run(Engine(watched), {"a": REQUEST, "b": REQUEST.replace(seed=9, prompt="cat")})
    assert {batch[0] for batch in watched.unet.batches} == {4}

    watched.unet.batches.clear()
    run(Engine(watched, max_rows=3), {"a": REQUEST, "b": REQUEST.replace(seed=9, prompt="cat")})
    assert {batch[0] for batch in watched.unet.batches} == {3, 1}


def test_hires_pass_follows_without_leaving(small):
    """The second pass has the larger size, its own steps, and counts on in the progress."""
    watched = faulty(small, when=lambda _sample: False, then=None)
    events = run(Engine(watched), {"a": REQUEST.replace(hires=HIRES)})["a"]

    assert [batch[2:] for batch in watched.unet.batches] == [(8, 8)] * 3 + [(16, 12)] * 2
    assert [event.step for event in events if isinstance(event, Progress)] == [1, 2, 3, 4, 5]
    assert (events[-1].pictures[0].width, events[-1].pictures[0].height) == (96, 128)


@pytest.mark.parametrize("upscaler", ["Lanczos", "Nearest", "None", "Latent (bicubic antialiased)"])
def test_every_kind_of_upscaler_paints(small, upscaler):
    """Pixel upscalers go through the VAE and back."""
    fix = dataclasses.replace(HIRES, upscaler=upscaler, denoising_strength=0.4)
    (picture,) = paint(small, REQUEST.replace(hires=fix))

    assert (picture.width, picture.height) == (96, 128)


def test_a_sampler_that_finds_out_its_steps_announces_no_fewer_than_it_has_done(small):
    request = REQUEST.replace(sampler="DPM adaptive", schedule="Automatic", hires=HIRES)
    events = run(Engine(small), {"a": request})["a"]

    steps = [(event.step, event.steps) for event in events if isinstance(event, Progress)]
    assert isinstance(events[-1], Painted)
    assert all(before <= step <= total == 150 for (before, _), (step, total) in pairwise(steps))


@pytest.mark.parametrize("sampler", [name for name, info in SAMPLERS.items() if info.usual_calls is None])
def test_every_sampler_paints_both_passes_in_the_steps_announced(small, sampler):
    """The last progress is the announced one, whatever the sampler makes of its steps."""
    request = REQUEST.replace(sampler=sampler, schedule="Automatic", steps=4, hires=dataclasses.replace(HIRES, steps=4))
    events = run(Engine(small), {"a": request})["a"]

    assert isinstance(events[-1], Painted)
    steps = [(event.step, event.steps) for event in events if isinstance(event, Progress)]
    assert steps == [(step, steps[0][1]) for step in range(1, steps[0][1] + 1)]


def test_hires_fix_to_the_same_size_is_left_out(small):
    """There is nothing to enlarge, so there is one pass, as in the webui."""
    same = REQUEST.replace(hires=HiresFix(width=64, height=64))
    assert pixels(paint(small, same)[0]).tolist() == pixels(paint(small, REQUEST)[0]).tolist()


def test_cancelled_job_leaves_at_the_next_step(small):
    """Its end is reported once, and the others go on."""
    engine = Engine(small)
    engine.admit("a", REQUEST)
    engine.admit("b", REQUEST)
    engine.step()
    engine.cancel("a")
    engine.cancel("unknown")
    events = run(engine)

    assert events["a"] == [PaintingCancelled(job_id="a")]
    assert isinstance(events["b"][-1], Painted)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sampler": "DPM+ 2M"}, r"DPM\+\+ 2M or"),
        ({"schedule": "Karas"}, "Karras"),
        ({"hires": HiresFix(upscaler="Latent (bicubik)")}, r"Latent \(bicubic\)"),
        ({"hires": HiresFix(sampler="Eular a")}, "Euler a"),
        ({"hires": HiresFix(denoising_strength=0)}, "strength"),
        ({"noise_source": "TPU"}, "NV"),
        ({"steps": 0}, "1 to"),
        ({"count": 0}, "at least 1"),
        ({"width": 0}, "too small"),
        ({"sampler": "DDIM", "steps": 1}, "ask for more"),
    ],
)
def test_impossible_request_is_refused_with_what_is_right(small, change, words):
    """The error names the nearest known name or the limit, and nothing is in flight."""
    engine = Engine(small)
    with pytest.raises(LimitError, match=words):
        engine.admit("a", REQUEST.replace(**change))
    assert engine.idle


def test_broken_syntax_is_refused_at_once(small):
    """Where the webui fails, our error comes before anything is painted."""
    engine = Engine(small)
    with pytest.raises(PromptError):
        engine.admit("a", REQUEST.replace(prompt="(x:1.2.3)"))
    assert engine.idle


def test_job_in_flight_is_not_taken_twice(small):
    """A job's number is its name in every event."""
    engine = Engine(small)
    engine.admit("a", REQUEST)
    with pytest.raises(LimitError, match="already"):
        engine.admit("a", REQUEST)


def test_broken_latents_fail_their_job_alone(small):
    """The reason names the picture, its seed and the step."""
    broken = faulty(small, lambda sample: sample.shape[-1] == 16, lambda sample: (torch.full_like(sample, torch.nan),))
    events = run(Engine(broken), {"a": REQUEST.replace(width=128, count=2), "b": REQUEST})

    assert isinstance(events["a"][-1], PaintingFailed)
    assert "picture 1 (seed 5)" in events["a"][-1].reason
    assert "step 1 of 3" in events["a"][-1].reason
    # Several steps are looked at together.
    assert {type(event) for event in events["a"][:-1]} == {Progress}
    assert isinstance(events["b"][-1], Painted)


def test_picture_that_decodes_to_no_numbers_fails_its_job_alone(small):
    """The reason names the picture and its seed; what comes after it is painted."""

    class BrokenVae:
        """Decodes large pictures to nothing."""

        def decode(self, latents):
            """Return an image."""
            image = small.vae.decode(latents)
            return image * torch.nan if latents.shape[-1] == 16 else image

    broken = dataclasses.replace(small, vae=BrokenVae())
    events = run(Engine(broken), {"a": REQUEST.replace(width=128), "b": REQUEST})

    assert "Picture 1 (seed 5) was decoded to invalid values" in events["a"][-1].reason
    assert isinstance(events["b"][-1], Painted)


def test_tags_of_networks_are_no_text(small):
    """What is between the brackets changes nothing; in a negative prompt it is text, as in the webui."""
    plain = pixels(paint(small, REQUEST)[0])
    tagged = paint(small, REQUEST.replace(prompt=REQUEST.prompt + "<note:x:1>"))[0]
    avoided = paint(small, REQUEST.replace(negative_prompt="<note:x:1>"))[0]

    assert plain.tolist() == pixels(tagged).tolist() != pixels(avoided).tolist()


def test_short_memory_makes_smaller_groups(small):
    """What does not fit together is painted one after the other, from then on."""
    tight = faulty(small, lambda sample: sample.shape[0] > 1, out_of_memory)
    events = run(Engine(tight), {"a": REQUEST.replace(count=2)})["a"]

    assert isinstance(events[-1], Painted)
    assert [batch[0] for batch in tight.unet.batches].count(1) == 2 * 2 * 3
    assert distance(events[-1].pictures[1], paint(small, REQUEST.replace(seed=6))[0]) <= 1


def test_too_large_a_picture_fails_alone_and_names_a_size(small):
    """Nothing helps: the job fails with a size that should fit, and the others are painted."""
    tight = faulty(small, lambda sample: sample.shape[-1] > 8, out_of_memory)
    events = run(Engine(tight), {"a": REQUEST.replace(hires=HiresFix(width=256, height=256)), "b": REQUEST})

    assert "256x256" in events["a"][-1].reason
    assert events["a"][-1].reason.endswith("try 64x64.")
    assert isinstance(events["b"][-1], Painted)


def test_other_errors_of_the_network_are_not_swallowed(small):
    """A bug ends the worker, which is started afresh."""

    def bug(_sample):
        raise RuntimeError("a bug")

    engine = Engine(faulty(small, lambda _sample: True, bug))
    engine.admit("a", REQUEST)
    with pytest.raises(RuntimeError, match="a bug"):
        engine.step()


def test_preview_is_a_small_jpeg(small):
    """Every second step carries one."""
    events = run(Engine(small, preview_every=2), {"a": REQUEST})["a"]

    previews = [event.preview for event in events if isinstance(event, Progress)]
    assert previews[0] is None
    image = Image.open(io.BytesIO(previews[1]))
    assert image.format == "JPEG"
    assert max(image.size) <= 256


def test_variation_keeps_the_seed_and_counts_subseeds(small):
    """Pictures of a varied job differ by their subseeds alone."""
    varied = REQUEST.replace(count=2, subseed=3, subseed_strength=0.2)
    first, second = paint(small, varied)

    assert first.seed == second.seed == 5
    alone = paint(small, varied.replace(count=1, subseed=4))[0]
    assert distance(second, alone) <= 1
    assert distance(first, second) > 1


def test_guidance_of_one_asks_about_the_prompt_alone(small):
    """Without guidance the negative prompt makes no difference, so it costs no call."""
    watched = faulty(small, when=lambda _sample: False, then=None)
    run(Engine(watched), {"a": REQUEST.replace(cfg_scale=1)})

    assert {batch[0] for batch in watched.unet.batches} == {1}


def test_paint_reports_progress_and_raises_the_reason(small):
    """The command line's way into the engine."""
    steps = []
    paint(small, REQUEST, steps.append)
    assert [event.step for event in steps] == [1, 2, 3]

    tight = faulty(small, lambda _sample: True, out_of_memory)
    with pytest.raises(PaintingError, match="does not fit"):
        paint(tight, REQUEST)
