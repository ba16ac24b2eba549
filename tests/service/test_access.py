from datetime import timedelta

import pytest
from helpers import services

from pastelbot.errors import NotAllowedError
from pastelbot.records import Actor, GenerationRequest
from pastelbot.rules.content_filter import check_content
from pastelbot.store.database import Database
from pastelbot.store.moderation.blocks import Block, BlockStore
from pastelbot.store.moderation.pauses import EVERYWHERE
from pastelbot.store.settings import Scope, SettingsStore

HERE, CHANNEL, ROLE, HANA = 1, 2, 3, 11
ASKER = Actor(user_id=HANA, guild_id=HERE, channel_id=CHANNEL, places=(CHANNEL,), role_ids=(HERE, ROLE))
ALONE = Actor(user_id=HANA)


@pytest.fixture
async def database(settings):
    database = await Database.open(settings.storage.database)
    yield database
    await database.close()


@pytest.fixture
def servers(database):
    return SettingsStore(database)


@pytest.fixture
def open_access(settings, database, clock):
    async def open_access(*, direct=False, **access):
        changed = settings.model_copy(
            update={
                "house": settings.moderation.model_copy(update=access),
                "discord": settings.discord.model_copy(update={"direct_messages": direct}),
            }
        )
        return await services.open_access(changed, database, clock)

    return open_access


async def refusal(access, actor=ASKER):
    with pytest.raises(NotAllowedError) as caught:
        await access.authorize(actor)
    return str(caught.value)


async def painted(access, prompt, actor=ASKER):
    check_content(GenerationRequest(prompt=prompt), (await access.authorize(actor)).content)


async def test_without_any_rule_the_operators_limits_hold(open_access, settings):
    effective = await (await open_access()).authorize(ASKER)

    assert effective.limits == settings.limits
    assert not effective.content.adult_allowed


async def test_direct_messages_are_refused_unless_the_operator_allows_them(open_access):
    assert "does not paint in direct messages" in await refusal(await open_access(), ALONE)

    await (await open_access(direct=True)).authorize(ALONE)


async def test_a_channel_that_is_not_allowed_names_those_that_are(open_access, servers):
    await servers.update(Scope.GUILD, HERE, {"channels": {"77": "allow"}})

    assert await refusal(await open_access()) == "The bot does not answer in this channel. It does in <#77>."


async def test_caps_of_server_channel_and_role_are_read(open_access, servers):
    await servers.update(Scope.GUILD, HERE, {"cap_steps": 10, "cap_count": 1})
    await servers.update(Scope.ROLE, ROLE, {"cap_steps": 30})
    await servers.update(Scope.CHANNEL, CHANNEL, {"cap_size": 256})
    limits = (await (await open_access()).authorize(ASKER)).limits

    assert (limits.max_steps, limits.max_count, limits.max_side) == (30, 1, 256)


async def test_a_block_says_until_when_and_why(open_access, database, clock):
    until = clock() + timedelta(days=1)
    await BlockStore(database).put(Block(guild_id=HERE, user_id=HANA, until=until, reason="too much spam."))
    access = await open_access()
    text = await refusal(access)

    assert f"<t:{int(until.timestamp())}:R>" in text
    assert "Their reason: `too much spam.`." in text
    assert "talk to the moderators" in text
    await access.preview(ASKER)  # what they have left can still be shown
    clock.advance(days=1)
    await access.authorize(ASKER)


async def test_drains_outlive_a_restart(open_access):
    access = await open_access()
    assert await access.pauses.set(HERE, drained=True)
    assert not await access.pauses.set(HERE, drained=True)
    again = await open_access()

    assert "taking a break" in await refusal(again)
    await again.authorize(Actor(user_id=HANA, guild_id=99, places=(5,)))
    assert await again.pauses.set(HERE, drained=False)
    await (await open_access()).authorize(ASKER)


async def test_a_drain_everywhere_holds_in_every_server_and_in_direct_messages(open_access):
    access = await open_access(direct=True)
    await access.pauses.set(EVERYWHERE, drained=True)

    assert "taking a break" in await refusal(access)
    assert "taking a break" in await refusal(access, ALONE)
    assert access.pauses.is_paused(None)


async def test_words_of_the_operator_and_of_the_server_hold_together(open_access, servers):
    await servers.update(Scope.GUILD, HERE, {"words": ["spider"]})
    access = await open_access(words=("clown",))

    for word in ("spider", "clown"):
        with pytest.raises(NotAllowedError, match=word):
            await painted(access, f"1girl, {word}")
    await painted(access, "spider", Actor(user_id=HANA, guild_id=99, places=(5,)))


async def test_a_changed_word_list_holds_at_once(open_access, servers):
    access = await open_access()
    await painted(access, "spider")
    await servers.update(Scope.GUILD, HERE, {"words": ["spider"]})
    with pytest.raises(NotAllowedError):
        await painted(access, "spider")
    await servers.update(Scope.GUILD, HERE, {"words": ["clown"]})
    await painted(access, "spider")


@pytest.mark.parametrize(
    ("actor", "in_messages", "allowed"),
    [
        (ASKER, False, False),
        (Actor(user_id=HANA, guild_id=HERE, places=(CHANNEL,), age_restricted=True), False, True),
        (ALONE, False, False),
        (ALONE, True, True),
        (ASKER, True, False),
    ],
)
async def test_adult_tags_are_for_age_restricted_channels(open_access, actor, in_messages, allowed):
    access = await open_access(direct=True, adult_in_direct_messages=in_messages)

    if allowed:
        await painted(access, "1girl, nude", actor)
    else:
        with pytest.raises(NotAllowedError, match="not an age-restricted channel"):
            await painted(access, "1girl, nude", actor)


async def test_a_servers_own_adult_tags_count_too(open_access, servers):
    await servers.update(Scope.GUILD, HERE, {"adult_tags": ["swimsuit"]})

    with pytest.raises(NotAllowedError, match="adult tag `swimsuit`"):
        await painted(await open_access(), "red_swimsuit")


@pytest.mark.parametrize("age_restricted", [True, False])
async def test_a_missing_list_refuses_everything_until_it_is_there(open_access, tmp_path, age_restricted):
    path = tmp_path / "adult.toml"
    access = await open_access(adult_list=path)
    actor = Actor(user_id=HANA, guild_id=HERE, places=(CHANNEL,), age_restricted=age_restricted)
    assert "nothing is painted until it can" in await refusal(access, actor)

    path.write_text("adult = ['blush']\nminors = ['loli']\n", encoding="utf-8")
    await painted(access, "1girl", actor)
    assert not (await access.adult_word(actor, GenerationRequest(prompt="nude")))
    assert await access.adult_word(actor, GenerationRequest(prompt="light blush")) == "blush"


@pytest.mark.parametrize(
    ("changes", "may"),
    [
        ({}, False),
        ({"manages_server": True}, True),
        ({"role_ids": (HERE, 50)}, True),
        ({"role_ids": (HERE, 51)}, False),
        ({"manages_messages": True}, False),
    ],
)
async def test_admins_manage_the_server_or_have_the_role(open_access, servers, changes, may):
    await servers.update(Scope.GUILD, HERE, {"admin_role": 50})
    access = await open_access()
    actor = Actor(user_id=HANA, guild_id=HERE, **changes)

    if may:
        await access.check_admin(actor)
        await access.check_reviewer(actor)
    else:
        with pytest.raises(NotAllowedError, match="may manage the server"):
            await access.check_admin(actor)


async def test_without_a_role_no_user_has_it(open_access):
    with pytest.raises(NotAllowedError):
        await (await open_access()).check_admin(ASKER)
    with pytest.raises(NotAllowedError):
        await (await open_access()).check_admin(ALONE)


@pytest.mark.parametrize("configured", [True, False])
async def test_a_private_picture_is_as_in_a_direct_message(open_access, configured):
    """A user who asks in an age-restricted channel gets it in a message that is none, unless the operator says so."""
    access = await open_access(adult_in_direct_messages=configured)

    for age_restricted in (True, False):
        actor = Actor(user_id=HANA, guild_id=HERE, age_restricted=age_restricted)
        assert access.in_messages(actor).age_restricted is configured
