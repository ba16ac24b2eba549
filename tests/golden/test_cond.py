import pytest
import torch
from golden_cases import report

from pastelbot.diffusion.conditioning.conditioner import Conditioner

TOLERANCE = 1e-5


@pytest.fixture(scope="module")
def conditioner(tokenizer, text_encoder):
    return Conditioner(tokenizer, text_encoder)


def test_conditioning_is_the_recorded_one(recorded, tensors, conditioner):
    expected = tensors("cond.safetensors")
    for case in recorded("cond.json"):
        conditioning = _encode(conditioner, case)

        assert list(case["shape"]) == list(conditioning.shape), case["key"]
        difference = (expected[case["key"]] - conditioning).abs()
        assert difference.max().item() <= TOLERANCE, case["key"]
        report("conditioning", case["key"], {"vectors": (difference.max().item(), difference.mean().item())})


def _encode(conditioner, case):
    how = {"clip_skip": case["clip_skip"], "emphasis": case.get("emphasis", "Original")}
    if "conds_list" in case:
        return _composed(conditioner, case, how)
    if "schedule_len" in case:
        return _scheduled(conditioner, case, how)
    encoded = conditioner.encode(case["texts"], **how)
    return encoded if len(case["shape"]) == 3 else encoded[0]


def _composed(conditioner, case, how):
    """Return what the denoiser receives at one step: all parts of all pictures, and check their weights."""
    schedules = conditioner.positive(case["texts"], steps=case["steps"], hires_steps=case.get("hires_steps"), **how)
    images = [schedule.at(case["step"]) for schedule in schedules]

    assert [[weight for _, weight in parts] for parts in case["conds_list"]] == [
        [weight for _, weight in parts] for parts in images
    ], case["key"]
    return torch.stack([tensor for parts in images for tensor, _ in parts])


def _scheduled(conditioner, case, how):
    """Return one entry of a prompt's schedule, which must be as long as recorded."""
    (schedule,) = conditioner.positive(case["texts"], steps=case["steps"], hires_steps=case["hires_steps"], **how)
    ((track, _),) = schedule.parts

    assert case["schedule_len"] == len(track.entries), case["key"]
    entries = dict(track.entries)
    assert case["end_at_step"] in entries, case["key"]
    return entries[case["end_at_step"]]


def test_entries_of_a_schedule_are_used_in_the_recorded_steps(recorded, conditioner):
    for case in recorded("step_switch.json"):
        (schedule,) = conditioner.positive([case["prompt"]], steps=case["steps"], clip_skip=1)
        ((track, _),) = schedule.parts

        assert case["schedule"] == [end for end, _ in track.entries]
        tensors = [tensor for _, tensor in track.entries]
        used = [
            next(i for i, tensor in enumerate(tensors) if tensor is track.at(call))
            for call in range(len(case["used_index"]))
        ]
        assert case["used_index"] == used
