"""The table of samplers: each row has an algorithm, and a new row with its algorithm is all that a sampler takes."""

import dataclasses
import re
import textwrap
from pathlib import Path

import pytest
import torch
from helpers.painting import paint

from pastelbot.config import LimitSettings
from pastelbot.diffusion.sampling import samplers as algorithms
from pastelbot.diffusion.sampling import samplers_sde, samplers_solver, samplers_timestep
from pastelbot.diffusion.sampling.registry import PassPlan
from pastelbot.diffusion.sampling.schedules import SCHEDULES as PAINTED_SCHEDULES
from pastelbot.diffusion.sampling.schedules import ModelSigmas, make_sigmas
from pastelbot.infotext import format_infotext, read_request
from pastelbot.options import SAMPLER_CHOICES, read_sampler
from pastelbot.records import GenerationRequest, SamplingOptions
from pastelbot.rules import cost, limits, samplers
from pastelbot.rules.samplers import check_sampler, menu
from pastelbot.rules.sampling.options import SAMPLING_OPTIONS

CONTRIBUTING = Path(__file__).parents[3] / "docs" / "contributing.md"
MODEL = ModelSigmas.scaled_linear()
# Options that some samplers look at and others do not, with values that change much.
CHANGED = {"eta": 0.5, "eta_ddim": 0.5, "gamma": 0.8, "churn": 6.0, "churn_least": 2.0, "churn_most": 1.0, "noise": 1.1}


def test_every_painted_row_has_an_algorithm_and_no_other_has():
    modules = (algorithms, samplers_sde, samplers_solver, samplers_timestep)
    names = [name for module in modules for name in module.RUN]

    assert sorted(names) == sorted(samplers.SAMPLERS)


def test_every_schedule_is_computed_by_name():
    assert (samplers.AUTOMATIC, *PAINTED_SCHEDULES) == samplers.SCHEDULES


def test_every_choice_of_the_menu_is_its_own_rows_sampler():
    assert menu() == SAMPLER_CHOICES
    for info in samplers.SAMPLERS.values():
        if info.menu is not None:
            assert info.name == read_sampler(info.menu).sampler


def run(name, options):
    """Return what a sampler makes of two numbers with a denoiser that keeps a part of them, and fixed noise."""
    sigmas = make_sigmas("Karras", MODEL, 8)[:-1]
    plan = PassPlan(
        info=samplers.SAMPLERS[name],
        levels=MODEL,
        sigmas=sigmas,
        schedule_sigmas=sigmas,
        noise_sigma=sigmas[0],
        options=options,
    )
    drawn = torch.Generator().manual_seed(5)
    steps = plan.steps(torch.tensor([3.0, -8.0]), lambda *_levels: torch.randn(2, generator=drawn))
    x, sigma = next(steps)
    try:
        while True:
            x, sigma = steps.send(0.2 + x / (1 + sigma**2))
    except StopIteration as stop:
        return stop.value.tolist()


@pytest.mark.parametrize("option", CHANGED)
@pytest.mark.parametrize("name", samplers.SAMPLERS)
def test_a_row_says_which_options_change_the_samplers_result(name, option):
    row = next(row for row in SAMPLING_OPTIONS if row.field == option)
    usual = SamplingOptions(churn=1.0) if option not in ("eta", "eta_ddim") else SamplingOptions()
    changed = dataclasses.replace(usual, **{option: CHANGED[option]})
    request = GenerationRequest(prompt="1girl", sampler=name)

    assert (run(name, usual) != run(name, changed)) == row.applies(request)


def test_these_are_all_options_that_only_some_samplers_look_at():
    requests = [GenerationRequest(prompt="1girl", sampler=name, schedule="Karras") for name in samplers.SAMPLERS]

    assert {row.field for row in SAMPLING_OPTIONS if len({row.applies(one) for one in requests}) > 1} == set(CHANGED)


def documented():
    """Return the function and the row that docs/contributing.md shows, as they are executed there."""
    text = CONTRIBUTING.read_text(encoding="utf-8")
    block = re.search(r"(?m)^ {7}def _sample_.*\n(?: {7}.*\n)+", text).group()
    place = dict(vars(algorithms))
    exec(compile(textwrap.dedent(block), "contributing.md", "exec"), place)  # noqa: S102 -- what the page shows must run
    row = eval(re.search(r"`(SamplerInfo\(.*\))`", text).group(1), vars(samplers))  # noqa: S307 -- the same
    return place["_sample_euler_ancestral"], row


@pytest.fixture
def added(monkeypatch):
    """Add a sampler as docs/contributing.md describes, by its own function and row, under another name."""
    function, documented_row = documented()
    row = dataclasses.replace(documented_row, name="Added", schedule="Karras", calls_per_step=2, menu="Added Karras")
    monkeypatch.setitem(samplers.SAMPLERS, row.name, row)
    monkeypatch.setitem(algorithms.RUN, row.name, function)
    return row


def request_of(row, **changes):
    return GenerationRequest(
        prompt="1girl", width=64, height=64, steps=3, seed=5, sampler=row.name, schedule="Automatic", **changes
    )


def test_a_new_sampler_is_offered_and_let_through(added):
    assert "Added Karras" == menu()[-1]
    assert ("Added", "Karras") == read_sampler("Added Karras")
    check_sampler("Added")
    limits.check_request(request_of(added), LimitSettings())


def test_a_new_sampler_is_charged_by_its_calls(added):
    assert 2 * 3 * 64 * 64 == cost.work(request_of(added))


def test_a_new_sampler_is_written_into_the_infotext_and_read_back(added):
    request = request_of(added, eta_noise_seed_delta=31337, sampling=SamplingOptions(eta=0.5))
    text = format_infotext(request, checkpoint="m", checkpoint_hash="0123456789")
    read = read_request(text)

    assert "Sampler: Added, Schedule type: Karras" in text
    assert "ENSD: 31337" in text
    assert "Eta: 0.5" in text
    assert ("Added", "Karras", ()) == (read.request.sampler, read.request.schedule, read.notes)
    assert read.request.sampling.eta == 0.5


def test_a_new_sampler_paints(added, small):
    (picture,) = paint(small, request_of(added))

    assert (64, 64) == (picture.width, picture.height)
