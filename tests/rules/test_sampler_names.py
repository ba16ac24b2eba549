"""Names of samplers and schedules in other programs."""

import pytest

from pastelbot.rules.samplers import SAMPLERS, SCHEDULES
from pastelbot.rules.sampling.sampler_names import recognised_sampler, recognised_schedule

SPELLED = {
    "Euler a": ["Euler A", "k_euler_a", "Euler Ancestral", "euler_ancestral", "EulerAncestralDiscreteScheduler"],
    "Euler": ["euler", "k_euler", "EulerDiscreteScheduler", "K Euler"],
    "DPM++ 2M": ["dpmpp_2m", "k_dpmpp_2m", "dpm++ 2m", "DPMSolverMultistepScheduler", "DPM++2M"],
    "DPM++ 2M SDE": ["dpmpp_2m_sde", "dpmpp_2m_sde_gpu", "dpm++ 2m sde"],
    "DPM++ SDE": ["dpmpp_sde", "k_dpmpp_sde", "dpmpp_sde_gpu", "DPMSolverSDEScheduler"],
    "DPM++ 2S a": ["dpmpp_2s_ancestral", "k_dpmpp_2s_a", "DPM++ 2S A", "k_dpmpp_2s_ancestral"],
    "DPM2 a": ["dpm_2_ancestral", "k_dpm_2_a", "KDPM2AncestralDiscreteScheduler", "dpm2 A"],
    "Heun": ["heun", "k_heun", "HeunDiscreteScheduler"],
    "UniPC": ["uni_pc", "unipc", "uni_pc_bh2", "UniPCMultistepScheduler"],
    "DDIM": ["ddim", "DDIMScheduler", "ddim_v3"],
    "PLMS": ["plms", "pndm", "PNDMScheduler"],
    "LMS": ["lms", "k_lms", "LMSDiscreteScheduler"],
}  # fmt: skip


@pytest.mark.parametrize(("name", "spelled"), [(name, each) for name, all_ in SPELLED.items() for each in all_])
def test_a_sampler_is_recognised_in_every_spelling(name, spelled):
    assert (name, "Automatic") == recognised_sampler(spelled)


@pytest.mark.parametrize(
    ("spelled", "expected"),
    [
        ("dpmpp_2m_karras", ("DPM++ 2M", "Karras")),
        ("dpm++ 2m KARRAS", ("DPM++ 2M", "Karras")),
        ("dpmpp_2m_k", ("DPM++ 2M", "Karras")),
        ("euler_ancestral_sgm_uniform", ("Euler a", "SGM Uniform")),
        ("Euler A Exponential", ("Euler a", "Exponential")),
    ],
)
def test_a_schedule_at_the_names_end_is_recognised_too(spelled, expected):
    assert expected == recognised_sampler(spelled)


@pytest.mark.parametrize("name", SAMPLERS)
def test_the_own_names_mean_themselves(name):
    assert name == recognised_sampler(name).sampler == recognised_sampler(name.upper()).sampler


@pytest.mark.parametrize("name", ["Magic", "", "k_", "a", "res_multistep", "scheduler", "karras", "Euler b"])
def test_other_names_mean_no_sampler(name):
    assert recognised_sampler(name) is None


def test_schedules_are_recognised_in_every_spelling():
    others = {
        "ddim_uniform": "DDIM",
        "native": "Automatic",
        "sgm_uniform": "SGM Uniform",
        "align-your-steps": "Align Your Steps",
    }

    assert list(SCHEDULES) == [recognised_schedule(name.upper()) for name in SCHEDULES]
    assert others == {name: recognised_schedule(name) for name in others}
    assert recognised_schedule("Magic") is None
