"""The options of sampling: read from what people type and from infotexts, and written into these."""

import dataclasses

import pytest
from helpers.support import png

from pastelbot.config import LimitSettings
from pastelbot.errors import LimitError
from pastelbot.infotext import format_infotext, read_request
from pastelbot.records import GenerationRequest, InitImage, SamplingOptions
from pastelbot.rules.limits import check_request
from pastelbot.rules.sampling.options import SAMPLING_OPTIONS, read_sampling, sampling_text

REQUEST = GenerationRequest(prompt="1girl")


def other(option):
    """Return a value that is not the usual one."""
    if option.choices:
        return option.choices[1]
    if isinstance(option.usual, bool):
        return True
    return (
        option.least if option.least not in (0.0, option.usual) else option.most if option.most != option.usual else 0.0
    )


def fitting(option, request):
    """Return the request with a sampler, a schedule or a picture to start from that looks at the option."""
    samplers = [{"sampler": name} for name in ("Euler a", "Euler", "DDIM", "TCD")]
    for changes in ({}, *samplers, {"schedule": "Beta"}, {"init": InitImage.of(png())}):
        if option.applies(request.replace(**changes)):
            return request.replace(**changes)
    raise AssertionError(f"no sampler looks at {option.title}")


def test_each_field_has_a_row():
    assert {option.field for option in SAMPLING_OPTIONS} == {
        field.name for field in dataclasses.fields(SamplingOptions)
    }


@pytest.mark.parametrize("option", SAMPLING_OPTIONS, ids=lambda option: option.title)
def test_an_option_survives_being_written_and_read(option):
    request = fitting(option, REQUEST.replace(sampling=SamplingOptions(**{option.field: other(option)})))
    text = format_infotext(request, checkpoint="a", checkpoint_hash="b")

    assert read_sampling(sampling_text(request)) == {option.field: other(option)}
    assert (f"{option.title}: " in text) == option.written
    if option.written:
        assert read_request(text).request.sampling == request.sampling
        assert len(read_request(text).notes) == (request.init is not None)  # whose picture is not there
    check_request(request, LimitSettings())


@pytest.mark.parametrize("option", SAMPLING_OPTIONS, ids=lambda option: option.title)
def test_a_value_out_of_bounds_is_refused_and_in_an_infotext_noted(option):
    wrong = "some" if option.choices or isinstance(option.usual, bool) else str(option.most + 1)

    with pytest.raises(LimitError, match=option.title):
        read_sampling(f"{option.title}: {wrong}")
    read = read_request(f"a\nSteps: 5, Seed: 1, Size: 64x64, {option.title}: {wrong}")
    assert any(option.title in note for note in read.notes)
    assert read.request.sampling == SamplingOptions()


def test_an_unknown_option_is_named_with_the_nearest():
    with pytest.raises(LimitError, match="Sigma churn"):
        read_sampling("Sigma chrn: 3")


def test_options_that_the_sampler_does_not_look_at_are_not_written():
    request = REQUEST.replace(sampler="DPM++ 2M", sampling=SamplingOptions(eta=0.5, churn=3, eta_ddim=0.2))

    assert "Eta" not in format_infotext(request, checkpoint="a", checkpoint_hash="b")
    assert sampling_text(request) == "Eta: 0.5, Eta DDIM: 0.2, Sigma churn: 3"
