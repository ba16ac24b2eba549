import asyncio
import io
import json
import zipfile

import pytest
from helpers.studio import OPEN
from helpers.support import eventually, png

from pastelbot.bot.features.personal_data.views import QUESTION, question_view
from pastelbot.records import JobStatus
from pastelbot.service.server_rules import GALLERY_CHANNEL
from pastelbot.store.personal_data import PERSONAL
from pastelbot.store.picture_files import PictureFiles
from pastelbot.store.settings import Scope, SettingsStore


@pytest.fixture
async def painted(studio):
    """Return the message of a finished picture of Hana's."""
    await studio.imagine("1girl, red hair", seed=7)
    return await studio.finish()


async def archives_of(result):
    """Return the names and contents of all files in an answer's archives."""
    found = []
    for message in (result.response, *result.followups):
        for attachment in message.attachments:
            with zipfile.ZipFile(io.BytesIO(await attachment.read())) as archive:
                found.append({name: archive.read(name) for name in archive.namelist()})
    return found


async def test_export_has_pictures_infotexts_and_tables(studio, painted):
    await studio.more(studio.hana, painted, "Share")
    await studio.imagine("1boy", by=studio.kenji)
    await studio.finish()
    result = await studio.hana.slash(studio.channel, "mydata export")
    (files,) = await archives_of(result)
    job = await studio.jobs.by_message(painted.id)
    ((picture, path),) = await studio.service.pictures(job.id)

    assert result.ephemeral
    assert all(message.ephemeral for message in result.followups)
    assert "part 1 of 1" in result.response.content
    name = f"pictures/{job.id}-1-7"
    assert files[f"{name}.png"] == path.read_bytes()
    assert files[f"{name}.txt"].decode() == picture.infotext
    assert [job.id] == [row["id"] for row in json.loads(files["jobs.json"])]
    assert [job.id] == [row["job_id"] for row in json.loads(files["gallery.json"])]
    assert b"1boy" not in b"".join(files.values())


async def test_export_brings_the_picture_that_a_job_starts_from(studio):
    await studio.imagine("1girl", init=("a.png", png("blue", size=(64, 64))))
    message = await studio.finish()
    job = await studio.jobs.by_message(message.id)
    (files,) = await archives_of(await studio.hana.slash(studio.channel, "mydata export"))

    assert png("blue", size=(64, 64)) == files[f"started-from/{job.id}.png"]
    await forget(studio, studio.hana)
    assert studio.files == []


async def test_what_is_too_much_for_one_answer_comes_in_parts(studio):
    for seed in range(4):
        await studio.imagine(seed=seed, count=4)
        await studio.finish()
    export = await studio.bot.services.personal_data.export(studio.hana.id, part=1, limit=4_000)
    parts = [
        await studio.bot.services.personal_data.export(studio.hana.id, part=part, limit=4_000)
        for part in range(1, export.parts + 1)
    ]
    names = [zipfile.ZipFile(io.BytesIO(archive)).namelist() for part in parts for archive in part.archives]

    assert export.parts > 1
    assert all(len(archive) <= 4_000 for part in parts for archive in part.archives)
    assert sum(name.endswith(".png") for archive in names for name in archive) == 16
    refused = await studio.hana.slash(studio.channel, "mydata export", part=9)
    assert "There is no part 9: your data has 1 part." in refused.response.content


@pytest.mark.usefixtures("painted")
async def test_pictures_that_were_swept_away_are_reported(studio):
    await PictureFiles(studio.settings.storage.pictures, studio.bot.services.database).sweep(
        before=studio.clock().replace(year=2030), max_bytes=0
    )
    result = await studio.hana.slash(studio.channel, "mydata export")
    (files,) = await archives_of(result)

    assert "1 of your 1 pictures are no longer kept; their infotexts are here." in result.response.content
    assert not [name for name in files if name.endswith(".png")]
    assert [name for name in files if name.startswith("pictures/")]


@pytest.mark.usefixtures("painted")
async def test_a_file_too_large_for_discord_is_reported(studio):
    export = await studio.bot.services.personal_data.export(studio.hana.id, part=1, limit=900)

    assert export.too_large >= 1


@pytest.mark.usefixtures("painted")
async def test_one_export_at_a_time(studio):
    both = await asyncio.gather(
        *(studio.bot.services.personal_data.export(studio.hana.id, part=1, limit=10**6) for _ in range(2)),
        return_exceptions=True,
    )

    assert sorted(type(result).__name__ for result in both) == ["Export", "RequestError"]


async def test_a_user_without_anything_gets_that(studio):
    (files,) = await archives_of(await studio.kenji.slash(studio.channel, "mydata export"))

    assert json.loads(files["jobs.json"]) == []


async def test_forget_asks_first_and_says_what_is_kept_and_why(studio, painted):
    result = await studio.hana.slash(studio.channel, "mydata forget")
    assert result.response.ephemeral
    assert "so that being forgotten gives no fresh allowance" in result.response.content
    assert len(QUESTION) <= 2000
    assert all(personal.kept is None or personal.kept in QUESTION for personal in PERSONAL)

    kept = await studio.hana.click(result.response, label="Keep it")

    assert kept.response.content == "Nothing was deleted."
    assert studio.message(painted.id) is not None


async def forget(studio, person):
    result = await person.slash(studio.channel, "mydata forget")
    return await person.click(result.response, label="Forget everything")


async def test_forget_deletes_pictures_prompts_votes_settings_and_messages(studio, painted):
    gallery = studio.guild.create_text_channel("gallery")
    store = SettingsStore(studio.bot.services.database)
    await store.update(Scope.GUILD, studio.guild.id, {GALLERY_CHANNEL: gallery.id})
    await store.update(Scope.USER, studio.hana.id, {"steps": 30})
    await studio.more(studio.hana, painted, "Share")
    await studio.imagine("1boy", by=studio.kenji)
    others = await studio.finish()
    job = await studio.jobs.by_message(painted.id)

    done = await forget(studio, studio.hana)
    await eventually(lambda: studio.message(painted.id) is None)
    await eventually(lambda: gallery.history(viewer=studio.mod) == [])

    assert done.response.content.startswith("Everything is deleted.")
    assert await studio.jobs.get(job.id) is None
    assert await store.all(Scope.USER, studio.hana.id) == {}
    assert len(studio.files) == 1
    assert studio.message(others.id).attachments


async def test_forget_cancels_what_is_in_line_and_painted(open_studio):
    studio = await open_studio(worker={"jobs_at_once": 1})
    shown = [(await studio.imagine(prompt)).response.id for prompt in ("first", "second")]
    await studio.painting()
    await forget(studio, studio.hana)
    await eventually(lambda: not studio.executor.painting)
    await eventually(lambda: not any(studio.message(message_id) for message_id in shown))

    assert await studio.jobs.with_status(*OPEN) == []
    await studio.imagine("third", by=studio.kenji)
    message = await studio.finish()
    assert message.attachments
    assert [message.id] == [shown.id for shown in studio.messages]


async def test_a_picture_finished_after_its_owner_was_forgotten_is_shown_nowhere(studio):
    """The worker was quicker than the news that the picture is no longer wanted."""
    shown = (await studio.imagine()).response.id
    (job_id,) = await studio.painting()
    request = studio.executor.painting[job_id]
    await forget(studio, studio.hana)
    studio.executor.painting[job_id] = request
    studio.executor.finish(job_id)
    await eventually(lambda: studio.message(shown) is None)
    await studio.imagine("after it", by=studio.kenji)
    message = await studio.finish()  # what the worker says is dealt with in its order
    await eventually(lambda: not studio.bot.messages.pending)

    assert [message.id] == [shown.id for shown in studio.messages]
    assert len(studio.files) == 1


async def test_a_picture_on_its_way_when_its_owner_is_forgotten_is_shown_nowhere(studio):
    shown = (await studio.imagine()).response.id
    (job_id,) = await studio.painting()
    studio.env.inject_error("PATCH", "/channels/*/messages/*", times=None)
    studio.executor.finish(job_id)
    await studio.status(job_id, JobStatus.RENDERED)
    await eventually(studio.edits)
    studio.env.backend.faults.clear()
    await forget(studio, studio.hana)
    await eventually(lambda: studio.message(shown) is None)
    await eventually(lambda: not studio.bot.messages.pending)

    assert studio.messages == []


async def test_no_user_answers_for_another(studio, painted):
    asked = await studio.bot.get_channel(studio.channel.id).send("asked", view=question_view(studio.hana.id))
    refused = await studio.kenji.click(asked, label="Forget everything")

    assert "Another user was asked" in refused.response.content
    assert studio.message(painted.id) is not None


@pytest.mark.usefixtures("painted")
async def test_forgetting_does_not_refill_the_quota(studio):
    database = studio.bot.services.database
    sql = "SELECT rest, extra FROM balances WHERE user_id = ?"
    before = [tuple(row) for row in await database.reader.all(sql, studio.hana.id)]
    await forget(studio, studio.hana)
    after = [tuple(row) for row in await database.reader.all(sql, studio.hana.id)]

    assert before
    assert before == after
