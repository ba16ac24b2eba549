import asyncio
import io
import random
import shutil

import aiohttp
import discord
import pytest
from helpers.fake_executors import FakeExecutor
from helpers.studio import job_of
from helpers.support import eventually
from PIL import Image

from pastelbot.records import JobStatus, Painted, Picture

MESSAGE = "/channels/*/messages/*"
MESSAGES = "/channels/*/messages"
CALLBACK = "/interactions/*/callback"


async def test_progress_is_shown_seldom_and_only_the_newest(open_studio):
    studio = await open_studio(discord={"edit_seconds": 0.15})
    result = await studio.imagine()
    (job_id,) = await studio.painting()
    for step in range(1, 41):
        studio.executor.progress(job_id, step, 40)
        await asyncio.sleep(0)
    await studio.says("100%", result.response.id)

    assert len(studio.edits()) == 1


async def test_a_picture_does_not_wait_for_the_pause_between_edits(open_studio):
    studio = await open_studio(discord={"edit_seconds": 3600})
    await studio.imagine()
    (job_id,) = await studio.painting()
    studio.executor.progress(job_id, 20, 40)
    message = await studio.finish()

    assert message.attachments
    assert len(studio.edits()) == 1


async def test_an_unchanged_message_is_not_edited(studio):
    await studio.imagine()
    (job_id,) = await studio.painting()
    for _ in range(3):
        studio.executor.progress(job_id, 20, 40)
        await studio.says("20%")
    await studio.finish()

    assert len([edit for edit in studio.edits() if "20%" in edit["content"]]) == 1


async def test_a_picture_is_sent_again_until_discord_has_it(studio):
    result = await studio.imagine()
    await studio.painting()
    studio.env.inject_error("PATCH", MESSAGE, times=3)
    message = await studio.finish()

    assert message.id == result.response.id
    assert len(message.attachments) == 1
    assert len(studio.edits()) == 4
    assert len(studio.messages) == 1


@pytest.mark.parametrize(
    "error", [aiohttp.ServerDisconnectedError(), OSError("unreachable"), TimeoutError(), KeyError()]
)
async def test_no_kind_of_error_loses_a_picture(studio, monkeypatch, error):
    whole, failures = discord.PartialMessage.edit, []

    async def failing(message, **changes):
        if len(failures) < 2:
            failures.append(error)
            raise error
        return await whole(message, **changes)

    await studio.imagine()
    await studio.painting()
    monkeypatch.setattr(discord.PartialMessage, "edit", failing)

    assert (await studio.finish()).attachments
    assert len(failures) == 2


async def test_a_job_is_settled_only_when_discord_has_the_picture(studio):
    await studio.imagine()
    (job_id,) = await studio.painting()
    studio.env.inject_error("PATCH", MESSAGE, times=None)
    studio.executor.finish(job_id)
    await eventually(lambda: len(studio.edits()) > 2)

    assert (await studio.jobs.get(job_id)).status == JobStatus.RENDERED
    studio.env.backend.faults.clear()
    await studio.status(job_id, JobStatus.DONE)


async def test_a_lost_progress_is_replaced_by_the_next(studio):
    result = await studio.imagine()
    (job_id,) = await studio.painting()
    studio.env.inject_error("PATCH", MESSAGE)
    studio.executor.progress(job_id, 10, 40)
    await eventually(studio.edits)
    studio.executor.progress(job_id, 30, 40)

    await studio.says("60%", result.response.id)


async def test_the_picture_comes_in_a_new_message_where_the_old_one_was_deleted(studio):
    first = (await studio.imagine(seed=7)).response
    await studio.painting()
    studio.clock.advance(seconds=61)
    await studio.mod.delete(first)
    message = await studio.finish()

    assert [message.id] == [shown.id for shown in studio.messages]
    assert message.id != first.id
    assert message.attachments[0].filename == "pastelbot-7.png"
    assert job_of(message)
    (sent,) = studio.sent("messages", "POST")
    assert sent["allowed_mentions"]["users"] == [studio.hana.id]
    assert (sent["enforce_nonce"], len(sent["nonce"]) <= 25) == (True, True)


async def test_a_short_wait_ends_without_a_mention(studio):
    """The owner's name is there, but no message tells them, not even a new one."""
    first = (await studio.imagine()).response
    await studio.painting()
    studio.clock.advance(seconds=60)
    await studio.mod.delete(first)
    message = await studio.finish()

    assert message.content.startswith(f"**1girl, red hair** · {studio.hana.mention}\n")
    assert [message.id] == [shown.id for shown in studio.messages]
    assert all(not body.get("allowed_mentions", {}).get("users") for body in studio.sent("messages"))
    assert all(body["allowed_mentions"] == {"parse": []} for body in studio.sent("messages"))


async def test_a_user_who_waited_long_is_mentioned_once_in_a_reply_to_the_picture(open_studio):
    """Discord tells people of new messages, never of edits."""
    studio = await open_studio(discord={"mention_after_seconds": 20})
    first = (await studio.imagine()).response
    await studio.painting()
    studio.clock.advance(seconds=21)
    message = await studio.finish()
    await eventually(lambda: len(studio.messages) == 2)

    assert message.id == first.id
    (sent,) = studio.sent("messages", "POST")
    assert sent["content"] == f"{studio.hana.mention} Your picture is ready."
    assert sent["allowed_mentions"]["users"] == [studio.hana.id]
    assert not sent["allowed_mentions"].get("replied_user")
    assert int(sent["message_reference"]["message_id"]) == message.id
    assert all("users" not in edit["allowed_mentions"] for edit in studio.edits())


async def test_a_mention_that_cannot_be_sent_fails_nothing(studio):
    await studio.imagine()
    await studio.painting()
    studio.clock.advance(seconds=3600)
    studio.env.inject_error("POST", MESSAGES, status=403, code=50013)

    assert (await studio.finish()).attachments


async def test_the_expected_time_is_shown_once_it_is_known(open_studio):
    """The pace is measured on the first job and outlives a restart."""
    studio = await open_studio(worker={"jobs_at_once": 1})
    first = await studio.imagine()
    assert "ready" not in first.response.content
    await studio.painting()
    studio.clock.advance(seconds=100)
    await studio.finish()
    await studio.bot.close()
    await studio.restart()
    start = int(studio.clock().timestamp())
    second = await studio.imagine()
    third = await studio.imagine(by=studio.kenji)

    assert f"**Queued**, 1st in line, ready <t:{start + 100}:R>\n" in second.response.content
    assert f"**Queued**, 2nd in line, ready <t:{start + 200}:R>\n" in third.response.content
    await studio.painting()
    studio.clock.advance(seconds=150)
    await studio.finish()
    await studio.painting()


async def test_place_and_time_stay_true_as_the_queue_moves(open_studio):
    studio = await open_studio(worker={"jobs_at_once": 1})
    await studio.imagine()
    await studio.painting()
    studio.clock.advance(seconds=100)
    await studio.finish()
    running = await studio.imagine()
    await studio.painting()
    ahead = await studio.imagine(by=studio.mod)
    last = await studio.imagine(by=studio.kenji)
    start = int(studio.clock().timestamp())
    assert f"3rd in line, ready <t:{start + 300}:R>" in last.response.content
    await studio.mod.click(ahead.response, label="Cancel")

    await studio.says(f"2nd in line, ready <t:{start + 200}:R>", last.response.id)
    await studio.hana.click(running.response, label="Cancel")
    await studio.painting()


async def test_a_message_too_old_to_be_edited_is_replaced(studio):
    result = await studio.imagine()
    await studio.painting()
    studio.env.inject_error("PATCH", MESSAGE, status=429, code=30046)
    message = await studio.finish()

    assert message.id != result.response.id
    assert message.attachments


async def test_a_thread_that_was_archived_meanwhile_gets_the_picture_in_a_new_message(studio):
    """Discord takes no edits in an archived thread, but a new message opens it again."""
    result = await studio.imagine()
    await studio.painting()
    studio.env.inject_error("PATCH", MESSAGE, status=400, code=50083, times=None)
    message = await studio.finish()

    assert message.id != result.response.id
    assert message.attachments


@pytest.mark.parametrize("code", [50083, 160005])
async def test_a_thread_that_was_closed_meanwhile_fails_the_job_and_refunds_it(studio, code):
    await studio.imagine()
    (job_id,) = await studio.painting()
    studio.env.inject_error("PATCH", MESSAGE, status=400, code=50083, times=None)
    studio.env.inject_error("POST", MESSAGES, status=400, code=code, times=None)
    studio.executor.finish(job_id)
    await studio.status(job_id, JobStatus.FAILED)

    assert await studio.used(studio.hana) == 0
    studio.env.backend.faults.clear()


async def test_progress_of_a_deleted_message_is_not_shown_anywhere_else(studio):
    result = await studio.imagine()
    (job_id,) = await studio.painting()
    await studio.mod.delete(result.response)
    studio.executor.progress(job_id, 10, 40)
    await eventually(studio.edits)

    assert studio.messages == []


async def test_a_picture_that_may_not_be_posted_fails_and_is_refunded(studio):
    result = await studio.imagine()
    (job_id,) = await studio.painting()
    studio.env.inject_error("PATCH", MESSAGE, status=403, code=50013)
    studio.executor.finish(job_id)
    await studio.status(job_id, JobStatus.FAILED)

    assert await studio.used(studio.hana) == 0
    await studio.says("the bot may no longer post in this channel\nNot charged.", result.response.id)


async def test_a_channel_that_is_gone_ends_the_job_and_is_not_asked_for_ever(studio):
    await studio.imagine()
    (job_id,) = await studio.painting()
    for method, path in (("PATCH", MESSAGE), ("POST", MESSAGES)):
        studio.env.inject_error(method, path, status=404, code=10003, times=None)
    studio.executor.finish(job_id)
    await studio.status(job_id, JobStatus.FAILED)
    await eventually(lambda: len(studio.edits()) == 2 and not studio.bot.messages.pending)
    await asyncio.sleep(0.1)

    assert await studio.used(studio.hana) == 0
    assert len(studio.edits()) == 2


async def test_a_message_that_discord_calls_wrong_again_and_again_is_given_up_and_refunded(studio):
    await studio.imagine()
    (job_id,) = await studio.painting()
    studio.env.inject_error("PATCH", MESSAGE, status=400, code=50035, times=None)
    studio.executor.finish(job_id)
    await studio.status(job_id, JobStatus.FAILED)
    await eventually(lambda: not studio.bot.messages.pending)

    assert "Discord does not take its message" in (await studio.jobs.get(job_id)).reason
    assert await studio.charged() == 0


_MANY = 10**6


def remove(pictures):
    shutil.rmtree(pictures)


def tear(pictures):
    """Leave what a power cut may leave of a file that was not synced."""
    (path,) = pictures.rglob("*.png")
    path.write_bytes(bytes(path.stat().st_size))


async def lose_the_picture(studio, lose):
    """Finish the job while Discord takes nothing, and damage its picture meanwhile."""
    (job_id,) = await studio.painting()
    # The library itself repeats a 500 with the bytes that it has; after a 503 the bot reads the file again.
    studio.env.inject_error("PATCH", MESSAGE, status=503, times=_MANY)
    (fault,) = studio.env.backend.faults
    studio.executor.finish(job_id)
    await studio.status(job_id, JobStatus.RENDERED)
    left = fault["times"]
    await eventually(lambda: fault["times"] < left)
    lose(studio.settings.storage.pictures)
    studio.env.backend.faults.clear()
    return job_id


@pytest.mark.parametrize("lose", [remove, tear])
async def test_a_picture_that_is_lost_on_the_disk_is_painted_again(studio, lose):
    result = await studio.imagine()
    job_id = await lose_the_picture(studio, lose)

    message = await studio.finish()

    assert (message.id, job_of(message)) == (result.response.id, job_id)
    (stored,) = await studio.jobs.pictures(job_id)
    assert (studio.settings.storage.pictures / stored.file).stat().st_size == stored.size


async def test_a_picture_that_is_lost_on_the_disk_twice_is_refunded(studio):
    result = await studio.imagine()
    for lose in (tear, remove):
        await lose_the_picture(studio, lose)

    await studio.says("its picture has vanished from the disk\nNot charged.", result.response.id)
    assert await studio.used(studio.hana) == 0


@pytest.mark.parametrize(("status", "code"), [(404, 10062), (401, 50027), (500, 0)])
async def test_an_interaction_that_cannot_be_answered_loses_no_job(studio, status, code):
    studio.env.inject_error("POST", CALLBACK, status=status, code=code)
    result = await studio.imagine()
    waiting = await studio.says("**Queued**, 1st in line")
    message = await studio.finish()

    assert result.response is None
    assert waiting.id == message.id
    assert len(studio.messages) == 1


async def test_a_job_without_any_message_gets_one_with_its_picture(studio):
    studio.env.inject_error("POST", CALLBACK, status=404, code=10062)
    studio.env.inject_error("POST", MESSAGES, status=500)
    await studio.imagine()
    await studio.painting()
    assert studio.messages == []

    assert (await studio.finish()).attachments
    assert len(studio.messages) == 1


async def test_a_job_that_cannot_be_shown_anywhere_is_ended_and_refunded(studio):
    studio.env.inject_error("POST", CALLBACK, status=404, code=10062)
    studio.env.inject_error("POST", MESSAGES, status=403, code=50001)
    await studio.imagine()

    async def refunded():
        return await studio.used(studio.hana) == 0

    await eventually(refunded)
    await eventually(lambda: studio.executor.painting == {})


async def test_a_picture_that_is_there_before_the_message_is_posted_once(open_studio, monkeypatch):
    """The answer to the interaction comes late: the worker was quicker than the database."""
    studio = await open_studio(executor=FakeExecutor(instant=True))
    submit = studio.service.submit

    async def slow(*args, **named):
        (queued,) = await submit(*args, **named)
        await studio.status(queued.job.id, JobStatus.DONE)
        return [queued]

    monkeypatch.setattr(studio.service, "submit", slow)
    result = await studio.imagine()

    assert result.response.ephemeral
    (message,) = studio.messages
    assert message.attachments


async def test_a_picture_that_discord_finds_too_large_is_sent_smaller(studio):
    await studio.imagine(seed=7)
    (job_id,) = await studio.painting()
    studio.env.inject_error("PATCH", MESSAGE, status=413, code=40005)
    emit_noise(studio.executor, job_id, 1500)
    await studio.status(job_id, JobStatus.DONE)

    (attachment,) = (await studio.message_of(job_id)).attachments
    assert attachment.filename == "pastelbot-7.webp"
    assert attachment.size <= 5 * 2**20


TOO_LARGE = pytest.mark.parametrize(("status", "code"), [(413, 0), (413, 40005), (400, 40005)])
FORMS = ["png", "lossless", "lossy", "lossy", "lossy"]


@TOO_LARGE
@pytest.mark.parametrize("times", range(5))
async def test_a_picture_is_made_smaller_until_discord_takes_it(studio, monkeypatch, status, code, times):
    """V24: PNG, then lossless WebP, then WebP of three qualities."""
    forms = forms_sent(monkeypatch)
    await studio.imagine()
    await studio.painting()
    if times:
        studio.env.inject_error("PATCH", MESSAGE, status=status, code=code, times=times)
    message = await studio.finish()

    assert len(message.attachments) == 1
    assert forms == FORMS[: times + 1]
    assert await studio.charged() == 1


@TOO_LARGE
async def test_a_picture_that_stays_too_large_fails_and_is_refunded(studio, monkeypatch, status, code):
    """V24: after the smallest form nothing is tried any longer."""
    forms = forms_sent(monkeypatch)
    result = await studio.imagine()
    (job_id,) = await studio.painting()
    studio.env.inject_error("PATCH", MESSAGE, status=status, code=code, times=5)
    studio.executor.finish(job_id)
    await studio.status(job_id, JobStatus.FAILED)
    message = await studio.says("too large, as small as it can be made\nNot charged.", result.response.id)

    assert forms == FORMS
    assert message.attachments == []
    assert await studio.charged() == 0


def forms_sent(monkeypatch):
    """Return a list that grows by the form of each file that an edit sends."""
    forms, edit = [], discord.PartialMessage.edit

    async def watched(message, **changes):
        for file in changes["attachments"]:
            forms.append(form_of(file.fp.read()))
            file.fp.seek(0)
        return await edit(message, **changes)

    monkeypatch.setattr(discord.PartialMessage, "edit", watched)
    return forms


def form_of(data):
    if data.startswith(b"\x89PNG"):
        return "png"
    return "lossless" if b"VP8L" in data[:64] else "lossy"


async def test_a_picture_over_the_limit_goes_as_webp_with_its_infotext(studio):
    await studio.imagine(seed=7)
    (job_id,) = await studio.painting()
    emit_noise(studio.executor, job_id, 1900)
    await studio.status(job_id, JobStatus.DONE)

    (attachment,) = (await studio.message_of(job_id)).attachments
    data = await attachment.read()
    picture = Image.open(io.BytesIO(data))
    assert (attachment.filename, picture.format, picture.size) == ("pastelbot-7.webp", "WEBP", (1900, 1900))
    assert len(data) <= 10 * 2**20
    assert "1girl, ümläut 🎨\nSeed: 7" in comment_of(picture)


def emit_noise(executor, job_id, side):
    """Finish a job with a picture that no compression makes small: 3 bytes a pixel."""
    file = io.BytesIO()
    noise = random.Random(1).randbytes(side * side * 3)
    Image.frombytes("RGB", (side, side), noise).save(file, "PNG", compress_level=0)
    picture = Picture(png=file.getvalue(), seed=7, width=side, height=side, infotext="1girl, ümläut 🎨\nSeed: 7")
    executor.painting.pop(job_id)
    executor.emit(Painted(job_id=job_id, pictures=(picture,), seconds=1.0))


def comment_of(picture):
    return picture.getexif().get_ifd(0x8769)[0x9286].removeprefix(b"UNICODE\0").decode("utf-16-be")


async def test_a_batch_ends_with_one_mention_which_goes_with_its_picture(open_studio):
    studio = await open_studio(discord={"mention_after_seconds": 20})
    for _ in range(3):
        await studio.imagine()
    studio.clock.advance(seconds=21)
    for _ in range(3):
        last = await studio.finish()
    await eventually(lambda: len(studio.messages) == 4)
    (ready,) = [each for each in studio.messages if "is ready" in each.content]
    assert ready.reference.message_id == last.id

    await studio.more(studio.hana, last, "Delete")
    await eventually(lambda: len(studio.messages) == 2)
    assert studio.message(ready.id) is None


async def test_a_mention_goes_with_the_data_of_its_user(open_studio):
    studio = await open_studio(discord={"mention_after_seconds": 20})
    await studio.imagine()
    await studio.painting()
    studio.clock.advance(seconds=21)
    await studio.finish()
    await eventually(lambda: len(studio.messages) == 2)

    await studio.bot.services.personal_data.forget(studio.hana.id)
    studio.bot.posts.wake()
    await eventually(lambda: studio.messages == [])
