import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pastelbot.choices import LATENT_RESIZE
from pastelbot.config import Settings
from pastelbot.diffusion.sampling.registry import plan_first_pass, resolve
from pastelbot.diffusion.sampling.schedules import ModelSigmas
from pastelbot.options import default_request
from pastelbot.records import GenerationRequest, HiresFix, InitImage
from pastelbot.rules import cost
from pastelbot.rules.grids import make_grid, read_axis
from pastelbot.rules.hires import hires_size
from pastelbot.rules.samplers import SAMPLERS

SMALL = GenerationRequest(prompt="1girl", width=512, height=512, steps=10)


def test_the_cards_picture_costs_thirty_megapixel_steps():
    card = default_request(Settings(), seed=0)

    assert cost.work(card) == 20 * 448 * 640 + 20 * 960 * 1280
    assert cost.text(cost.work(card)) == "30.3 MP-steps"


def test_pictures_add_up():
    assert cost.work(SMALL.replace(count=4)) == 4 * cost.work(SMALL) == 4 * 10 * 512 * 512


@pytest.mark.parametrize(
    ("hires", "work"),
    [
        (HiresFix(scale=2.0, steps=5), 5 * 1024 * 1024),
        (HiresFix(scale=2.0, steps=0), 10 * 1024 * 1024),
        (HiresFix(width=768, steps=5), 5 * 768 * 768),
        (HiresFix(height=768, steps=5), 5 * 768 * 768),
        (HiresFix(width=512, height=512, steps=5), 0),
        (HiresFix(scale=2.0, steps=5, sampler="Heun"), 2 * 5 * 1024 * 1024),
    ],
)
def test_the_hires_pass_is_added(hires, work):
    assert cost.work(SMALL.replace(hires=hires)) - cost.work(SMALL) == work


@given(st.integers(8, 160), st.integers(8, 160), st.sampled_from([0, 640, 960, 1000]), st.sampled_from([0, 640, 961]))
def test_the_second_pass_costs_the_size_that_is_painted(columns, rows, target_width, target_height):
    """Whole cells of 8 pixels, within two cells of the size that was asked for."""
    width, height = columns * 8, rows * 8
    fix = HiresFix(width=target_width, height=target_height, scale=1.7, steps=10)
    size = hires_size(width, height, fix)
    painted = size.picture
    asked = (
        target_width or (target_height * width // height if target_height else width * 1.7),
        target_height or (target_width * height // width if target_width else height * 1.7),
    )
    request = SMALL.replace(width=width, height=height)
    is_larger = (size.width, size.height) != (width, height)

    assert all(side % 8 == 0 for side in painted)
    assert all(abs(a - b) <= 16 for a, b in zip(painted, asked, strict=True))
    assert cost.work(request.replace(hires=fix)) - cost.work(request) == is_larger * 10 * painted[0] * painted[1]


@pytest.mark.parametrize(("strength", "steps"), [(0.75, 8), (0.0, 1), (1.0, 10)])
def test_over_a_picture_only_the_steps_that_are_painted_cost(strength, steps):
    """As the webui counts them: the strength's share, and one more. Encoding the picture is a step, too."""
    init = InitImage(denoising_strength=strength)

    assert cost.work(SMALL.replace(init=init)) == (steps + 1) * 512 * 512


def test_the_file_that_was_handed_over_costs_by_its_bytes_once():
    """Decoding, scaling and storing 10 MB was nearly free beside a small picture."""
    small = SMALL.replace(width=64, height=64, steps=1)
    content = b"x" * 9_800_000
    grid = make_grid(read_axis("steps", "1,2,3"), None)

    for request in (small, small.replace(count=4), small.replace(grid=grid)):
        with_file = request.replace(init=InitImage.of(content))
        assert cost.work(with_file) - cost.work(request.replace(init=InitImage())) == len(content)


def test_a_latent_resize_costs_what_is_encoded():
    init = InitImage(width=2048, height=1024, resize_mode=LATENT_RESIZE, denoising_strength=0)

    assert cost.work(SMALL.replace(width=64, height=64, steps=1, init=init)) == 64 * 64 + 2048 * 1024


def test_a_sampler_that_finds_out_its_steps_costs_the_same_whatever_is_asked_for():
    few, many = (cost.work(SMALL.replace(sampler="DPM adaptive", steps=steps)) for steps in (2, 100))

    assert few == many == SMALL.width * SMALL.height * 75


@pytest.mark.parametrize("name", [name for name, info in SAMPLERS.items() if info.usual_calls is None])
def test_a_step_counts_as_often_as_the_sampler_asks_the_network(name):
    plan = plan_first_pass(*resolve(name), ModelSigmas.scaled_linear(), 40)
    asked = plan.calls / 40

    assert math.isclose(SAMPLERS[name].calls_per_step, asked, rel_tol=0.15)


@pytest.mark.parametrize(
    ("work", "text"),
    [(0, "0"), (5_000, "0.005"), (123_000, "0.12"), (30_310_400, "30.3"), (99_960_000, "100"), (3 * 10**9, "3,000")],
)
def test_work_is_written_shortly(work, text):
    assert cost.number(work) == text


@pytest.mark.parametrize(
    ("work", "down", "up"),
    [
        (0, "0", "0"),
        (1, "0", "0.01"),
        (46, "0.04", "0.05"),
        (999, "0.9", "1"),
        (1000, "1", "1"),
        (1450, "1.4", "1.5"),
        (99_950, "99.9", "100"),
        (1_234_001, "1,234", "1,235"),
    ],
)
def test_a_price_is_rounded_up_and_what_is_left_down(work, down, up):
    assert (cost.pictures_number(work, 1000), cost.pictures_number(work, 1000, up=True)) == (down, up)


def test_what_is_too_dear_never_reads_as_if_it_could_be_paid():
    for left in range(1, 3000):
        assert cost.pictures_number(left, 1000) != cost.pictures_number(left + 1, 1000, up=True)


@pytest.mark.parametrize(
    ("work", "text"), [(500, "0.5 usual pictures"), (1000, "1 usual picture"), (2000, "2 usual pictures")]
)
def test_work_is_written_in_usual_pictures(work, text):
    assert cost.in_pictures(work, 1000) == text


def test_what_people_write_comes_back():
    assert cost.pixel_steps(30.3104) == 30_310_400
    assert cost.text(30_310_400) == "30.3 MP-steps"


def test_half_of_the_steps_are_less_than_half_of_the_work_where_a_hires_pass_follows():
    card = default_request(Settings(), seed=0)
    first = 20 * 448 * 640 / cost.work(card)

    assert cost.share_done(card, 20, 40) == pytest.approx(first)
    assert cost.share_done(card, 30, 40) == pytest.approx(first + (1 - first) / 2)
    assert cost.share_done(card, 0, 40) == 0
    assert cost.share_done(card, 40, 40) == pytest.approx(1)
    assert cost.share_done(SMALL, 5, 10) == 0.5
    assert cost.share_done(SMALL, 0, 0) == 0
