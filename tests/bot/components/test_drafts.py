"""What was refused can be changed: a button opens a form with all that was typed."""

import pytest
from discord import Permissions
from helpers.simulator import restrict_channels
from helpers.support import png

from pastelbot.errors import NotFoundError


def labels_of(answer):
    return [button["label"] for row in answer.components for button in row["components"]]


def fields(modal):
    return {label["component"]["custom_id"]: label["component"].get("value", "") for label in modal["components"]}


@pytest.fixture
def edited(studio):
    """Presses Edit under a refusal, and sends the form with some texts changed; returns the answer."""

    async def edit(refused, by=None, **texts):
        assert labels_of(refused.response) == ["Edit"]
        form = await (by or studio.hana).click(refused.response, label="Edit")
        return await studio.hana.submit_modal(form, {**fields(form.modal), **texts})

    return edit


@pytest.fixture
def painted(studio):
    """Returns the request that is painted now."""

    async def request():
        (job_id,) = await studio.painting()
        return (await studio.jobs.get(job_id)).request

    return request


async def test_a_refused_command_opens_as_a_form_with_everything_typed(studio, edited, painted):
    typed = {"negative": "hat", "size": "landscape", "seed": 5, "hires": "off", "count": 2, "sampler": "Euler a"}
    refused = await studio.imagine("1girl, smile --sede 5", **typed, style=True)
    form = await studio.hana.click(refused.response, label="Edit")

    assert fields(form.modal) == {
        "prompt": "1girl, smile --sede 5",
        "negative": "hat",
        "flags": '--size landscape --seed 5 --hires off --count 2 --sampler "Euler a" --style',
    }
    await edited(refused, prompt="1girl, smile")
    request = await painted()
    assert (request.seed, request.count, request.sampler, request.hires) == (5, 2, "Euler a", None)
    assert request.width > request.height
    assert request.negative_prompt == "hat"


@pytest.mark.parametrize(
    ("options", "corrected"),
    [
        ({"size": "poster"}, {"flags": "--size 64x128"}),
        ({"steps": 61}, {"flags": "--steps 12"}),
        ({"lora": ">"}, {"flags": ""}),
        ({"preset": "mine"}, {"flags": ""}),
        ({"previous": "nothing"}, {"previous": ""}),
        ({"strength": 0.5}, {"flags": ""}),
        ({"prompt": "1girl, {red,blue"}, {"prompt": "1girl, red"}),
    ],
)
async def test_every_kind_of_refusal_can_be_corrected(studio, edited, painted, options, corrected):
    await edited(await studio.imagine(**{"prompt": "1girl", **options}), **corrected)

    assert (await painted()).prompt.startswith("1girl")


async def test_a_picture_to_start_from_is_kept(studio, edited, painted):
    refused = await studio.imagine("1girl --sede 5", init=("a.png", png(size=(64, 64))))
    await edited(refused, prompt="1girl")

    assert (await painted()).init is not None


async def test_what_is_wrong_again_can_be_edited_again(studio, edited, painted):
    refused = await studio.imagine("1girl --sede 5", seed=7)
    again = await edited(refused, prompt="2girls --sede 5", flags="--seed 8")
    form = await studio.hana.click(again.response, label="Edit")
    assert fields(form.modal) == {"prompt": "2girls --sede 5", "negative": "", "flags": "--seed 8"}
    await edited(again, prompt="2girls")

    request = await painted()
    assert (request.prompt, request.seed) == ("2girls", 8)


async def test_a_grid_keeps_its_axes(studio, edited):
    axes = {"x": "cfg", "x_values": "2, many", "y": "seed", "y_values": "1-2"}
    refused = await studio.hana.slash(studio.channel, "grid", prompt="1girl", hires="on", **axes)
    asked = await edited(refused, x_values="2, 7")

    assert "4 pictures" in asked.response.content
    await studio.hana.click(asked.response, label="Paint")
    (job_id,) = await studio.painting()
    request = (await studio.jobs.get(job_id)).request
    assert request.grid.x.values == ("2", "7")
    assert request.hires is not None


async def test_a_refused_form_can_be_edited(studio, edited, painted):
    await studio.imagine("1girl", seed=7, hires="off")
    message = await studio.finish()
    form = await studio.hana.click(message, label="Edit")
    typed = {"prompt": "2girls --sede 5", "negative": "hat", "seed": "9", "sampler": ["Euler a"], "hires": ["2x"]}
    refused = await studio.hana.submit_modal(form, typed)
    await edited(refused, prompt="2girls")

    request = await painted()
    assert (request.prompt, request.negative_prompt, request.seed, request.sampler) == ("2girls", "hat", 9, "Euler a")
    assert request.hires.scale == 2


async def test_a_form_is_opened_by_who_typed_it_and_not_after_a_restart(studio):
    refused = await studio.imagine("1girl --sede 5")
    number = refused.response.components[0]["components"][0]["custom_id"].rpartition(":")[2]
    assert studio.bot.drafts.get(number, studio.hana.id).prompt == "1girl --sede 5"
    with pytest.raises(NotFoundError):
        studio.bot.drafts.get(number, studio.kenji.id)
    await studio.bot.close()
    await studio.restart()
    late = await studio.hana.click(refused.response, label="Edit")

    assert "type it again" in late.response.content


async def test_a_word_that_is_not_allowed_can_be_taken_out(studio, edited, painted, monkeypatch):
    restrict_channels(monkeypatch, restricted=False)
    await edited(await studio.imagine("1girl, nude"), prompt="1girl")

    assert (await painted()).prompt == "1girl"


async def test_who_may_not_paint_is_offered_no_form(studio):
    role = studio.guild.create_role("bosses", permissions=Permissions(manage_guild=True))
    boss = studio.guild.add_member(studio.env.create_user("boss"), roles=[role])
    await boss.slash(studio.channel, "admin block", member=studio.hana)
    refused = await studio.imagine("1girl")

    assert labels_of(refused.response) == []


async def test_what_was_no_prompt_has_no_form(studio):
    unknown = await studio.hana.slash(studio.channel, "help", command="nonsense")

    assert labels_of(unknown.response) == []
