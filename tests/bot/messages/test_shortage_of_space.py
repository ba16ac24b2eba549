"""What members see while the disk is full."""


async def test_a_request_waits_and_says_why_and_costs_nothing_when_it_is_cancelled(open_studio):
    studio = await open_studio(storage={"min_free_mib": 2**40})
    result = await studio.imagine()
    message = await studio.says("the disk of the bot is full", result.response.id)

    assert "It goes on by itself when this is mended." in message.content
    assert studio.executor.painting == {}
    await studio.hana.click(message, label="Cancel")
    await studio.says("Cancelled", result.response.id)
    assert await studio.used(studio.hana) == 0
