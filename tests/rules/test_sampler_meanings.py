import pytest

from pastelbot.rules.samplers import effective_schedule, normalise, uses_ensd


@pytest.mark.parametrize(
    ("sampler", "schedule", "expected"),
    [
        ("DPM++ 2M Karras", None, ("DPM++ 2M", "Karras")),
        ("DPM++ 2M", "karras", ("DPM++ 2M", "Karras")),
        ("LMS Karras", "Exponential", ("LMS", "Karras")),
        ("Unheard of", "Unheard of", ("DPM++ 2M", "Automatic")),
        (None, None, ("DPM++ 2M", "Automatic")),
    ],
)
def test_names_are_split_and_unknown_ones_replaced(sampler, schedule, expected):
    assert expected == normalise(sampler, schedule)


def test_automatic_is_the_samplers_own_schedule():
    assert effective_schedule("DPM++ 2M", "Automatic") == "Karras"
    assert effective_schedule("Euler", "Automatic") is None
    assert effective_schedule("DDIM", "Karras") is None


def test_only_ancestral_samplers_use_the_seed_delta():
    assert uses_ensd("Euler a Karras")
    assert not uses_ensd("DPM++ SDE")
