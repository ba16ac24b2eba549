"""What Gradio's fields mean and show: the tabs' handlers, called as Gradio calls them."""

import html
import io
import re
from dataclasses import replace
from types import SimpleNamespace

import pytest
from helpers.fake_executors import FakeExecutor
from helpers.support import eventually, make_settings
from helpers.web_page import web_page
from PIL import Image

pytest.importorskip("gradio", reason="the web extra is not installed")
import gradio

from pastelbot.choices import UPSCALERS
from pastelbot.errors import NotFoundError
from pastelbot.i18n.languages import Languages
from pastelbot.options.catalogue import HIRES_CHOICES, OPTIONS, SAMPLER_CHOICES
from pastelbot.rules import grids
from pastelbot.rules.samplers import SCHEDULES
from pastelbot.rules.sampling.init_options import INIT_OPTIONS
from pastelbot.service.page.sign_in import Visitor
from pastelbot.service.page.uploads import Uploads
from pastelbot.web.application import plain_application
from pastelbot.web.painting import answer
from pastelbot.web.tabs.info_tab import InfoTab
from pastelbot.web.tabs.option_fields import offered, option_field, shown_options, typed_options
from pastelbot.web.tabs.paint_tab import PaintTab
from pastelbot.web.visits import Visits

BROWSER = SimpleNamespace(cookies={})
INFOTEXT = (
    "1girl, (red hair:1.2)\nNegative prompt: lowres\nSteps: 21, Sampler: Euler a, CFG scale: 6.5, Seed: 9, "
    "Size: 192x256, Clip skip: 2, Denoising strength: 0.5, Hires upscale: 1.5, Hires upscaler: Latent"
)


@pytest.fixture
def executor():
    return FakeExecutor()


@pytest.fixture
async def services(tmp_path, clock, executor):
    settings = make_settings(tmp_path, web={"port": 0})
    async with web_page(settings, clock, executor, build=plain_application) as page:
        yield page.services


@pytest.fixture
def uploads():
    return Uploads()


# Gradio makes event loops of its own where none runs.
@pytest.fixture
async def paint_tab(services, uploads):
    tab = PaintTab(services, Visits(services), uploads, Languages.shipped(), "en")
    with gradio.Blocks() as page:
        tab.build(page)
    return tab


@pytest.fixture
async def info_tab(services):
    return InfoTab(services, Visits(services), Languages.shipped(), "en")


def with_values(**values):
    """Return the values of all fields: the options', the grid's, the picture's. What is not named is left out."""
    return [values.get(name, "") for name in (*(option.name for option in ordered()), *GRID, *START)]


def option_values(**values):
    return with_values(**values)[: -len(GRID) - len(START)]


def ordered():
    first = [next(option for option in offered() if option.name == name) for name in FIRST]
    return [*first, *(option for option in offered() if option.name not in (*FIRST, "resize_mode"))]


GRID = ("x", "x_values", "y", "y_values")
START = (
    "start",
    "mask",
    "strength",
    "resize_mode",
    *(option.title for option in INIT_OPTIONS if not option.title.endswith((" x", " y"))),
)
FIRST = ("negative", "size", "seed", "steps", "cfg", "count", "hires")


@pytest.fixture
async def fields(services):
    with gradio.Blocks():
        return [option_field(option, services.settings, str, str) for option in ordered()]


def test_the_page_has_every_option_that_is_described_but_for_those_about_messages():
    left_out = {option.name for option in OPTIONS if option.describe and option not in offered()}

    assert left_out == {"spoiler", "private"}


def test_what_is_left_empty_is_left_out(fields):
    assert typed_options(fields, option_values()).set_fields() == {}


def test_what_is_typed_is_read_as_the_options_types_are(fields):
    typed = typed_options(fields, option_values(seed="9", steps=" 21 ", cfg="6.5", hires="1.5x", style="on"))

    assert typed.set_fields() == {
        "seed": 9,
        "steps": 21,
        "cfg": 6.5,
        "hires": True,
        "hires_scale": 1.5,
        "style": True,
    }


async def test_a_picture_is_queued_with_what_was_typed(paint_tab, executor):
    said = await paint_tab.paint(BROWSER, "1girl --steps 9", *with_values(seed="9", cfg="6.5", hires="off"))

    await eventually(lambda: executor.painting)
    (request,) = executor.painting.values()
    assert said == ""
    assert (request.prompt, request.seed, request.cfg_scale, request.steps) == ("1girl", 9, 6.5, 9)


@pytest.mark.parametrize(
    ("prompt", "values", "sentence"),
    [
        ("", {}, "The prompt is empty"),
        ("1girl", {"seed": "-7"}, "is not a seed"),
        ("1girl", {"steps": "0"}, "must be at least 1"),
        ("(1girl", {"sampler": "no such"}, "no such"),
        ("<script>", {"size": "<b>"}, "&lt;b&gt;"),
    ],
)
async def test_a_mistake_is_one_sentence_and_costs_nothing(paint_tab, services, executor, prompt, values, sentence):
    visitor = services.sign_in.local_user()
    before = await services.quotas.state(visitor.actor)

    said = await paint_tab.paint(BROWSER, prompt, *with_values(**values))

    assert sentence in said
    assert "Not charged." in said
    assert "<script" not in said
    assert not executor.painting
    assert await services.quotas.state(visitor.actor) == before


async def test_the_fields_show_an_infotext_and_lead_to_it_again(paint_tab, fields, executor):
    prompt, *filled, said = await paint_tab.fill(BROWSER, INFOTEXT)
    values = filled[: len(fields) + len(GRID)]
    await paint_tab.paint(BROWSER, prompt, *values, *([""] * len(START)))

    await eventually(lambda: executor.painting)
    (request,) = executor.painting.values()
    assert said == ""
    assert (request.prompt, request.negative_prompt) == ("1girl, (red hair:1.2)", "lowres")
    assert (request.steps, request.sampler, request.cfg_scale, request.seed) == (21, "Euler a", 6.5, 9)
    assert (request.width, request.height, request.hires.scale) == (192, 256, 1.5)
    assert request.hires.denoising_strength == 0.5
    assert all("__type__" in value for value in filled[len(values) :])  # of a picture to start from nothing is said


@pytest.mark.parametrize(
    ("fields_of_it", "shown", "sentence"),
    [
        ("Denoising strength: 0.4", {"strength": "0.4"}, "painted over another picture"),
        (
            "Denoising strength: 0.55, Mask blur: 8, Inpaint area: Only masked, Masked area padding: 16",
            {"strength": "0.55", "Mask blur": "8", "Inpaint area": "Only masked", "Masked area padding": "16"},
            "draw the mask",
        ),
    ],
)
async def test_an_infotext_of_a_picture_painted_over_another_fills_its_fields(
    paint_tab, fields, fields_of_it, shown, sentence
):
    infotext = f"1girl\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 9, Size: 256x256, {fields_of_it}"
    _prompt, *filled, said = await paint_tab.fill(BROWSER, infotext)
    names = [name for name in START if name not in ("start", "mask", "resize_mode")]

    typed = dict(zip(names, filled[len(fields) + len(GRID) :], strict=True))
    assert shown == {name: text for name, text in typed.items() if text}
    assert sentence in said


async def test_a_text_that_is_no_infotext_changes_no_field(paint_tab):
    *values, said = await paint_tab.fill(BROWSER, "hello")

    assert "This is not an infotext" in said
    assert all("__type__" in value for value in values)


def test_what_is_not_set_is_shown_as_left_out(fields):
    shown = shown_options(fields, typed_options(fields, option_values(steps="9")))

    assert [value for value in shown if value] == ["9"]


async def test_an_infotext_is_painted_again(info_tab, executor):
    said = await info_tab.recreate(BROWSER, INFOTEXT)

    await eventually(lambda: executor.painting)
    (request,) = executor.painting.values()
    assert (request.seed, request.sampler) == (9, "Euler a")
    assert "queued" in said


@pytest.mark.parametrize("text", ["", "hello"])
async def test_nothing_is_painted_of_what_is_no_infotext(info_tab, executor, text):
    assert "Not charged." in await info_tab.recreate(BROWSER, text)
    assert not executor.painting


async def test_who_is_signed_out_paints_nothing(tmp_path, clock, executor):
    settings = make_settings(tmp_path, web={"port": 0, "always_sign_in": True})
    async with web_page(settings, clock, executor, build=plain_application) as page:
        tab = PaintTab(page.services, Visits(page.services), Uploads(), Languages.shipped(), "en")
        with gradio.Blocks() as blocks:
            tab.build(blocks)

        assert "You are signed out" in await tab.paint(BROWSER, "1girl", *with_values())
    assert not executor.painting


async def test_texts_are_in_the_pages_language(services):
    tab = PaintTab(services, Visits(services), Uploads(), Languages.shipped(), "ja")
    with gradio.Blocks() as page:
        tab.build(page)

    assert "プロンプトが空です" in await tab.paint(BROWSER, "", *with_values())


async def test_every_field_and_every_choice_is_in_the_pages_language(services):
    languages = Languages.shipped()
    tab = PaintTab(services, Visits(services), Uploads(), languages, "ja")
    with gradio.Blocks() as page:
        tab.build(page)
    shown = [each for each in page.blocks.values() if isinstance(each, gradio.Dropdown | gradio.Textbox) and each.label]
    texts = {each.label for each in shown}
    texts |= {text for each in shown if isinstance(each, gradio.Dropdown) for text, _value in each.choices}

    of_samplers = {*SAMPLER_CHOICES, *SCHEDULES, *UPSCALERS, *(languages.translator("ja")(name) for name in UPSCALERS)}
    english = {text for text in texts if text.isascii()} - of_samplers - {*HIRES_CHOICES, *services.settings.sizes}
    assert english <= {"CFG", "VAE", "LoRA"}


async def test_a_preset_is_saved_offered_and_painted_with(paint_tab, services, executor):
    *fields, said = await paint_tab.save(BROWSER, "mine", "", *with_values(steps="9", cfg="6.5"))
    await paint_tab.paint(BROWSER, "1girl", *with_values(preset="mine"))

    await eventually(lambda: executor.painting)
    (request,) = executor.painting.values()
    assert (request.steps, request.cfg_scale) == (9, 6.5)
    assert "Saved" in said
    assert ["mine"] == [preset.name for preset in await services.presets.usable(services.sign_in.local_user().actor)]
    assert ("mine", "mine") in [choice for field in fields for choice in field.choices]


@pytest.mark.parametrize(
    ("name", "values", "sentence"),
    [("", {"steps": "9"}, "preset name"), ("mine", {}, "nothing to save"), ("mine", {"steps": "0"}, "at least 1")],
)
async def test_a_preset_that_cannot_be_saved_is_one_sentence(paint_tab, services, name, values, sentence):
    *_fields, said = await paint_tab.save(BROWSER, name, "", *with_values(**values))

    assert sentence in said
    assert await services.presets.usable(services.sign_in.local_user().actor) == []


async def test_a_grid_is_painted_when_its_cost_was_answered_and_its_axes_are_filled_in_again(
    paint_tab, services, executor
):
    visitor = services.sign_in.local_user()
    before = await services.quotas.state(visitor.actor)

    asked = await paint_tab.paint(
        BROWSER, "1girl", *with_values(seed="5", count="4", x="steps", x_values="8-10", y="cfg", y_values="5, 7")
    )
    assert "That is 6 pictures and costs " in asked
    assert await services.quotas.state(visitor.actor) == before
    plan_id = re.search(r"/plans/(\w+)/yes", asked)[1]
    assert await answer(services, visitor, plan_id, said="yes", locale="en")

    await eventually(lambda: executor.painting)
    (request,) = executor.painting.values()
    infotext = f"1girl\nSteps: 8, Sampler: Euler a, Seed: 5, {grids.describe(request.grid)}"
    filled = await paint_tab.fill(BROWSER, infotext)
    assert (request.count, request.hires, request.grid.y.values) == (1, None, ("5", "7"))
    axes = filled.index("steps")
    assert filled[axes : axes + 4] == ["steps", "8, 9, 10", "cfg", "5, 7"]
    with pytest.raises(NotFoundError, match="answered already"):
        await answer(services, visitor, plan_id, said="yes", locale="en")


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"x": "steps", "x_values": "many"}, "'many' is neither a number nor a range"),
        ({"x": "steps", "x_values": "5", "y": "cfg"}, "The rows need both"),
        ({"x": "steps", "x_values": "5", "y": "steps", "y_values": "6"}, "Both axes change steps"),
        ({"x": "steps", "x_values": "1-50", "y": "cfg", "y_values": "1-20"}, "pictures"),
    ],
)
async def test_a_grid_that_cannot_be_painted_is_one_sentence(paint_tab, executor, values, sentence):
    said = await paint_tab.paint(BROWSER, "1girl", *with_values(**values))

    assert html.escape(sentence) in said
    assert "Not charged." in said
    assert not executor.painting


async def test_several_prompts_are_asked_about_and_no_paints_none(paint_tab, services, executor):
    asked = await paint_tab.paint(BROWSER, "1girl, {red,blue} hair", *with_values())
    plan_id = re.search(r"/plans/(\w+)/no", asked)[1]

    assert "That is 2 pictures" in asked
    assert not await answer(services, services.sign_in.local_user(), plan_id, said="no", locale="en")
    assert not executor.painting


async def test_a_far_too_large_picture_is_offered_smaller(paint_tab, services, executor):
    asked = await paint_tab.paint(BROWSER, "1girl", *with_values(size="448x640", hires="off"))
    plan_id = re.search(r"/plans/(\w+)/fit", asked)[1]
    await answer(services, services.sign_in.local_user(), plan_id, said="fit", locale="en")

    await eventually(lambda: executor.painting)
    (request,) = executor.painting.values()
    assert f"{request.width}x{request.height} fits it" in asked


async def test_a_plan_is_its_users_and_its_servers(paint_tab, services, executor):
    asked = await paint_tab.paint(BROWSER, "1girl", *with_values(x="steps", x_values="8-10"))
    plan_id = re.search(r"/plans/(\w+)/yes", asked)[1]
    own = services.sign_in.local_user()
    other = Visitor(name="kenji", actor=replace(own.actor, user_id=-77))
    elsewhere = Visitor(name="local", actor=replace(own.actor, guild_id=8))

    for visitor in (other, elsewhere):
        with pytest.raises(NotFoundError):
            await answer(services, visitor, plan_id, said="yes", locale="en")
    assert not executor.painting
    assert await answer(services, own, plan_id, said="yes", locale="en")


def picture(colour="white", size=(64, 96)):
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "PNG")
    return file.getvalue()


async def test_a_picture_with_a_mask_is_painted_over(paint_tab, services, uploads, executor):
    user_id = services.sign_in.local_user().actor.user_id
    start, mask = uploads.keep(user_id, picture()), uploads.keep(user_id, picture("black"))
    fields = {"Mask blur": "9", "Inpaint area": "Only masked", "Masked content": "latent noise"}

    said = await paint_tab.paint(
        BROWSER, "1girl", *with_values(start=start, mask=mask, strength="0.5", resize_mode="Crop and resize", **fields)
    )

    await eventually(lambda: executor.painting)
    (request,) = executor.painting.values()
    init = request.init
    assert said == ""
    assert (init.denoising_strength, init.resize_mode, request.hires) == (0.5, "Crop and resize", None)
    assert (init.mask.blur_x, init.mask.only_masked, init.mask.filling) == (9, True, "latent noise")
    assert (request.width, request.height) == (64, 96)


@pytest.mark.parametrize(("mask", "blur"), [("", None), ("a mask", 9)])
async def test_what_is_set_counts_beside_a_picture_or_a_mask_alone(paint_tab, services, uploads, executor, mask, blur):
    user_id = services.sign_in.local_user().actor.user_id
    values = {"Mask blur": "9", "strength": "0.3"}
    assert await paint_tab.paint(BROWSER, "1girl", *with_values(**values)) == ""
    token = uploads.keep(user_id, picture("black")) if mask else ""
    start = uploads.keep(user_id, picture())
    assert await paint_tab.paint(BROWSER, "1boy", *with_values(start=start, mask=token, **values)) == ""

    await eventually(lambda: len(executor.painting) == 2)
    requests = {request.prompt: request for request in executor.painting.values()}
    init = requests["1boy"].init
    assert requests["1girl"].init is None
    assert (init.mask and init.mask.blur_x) == blur


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"start": "unknown"}, "no longer here: choose it again"),
        ({"strength": "7"}, "'7' is not a valid strength"),
        ({"Img2img upscaler": "no such"}, "no such"),
    ],
)
async def test_a_picture_that_cannot_be_painted_over_is_one_sentence(
    paint_tab, services, uploads, executor, values, sentence
):
    start = uploads.keep(services.sign_in.local_user().actor.user_id, picture())

    said = await paint_tab.paint(BROWSER, "1girl", *with_values(**{"start": start, **values}))

    assert html.escape(sentence) in said
    assert not executor.painting


async def test_no_user_paints_over_what_another_has_uploaded(paint_tab, uploads, executor):
    start = uploads.keep(-77, picture())

    assert "no longer here" in await paint_tab.paint(BROWSER, "1girl", *with_values(start=start))
    assert not executor.painting


def test_uploads_are_few_and_the_newest_stay():
    uploads = Uploads(per_user=2, most_bytes=10)
    first, second, third = (uploads.keep(7, b"1234") for _ in range(3))
    other = uploads.keep(8, b"1234")

    for token, user_id in ((first, 7), (second, 7), (other, 7)):
        with pytest.raises(NotFoundError):
            uploads.get(user_id, token)
    assert (uploads.get(7, third), uploads.get(8, other)) == (b"1234", b"1234")
    uploads.forget(8)
    with pytest.raises(NotFoundError):
        uploads.get(8, other)
