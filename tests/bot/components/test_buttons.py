import discord
import pytest
from helpers.studio import fields, job_of, labels
from helpers.support import eventually

from pastelbot.records import Actor, JobStatus, PaintingFailed


@pytest.fixture
async def painted(studio):
    """Return the message of a finished picture of Hana's."""
    await studio.imagine("1girl, red hair", negative="lowres", seed=7, steps=9, size="portrait")
    return await studio.finish()


@pytest.fixture
def request_of(studio):
    async def request_of(message):
        return (await studio.jobs.get(job_of(message))).request

    return request_of


async def test_reroll_paints_the_same_with_another_seed(studio, painted, request_of):
    result = await studio.hana.click(painted, label="Reroll")
    again = await studio.finish()

    first, second = await request_of(painted), await request_of(again)
    assert result.response.id == again.id != painted.id
    assert first.seed != second.seed
    assert first == second.replace(seed=7)
    assert again.content.startswith(f"**1girl, red hair** · {studio.hana.mention} (reroll)\n-# seed {second.seed}")


async def test_seed_asks_for_one_and_keeps_everything_else(studio, painted, request_of):
    form = await studio.more(studio.hana, painted, "Seed")
    assert fields(form.modal) == {"seed": "7"}

    await studio.hana.submit_modal(form, {"seed": " 4294967295 "})
    again = await studio.finish()

    assert (await request_of(painted)).replace(seed=4294967295) == await request_of(again)


@pytest.mark.parametrize("typed", ["", "-1"])
async def test_no_seed_is_a_random_one(studio, painted, request_of, typed):
    form = await studio.more(studio.hana, painted, "Seed")
    await studio.hana.submit_modal(form, {"seed": typed})
    again = await studio.finish()

    assert (await request_of(again)).seed != 7


@pytest.mark.parametrize("typed", ["seven", "4294967296", "-2", "1.5", "٣"])
async def test_what_is_no_seed_is_refused_privately_and_free(studio, painted, typed):
    form = await studio.more(studio.hana, painted, "Seed")
    result = await studio.hana.submit_modal(form, {"seed": typed})

    assert result.response.ephemeral
    assert "is not a seed: type a whole number from 0 to 4294967295" in result.response.content
    assert result.response.content.endswith("Not charged.")
    assert await studio.charged(studio.hana) == 1


async def test_edit_is_prefilled_and_paints_what_was_changed(studio, painted, request_of):
    form = await studio.hana.click(painted, label="Edit")
    assert fields(form.modal) == {"prompt": "1girl, red hair", "negative": "lowres", "seed": "7"}

    await studio.hana.submit_modal(form, {"prompt": "1girl, blue hair", "negative": "", "seed": "8"})
    again = await studio.finish()

    expected = (await request_of(painted)).replace(prompt="1girl, blue hair", negative_prompt="", seed=8)
    assert expected == await request_of(again)
    assert again.content.startswith("**1girl, blue hair** · ")


async def test_the_longest_prompt_can_be_edited(studio):
    await studio.imagine("a" * 4000, negative="b" * 4000)
    message = await studio.finish()
    form = await studio.hana.click(message, label="Edit")

    assert fields(form.modal)["prompt"] == "a" * 4000
    assert fields(form.modal)["negative"] == "b" * 4000


async def test_an_edit_that_cannot_be_painted_is_refused(studio, painted):
    form = await studio.hana.click(painted, label="Edit")
    result = await studio.hana.submit_modal(form, {"prompt": "(1girl:1.2.3)", "negative": "", "seed": "8"})

    assert result.response.ephemeral
    assert "The prompt cannot be read" in result.response.content
    assert await studio.charged(studio.hana) == 1


async def test_the_user_who_clicks_is_charged_and_named(studio, painted):
    await studio.kenji.click(painted, label="Reroll")
    again = await studio.finish()

    assert f" · {studio.kenji.mention} (reroll)" in again.content
    assert await studio.charged(studio.kenji) == 1
    assert await studio.charged(studio.hana) == 1


async def test_cancel_while_waiting_is_free_and_lets_the_next_one_up(open_studio):
    studio = await open_studio(worker={"jobs_at_once": 1})
    await studio.imagine("first")
    await studio.painting()
    waiting = await studio.imagine("second", by=studio.kenji)
    last = await studio.imagine("third", by=studio.mod)
    await studio.kenji.click(waiting.response, label="Cancel")
    message = await studio.says("**Cancelled**, not charged.", waiting.response.id)

    assert ["Reroll", "Edit", "Delete"] == labels(message)
    assert await studio.used(studio.kenji) == 0
    await studio.says("2nd in line", last.response.id)


async def test_cancel_while_painting_is_free_and_the_worker_hears_of_it(studio):
    result = await studio.imagine()
    (job_id,) = await studio.painting()
    await studio.hana.click(result.response, label="Cancel")
    await studio.says("**Cancelled**", result.response.id)

    assert studio.executor.painting == {}
    assert (await studio.jobs.get(job_id)).status == JobStatus.CANCELLED
    assert await studio.used(studio.hana) == 0


async def test_a_step_reported_after_cancel_does_not_bring_the_job_back(studio):
    result = await studio.imagine()
    (job_id,) = await studio.painting()
    await studio.hana.click(result.response, label="Cancel")
    await studio.says("**Cancelled**", result.response.id)
    studio.executor.progress(job_id, 20, 40)
    await studio.imagine("next")
    await studio.painting()

    assert "**Cancelled**" in studio.message(result.response.id).content


async def test_others_may_not_cancel_but_moderators_may(studio):
    result = await studio.imagine()
    refused = await studio.kenji.click(result.response, label="Cancel")
    assert refused.response.ephemeral
    assert "owner and moderators" in refused.response.content

    await studio.mod.click(result.response, label="Cancel")
    await studio.says("**Cancelled**", result.response.id)

    assert await studio.used(studio.hana) == 0


@pytest.mark.parametrize(
    ("ended", "text"),
    [
        (False, "There is nothing left to cancel: it is painted already, and charged."),
        (True, "There is nothing left to cancel: it has ended already. Not charged."),
    ],
)
async def test_cancel_that_comes_too_late_says_what_it_cost(studio, ended, text):
    """The button is gone by then, but a user's screen may be behind."""
    result = await studio.imagine()
    (job_id,) = await studio.painting()
    if ended:
        await studio.service.cancel(job_id, Actor(user_id=studio.hana.id))
    else:
        studio.executor.finish(job_id)
        await studio.status(job_id, JobStatus.DONE)
    late = await click_id(studio, studio.hana, result.response.message, f"pb:cancel:{job_id}")

    assert late.response.ephemeral
    assert late.response.content == f"⚠️ {text}"


def panels_of(studio, person):
    """Return the private messages with buttons that a person has before them."""
    stored = studio.env.backend.messages[studio.channel.id].values()
    return [each for each in stored if each.is_ephemeral and each.visible_to(person.id) and each.components]


async def test_a_panel_that_is_opened_again_replaces_the_one_before(studio, painted):
    others = await studio.kenji.click(painted, label="More")
    await studio.hana.click(painted, label="More")
    await studio.hana.click(painted, label="Vary")
    shown = await studio.hana.click(painted, label="More")

    assert [shown.response.id] == [each.id for each in panels_of(studio, studio.hana)]
    assert [others.response.id] == [each.id for each in panels_of(studio, studio.kenji)]


async def test_a_panel_that_discord_lets_no_bot_touch_any_more_stays(studio, painted, monkeypatch):
    await studio.hana.click(painted, label="More")
    monkeypatch.setattr(discord.Interaction, "is_expired", lambda _interaction: True)
    await studio.hana.click(painted, label="More")

    assert 2 == len(panels_of(studio, studio.hana))


async def test_a_panel_that_was_answered_is_not_missed(studio, painted):
    await studio.more(studio.hana, painted, "Seed")
    shown = await studio.hana.click(painted, label="More")

    assert [shown.response.id] == [each.id for each in panels_of(studio, studio.hana)]


async def test_delete_removes_message_and_files_and_stays_charged(studio, painted):
    job_id = job_of(painted)
    ((_, path),) = await studio.service.pictures(job_id)
    await studio.more(studio.hana, painted, "Delete")

    await eventually(lambda: studio.message(painted.id) is None)
    assert not path.parent.exists()
    assert await studio.service.pictures(job_id) == []
    assert await studio.charged(studio.hana) == 1


async def test_a_message_that_discord_did_not_delete_goes_after_a_restart(studio, painted):
    studio.env.inject_error("DELETE", "*/messages/*", status=400, times=None)
    await studio.more(studio.hana, painted, "Delete")
    kept = studio.message(painted.id)
    await studio.kill()
    studio.env.backend.faults.clear()
    await studio.restart()
    studio.bot.posts.wake()

    assert kept is not None
    await eventually(lambda: studio.message(painted.id) is None)


async def test_moderators_may_delete_and_others_may_not(studio, painted):
    refused = await studio.old_button(studio.kenji, painted, "delete")
    assert refused.response.ephemeral
    assert "another user's picture" in refused.response.content
    assert studio.message(painted.id) is not None

    asked = await studio.more(studio.mod, painted, "Delete")
    assert asked.response.content == f"This is {studio.hana.mention}'s picture. Delete it for all, with its message?"
    assert studio.message(painted.id) is not None
    await studio.mod.click(asked.response, label="Delete for all")
    await eventually(lambda: studio.message(painted.id) is None)


async def test_a_cancelled_job_can_be_deleted(studio):
    result = await studio.imagine()
    await studio.hana.click(result.response, label="Cancel")
    message = await studio.says("**Cancelled**", result.response.id)
    await studio.hana.click(message, label="Delete")

    assert studio.messages == []


async def test_a_failed_job_says_why_is_free_and_can_be_tried_again(studio):
    result = await studio.imagine()
    (job_id,) = await studio.painting()
    studio.executor.emit(PaintingFailed(job_id=job_id, reason="The latents became NaN at step 3."))
    message = await studio.says("The latents became NaN at step 3.\nNot charged.", result.response.id)

    assert ["Reroll", "Edit", "Delete"] == labels(message)
    assert await studio.used(studio.hana) == 0
    await studio.hana.click(message, label="Reroll")
    await studio.painting(2)


@pytest.mark.parametrize("verb", ["reroll", "seed", "edit", "delete", "cancel"])
async def test_a_button_of_an_unknown_job_is_answered(studio, painted, verb):
    result = await click_id(studio, studio.hana, painted, f"pb:{verb}:000000000000")

    assert result.response.ephemeral
    assert "no longer known" in result.response.content


async def test_buttons_work_after_a_restart(studio, painted, request_of):
    await studio.bot.close()
    await studio.restart()
    await studio.kenji.click(painted, label="Reroll")
    again = await studio.finish()
    form = await studio.hana.click(painted, label="Edit")
    await studio.more(studio.hana, painted, "Delete")

    assert (await request_of(again)).replace(seed=7) == await request_of_job(studio, painted)
    assert fields(form.modal)["prompt"] == "1girl, red hair"
    await eventually(lambda: studio.message(painted.id) is None)


async def test_a_waiting_job_can_be_cancelled_after_a_restart(studio):
    result = await studio.imagine()
    await studio.painting()
    await studio.bot.close()
    await studio.restart()
    await studio.hana.click(result.response, label="Cancel")
    await studio.says("**Cancelled**", result.response.id)

    assert await studio.used(studio.hana) == 0


async def request_of_job(studio, message):
    return (await studio.jobs.get(job_of(message))).request


async def click_id(studio, person, message, custom_id):
    """Click a button that is no longer on the message, or never was."""
    stored = studio.env.backend.get_message(studio.channel.id, message.id)
    kept, stored.components = (
        stored.components,
        [{"type": 1, "components": [{"type": 2, "style": 2, "label": "?", "custom_id": custom_id}]}],
    )
    try:
        return await person.click(message, custom_id=custom_id)
    finally:
        stored.components = kept


async def test_an_author_is_told_when_a_moderator_deletes(studio, painted):
    asked = await studio.more(studio.mod, painted, "Delete")
    await studio.mod.click(asked.response, label="Delete for all")
    await eventually(lambda: studio.hana.user.dm_channel and studio.hana.user.dm_channel.history())
    (told,) = studio.hana.user.dm_channel.history()

    assert told.content == "A moderator of Pastel SimulatedServer deleted your picture.\n> 1girl, red hair"


async def test_who_deletes_a_picture_of_their_own_is_told_nothing(studio, painted):
    await studio.more(studio.hana, painted, "Delete")
    await eventually(lambda: studio.message(painted.id) is None)

    assert studio.hana.user.dm_channel.history() == []
