"""/imagine previous: pictures of the bot to start from."""

import pytest
from helpers.support import png

from pastelbot.records import JobStatus


async def first(studio, **options):
    """Let Hana have a picture; return its message and its job's id."""
    await studio.imagine("1girl, first", seed=7, hires="off", **options)
    message = await studio.finish()
    return message, (await studio.jobs.by_message(message.id)).id


async def started_from(studio, previous, *, by=None, **options):
    return await studio.imagine("1girl, second", by=by, previous=previous, **options)


async def request_now(studio):
    (job_id,) = await studio.painting()
    return await studio.jobs.get(job_id)


async def test_ones_own_pictures_are_offered_and_found(studio):
    _message, job_id = await first(studio)
    offered = await studio.hana.autocomplete(studio.channel, "imagine", "previous", "", prompt="1girl")
    assert [(choice["name"], choice["value"]) for choice in offered] == [("7: 1girl, first", f"{job_id}:1")]
    assert await studio.kenji.autocomplete(studio.channel, "imagine", "previous", "", prompt="1girl") == []

    await started_from(studio, f"{job_id}:1", strength=0.4)
    job = await request_now(studio)
    ((_, path),) = await studio.service.pictures(job_id)
    assert studio.executor.painting[job.id].init.content == path.read_bytes()
    assert studio.files == [path.name], "the same bytes are one file"
    assert job.request.init.denoising_strength == 0.4
    assert (job.options.origin, job.request.hires) == (job_id, None)


async def test_a_message_of_another_user_works_by_its_link(studio):
    message, job_id = await first(studio, spoiler=True)
    link = f"https://discord.com/channels/{studio.guild.id}/{studio.channel.id}/{message.id}"
    await started_from(studio, link, by=studio.kenji)
    job = await request_now(studio)

    assert (job.user_id, job.options.origin, job.options.spoiler) == (studio.kenji.id, job_id, True)


async def test_the_second_of_two_pictures(studio):
    _message, job_id = await first(studio, count=2)
    await started_from(studio, f"{job_id}:2")
    job = await request_now(studio)
    pictures = await studio.service.pictures(job_id)

    assert studio.executor.painting[job.id].init.content == pictures[1][1].read_bytes()


@pytest.mark.parametrize("name", ["nonsense", "0123456789ab", "0123456789ab:1", "123456789012345678", ""])
async def test_what_is_not_there_is_refused(studio, name):
    refusal = await studio.refused(await started_from(studio, name))

    assert "There is no such picture" in refusal


async def test_private_pictures_are_their_owners_alone(studio):
    _message, job_id = await first(studio)
    async with studio.bot.services.database.transaction() as connection:
        await connection.execute("UPDATE jobs SET private = 1 WHERE id = ?", job_id)
    refusal = await started_from(studio, f"{job_id}:1", by=studio.kenji)

    assert "There is no such picture" in refusal.response.content
    assert not studio.executor.painting


async def test_pictures_of_age_restricted_channels_stay_there(studio):
    _message, job_id = await first(studio)
    async with studio.bot.services.database.transaction() as connection:
        await connection.execute("UPDATE jobs SET adult_allowed = 1 WHERE id = ?", job_id)
    refusal = await started_from(studio, f"{job_id}:1")

    assert "age-restricted channel" in refusal.response.content
    assert not studio.executor.painting


async def test_a_deleted_picture_is_refused(studio):
    message, job_id = await first(studio)
    ((_, path),) = await studio.service.pictures(job_id)
    path.unlink()
    gone = await started_from(studio, f"{job_id}:1")
    assert "attach it as init instead" in gone.response.content

    await studio.more(studio.hana, message, "Delete")
    await studio.status(job_id, JobStatus.DONE)
    deleted = await started_from(studio, f"{job_id}:1")
    assert "attach it as init instead" in deleted.response.content


async def test_two_pictures_to_start_from_are_one_too_many(studio):
    _message, job_id = await first(studio)
    both = await started_from(studio, f"{job_id}:1", init=("a.png", png(size=(64, 64))))

    assert "leave one of them out" in both.response.content
