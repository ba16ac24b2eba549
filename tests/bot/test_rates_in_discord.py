"""Who asks too fast is told so privately, with the time left; nothing else is done for them."""

import pytest
from helpers.studio import custom_ids


@pytest.fixture
async def studio(open_studio):
    return await open_studio(limits={"commands_per_minute": 2, "buttons_per_minute": 2, "completions_per_minute": 1})


async def test_the_third_command_has_to_wait(studio):
    for _ in range(2):
        assert "queue is empty" in (await studio.hana.slash(studio.channel, "queue")).response.content
    refused = await studio.hana.slash(studio.channel, "queue")

    assert refused.response.ephemeral
    assert "This bot takes 2 commands a minute from you: try again in 30 s." in refused.response.content
    assert "queue is empty" in (await studio.kenji.slash(studio.channel, "queue")).response.content


async def test_the_third_button_has_to_wait(studio):
    await studio.imagine()
    message = await studio.finish()
    assert len(custom_ids(message)) > 2
    for _ in range(2):
        await studio.kenji.click(message, label="More")
    refused = await studio.kenji.click(message, label="More")

    assert "takes 2 buttons a minute" in refused.response.content


async def test_completions_go_quiet(studio):
    assert await studio.hana.autocomplete(studio.channel, "tags", "query", "long h")

    assert await studio.hana.autocomplete(studio.channel, "tags", "query", "long h") == []
