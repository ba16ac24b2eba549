"""The half-done picture in a progress message."""


async def test_progress_shows_the_newest_preview_until_the_picture_is_there(studio):
    result = await studio.imagine()
    (job_id,) = await studio.painting()
    studio.executor.progress(job_id, 4, 40, preview=b"first")
    message = await studio.says(" 4%", result.response.id)
    assert ["preview.jpg"] == [file.filename for file in message.attachments]

    studio.executor.progress(job_id, 6, 40)
    message = await studio.says(" 6%", result.response.id)
    assert ["preview.jpg"] == [file.filename for file in message.attachments]

    message = await studio.finish()
    assert [".png"] == [file.filename[-4:] for file in message.attachments]


async def test_a_cancelled_job_shows_no_preview(studio):
    result = await studio.imagine()
    (job_id,) = await studio.painting()
    studio.executor.progress(job_id, 4, 40, preview=b"half")
    message = await studio.says(" 4%", result.response.id)
    await studio.hana.click(message, label="Cancel")
    message = await studio.says("Cancelled", result.response.id)

    assert [] == message.attachments
