"""The table of samplers: each row has an algorithm, and a new row with its algorithm is all that a sampler takes."""

import pytest
from helpers.painting import paint

from pastelbot.config import LimitSettings
from pastelbot.diffusion.sampling import samplers as algorithms
from pastelbot.diffusion.sampling import samplers_sde, samplers_solver, samplers_timestep
from pastelbot.diffusion.sampling.schedules import SCHEDULES as PAINTED_SCHEDULES
from pastelbot.infotext import format_infotext, read_request
from pastelbot.options import SAMPLER_CHOICES, read_sampler
from pastelbot.records import GenerationRequest
from pastelbot.rules import cost, limits, samplers
from pastelbot.rules.samplers import SamplerInfo, check_sampler, menu, painted


def test_every_painted_row_has_an_algorithm_and_no_other_has():
    modules = (algorithms, samplers_sde, samplers_solver, samplers_timestep)
    names = [name for module in modules for name in module.RUN]

    assert sorted(names) == sorted(painted())


def test_every_schedule_is_computed_by_name():
    assert (samplers.AUTOMATIC, *PAINTED_SCHEDULES) == samplers.SCHEDULES


def test_every_stand_in_is_painted():
    assert all(info.stand_in in painted() for info in samplers.SAMPLERS.values() if info.stand_in is not None)


def test_every_choice_of_the_menu_is_its_own_rows_sampler():
    assert menu() == SAMPLER_CHOICES
    for info in samplers.SAMPLERS.values():
        if info.menu is not None:
            assert info.name == read_sampler(info.menu).sampler


def sample_last_denoised(x, sigmas, _noise, _options):
    """Take the denoised latents of each level, twice a level."""
    for sigma in sigmas[:-1]:
        yield x, sigma
        x = yield x, sigma
    return x


@pytest.fixture
def last_denoised(monkeypatch):
    """Add a sampler as docs/contributing.md describes: one row and one function."""
    row = SamplerInfo(
        name="Last denoised", schedule="Karras", calls_per_step=2, uses_ensd=True, menu="Last denoised Karras"
    )
    monkeypatch.setitem(samplers.SAMPLERS, row.name, row)
    monkeypatch.setitem(algorithms.RUN, row.name, sample_last_denoised)
    return row


def request_of(row, **changes):
    return GenerationRequest(
        prompt="1girl", width=64, height=64, steps=3, seed=5, sampler=row.name, schedule="Automatic", **changes
    )


def test_a_new_sampler_is_offered_and_let_through(last_denoised):
    assert "Last denoised Karras" == menu()[-1]
    assert ("Last denoised", "Karras") == read_sampler("Last denoised Karras")
    check_sampler("Last denoised")
    limits.check_request(request_of(last_denoised), LimitSettings())


def test_a_new_sampler_is_charged_by_its_calls(last_denoised):
    assert 2 * 3 * 64 * 64 == cost.work(request_of(last_denoised))


def test_a_new_sampler_is_written_into_the_infotext_and_read_back(last_denoised):
    request = request_of(last_denoised, eta_noise_seed_delta=31337)
    text = format_infotext(request, checkpoint="m", checkpoint_hash="0123456789")
    read = read_request(text)

    assert "Sampler: Last denoised, Schedule type: Karras" in text
    assert "ENSD: 31337" in text
    assert ("Last denoised", "Karras", ()) == (read.request.sampler, read.request.schedule, read.notes)


def test_a_new_sampler_paints(last_denoised, small):
    (picture,) = paint(small, request_of(last_denoised))

    assert (64, 64) == (picture.width, picture.height)
