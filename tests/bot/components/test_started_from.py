"""Pictures to start from, from the attachment to buttons years later: small on the disk, paid for, removed in time."""

import io

import numpy as np
from helpers.support import png
from PIL import Image

from pastelbot.records import JobStatus
from pastelbot.store.picture_files import PictureFiles


def attachment(megabytes):
    """Return a PNG of so many megabytes that no compression makes smaller."""
    side = int((megabytes * 1e6 / 3) ** 0.5)
    pixels = np.random.default_rng(7).integers(0, 256, (side, side, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=0)
    return file.getvalue()


async def paint(studio, content=None, **options):
    """Paint from a picture; return the message and the job."""
    await studio.imagine("1girl", init=("a.png", content or png(size=(64, 96))), **options)
    message = await studio.finish()
    return message, await studio.jobs.by_message(message.id)


async def sweep(studio):
    studio.clock.advance(days=400)
    files = PictureFiles(studio.settings.storage.pictures, studio.bot.services.database)
    await files.sweep(before=studio.clock(), max_bytes=0)


async def test_a_large_attachment_takes_little_room_and_is_paid_for(studio):
    """Up to version 11 it was 13 MB of a row for 0.004 MP-steps."""
    content = attachment(9.8)
    for _ in range(2):
        await paint(studio, content, size="64x64", steps=1)
    rows = await studio.bot.services.database.reader.all("SELECT length(request), init_size, cost FROM jobs")
    stored = sum(path.stat().st_size for path in studio.settings.storage.pictures.rglob("*.png"))

    assert all(row[0] < 3000 and row[1] < 30_000 and row[2] > 9_800_000 for row in rows)
    assert stored < 100_000


async def test_the_worker_gets_the_picture_and_buttons_have_it_again(studio):
    message, _job = await paint(studio)
    await studio.hana.click(message, label="Reroll")
    (job_id,) = await studio.painting()

    assert studio.executor.painting[job_id].init.content == png(size=(64, 96))


async def test_a_button_says_that_the_picture_was_removed(studio):
    message, _job = await paint(studio)
    await sweep(studio)
    refused = await studio.hana.click(message, label="Reroll")

    assert "no longer kept: attach it again" in refused.response.content
    assert not studio.executor.painting


async def test_a_waiting_job_whose_picture_is_gone_fails_and_is_refunded(studio):
    studio.executor.die("it crashed")
    await studio.imagine("1girl", init=("a.png", png(size=(64, 96))))
    for path in studio.settings.storage.pictures.rglob("*.png"):
        path.unlink()
    studio.executor.ready()
    await studio.says("no longer kept")

    assert await studio.used(studio.hana) == 0
    assert not studio.executor.painting


async def test_deleting_a_picture_deletes_what_it_was_started_from(studio):
    message, job = await paint(studio)
    await studio.more(studio.hana, message, "Delete")
    await studio.status(job.id, JobStatus.DONE)

    assert studio.files == []


async def test_what_was_cancelled_can_be_asked_for_again(studio):
    await studio.imagine("1girl", init=("a.png", png(size=(64, 96))))
    (job_id,) = await studio.painting()
    await studio.hana.click(await studio.message_of(job_id), label="Cancel")
    await studio.status(job_id, JobStatus.CANCELLED)
    message = await studio.says("ancelled")
    await studio.hana.click(message, label="Reroll")
    (again,) = await studio.painting()

    assert studio.executor.painting[again].init.content == png(size=(64, 96))


async def test_a_question_keeps_the_picture_until_it_is_answered(studio):
    asked = await studio.imagine("{red,blue} hair", init=("a.png", png(size=(64, 96))))
    await sweep(studio)
    assert len(studio.files) == 1
    studio.clock.advance(days=-400)
    await studio.hana.click(asked.response, label="Paint")
    job_ids = await studio.painting(2)

    assert all(studio.executor.painting[job_id].init.content == png(size=(64, 96)) for job_id in job_ids)
