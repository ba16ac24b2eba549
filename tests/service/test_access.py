from datetime import timedelta

import pytest

from pastelbot.errors import NotAllowedError
from pastelbot.records import Asker, GenerationRequest
from pastelbot.rules.content_filter import check_content
from pastelbot.service.access import House
from pastelbot.store.blocks import Block, BlockStore
from pastelbot.store.database import Database
from pastelbot.store.pauses import EVERYWHERE
from pastelbot.store.settings import Scope, SettingsStore

HERE, CHANNEL, ROLE, HANA = 1, 2, 3, 11
ASKER = Asker(user_id=HANA, guild_id=HERE, channel_id=CHANNEL, places=(CHANNEL,), role_ids=(HERE, ROLE))
ALONE = Asker(user_id=HANA)


@pytest.fixture
async def database(settings):
    database = await Database.open(settings.storage.database)
    yield database
    await database.close()


@pytest.fixture
def servers(database):
    return SettingsStore(database)


@pytest.fixture
def open_house(settings, database, clock):
    async def open_house(*, direct=False, **house):
        changed = settings.model_copy(
            update={
                "house": settings.house.model_copy(update=house),
                "discord": settings.discord.model_copy(update={"direct_messages": direct}),
            }
        )
        return await House.open(changed, database, clock=clock)

    return open_house


async def refusal(house, asker=ASKER):
    with pytest.raises(NotAllowedError) as caught:
        await house.terms(asker)
    return str(caught.value)


async def painted(house, prompt, asker=ASKER):
    check_content(GenerationRequest(prompt=prompt), (await house.terms(asker)).content)


async def test_without_any_rule_the_operators_limits_hold(open_house, settings):
    terms = await (await open_house()).terms(ASKER)

    assert terms.limits == settings.limits
    assert not terms.content.adult_allowed


async def test_direct_messages_are_refused_unless_the_operator_allows_them(open_house):
    assert "does not paint in direct messages" in await refusal(await open_house(), ALONE)

    await (await open_house(direct=True)).terms(ALONE)


async def test_a_channel_that_is_not_allowed_names_those_that_are(open_house, servers):
    await servers.update(Scope.GUILD, HERE, {"channels": {"77": "allow"}})

    assert await refusal(await open_house()) == "The bot does not answer in this channel. It does in <#77>."


async def test_caps_of_server_channel_and_role_are_read(open_house, servers):
    await servers.update(Scope.GUILD, HERE, {"cap_steps": 10, "cap_count": 1})
    await servers.update(Scope.ROLE, ROLE, {"cap_steps": 30})
    await servers.update(Scope.CHANNEL, CHANNEL, {"cap_size": 256})
    limits = (await (await open_house()).terms(ASKER)).limits

    assert (limits.max_steps, limits.max_count, limits.max_side) == (30, 1, 256)


async def test_a_block_says_until_when_and_why(open_house, database, clock):
    until = clock() + timedelta(days=1)
    await BlockStore(database).put(Block(guild_id=HERE, user_id=HANA, until=until, reason="too much spam."))
    house = await open_house()
    text = await refusal(house)

    assert f"<t:{int(until.timestamp())}:R>" in text
    assert "Their reason: `too much spam.`." in text
    assert "talk to the moderators" in text
    await house.allowances(ASKER)  # what they have left can still be told
    clock.advance(days=1)
    await house.terms(ASKER)


async def test_drains_outlive_a_restart(open_house):
    house = await open_house()
    assert await house.drains.set(HERE, drained=True)
    assert not await house.drains.set(HERE, drained=True)
    again = await open_house()

    assert "taking a break" in await refusal(again)
    await again.terms(Asker(user_id=HANA, guild_id=99, places=(5,)))
    assert await again.drains.set(HERE, drained=False)
    await (await open_house()).terms(ASKER)


async def test_a_drain_everywhere_holds_in_every_server_and_in_direct_messages(open_house):
    house = await open_house(direct=True)
    await house.drains.set(EVERYWHERE, drained=True)

    assert "taking a break" in await refusal(house)
    assert "taking a break" in await refusal(house, ALONE)
    assert house.drains.hold(None)


async def test_words_of_the_operator_and_of_the_server_hold_together(open_house, servers):
    await servers.update(Scope.GUILD, HERE, {"words": ["spider"]})
    house = await open_house(words=("clown",))

    for word in ("spider", "clown"):
        with pytest.raises(NotAllowedError, match=word):
            await painted(house, f"1girl, {word}")
    await painted(house, "spider", Asker(user_id=HANA, guild_id=99, places=(5,)))


async def test_a_changed_word_list_holds_at_once(open_house, servers):
    house = await open_house()
    await painted(house, "spider")
    await servers.update(Scope.GUILD, HERE, {"words": ["spider"]})
    with pytest.raises(NotAllowedError):
        await painted(house, "spider")
    await servers.update(Scope.GUILD, HERE, {"words": ["clown"]})
    await painted(house, "spider")


@pytest.mark.parametrize(
    ("asker", "in_messages", "allowed"),
    [
        (ASKER, False, False),
        (Asker(user_id=HANA, guild_id=HERE, places=(CHANNEL,), age_restricted=True), False, True),
        (ALONE, False, False),
        (ALONE, True, True),
        (ASKER, True, False),
    ],
)
async def test_adult_tags_are_for_age_restricted_channels(open_house, asker, in_messages, allowed):
    house = await open_house(direct=True, adult_in_direct_messages=in_messages)

    if allowed:
        await painted(house, "1girl, nude", asker)
    else:
        with pytest.raises(NotAllowedError, match="not an age-restricted channel"):
            await painted(house, "1girl, nude", asker)


async def test_a_servers_own_adult_tags_count_too(open_house, servers):
    await servers.update(Scope.GUILD, HERE, {"adult_tags": ["swimsuit"]})

    with pytest.raises(NotAllowedError, match="adult tag `swimsuit`"):
        await painted(await open_house(), "red_swimsuit")


@pytest.mark.parametrize("age_restricted", [True, False])
async def test_a_missing_list_refuses_everything_until_it_is_there(open_house, tmp_path, age_restricted):
    path = tmp_path / "adult.toml"
    house = await open_house(adult_list=path)
    asker = Asker(user_id=HANA, guild_id=HERE, places=(CHANNEL,), age_restricted=age_restricted)
    assert "nothing is painted until it can" in await refusal(house, asker)

    path.write_text("adult = ['blush']\nminors = ['loli']\n", encoding="utf-8")
    await painted(house, "1girl", asker)
    assert not (await house.adult_word(asker, GenerationRequest(prompt="nude")))
    assert await house.adult_word(asker, GenerationRequest(prompt="light blush")) == "blush"


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
async def test_admins_manage_the_server_or_have_the_role(open_house, servers, changes, may):
    await servers.update(Scope.GUILD, HERE, {"admin_role": 50})
    house = await open_house()
    asker = Asker(user_id=HANA, guild_id=HERE, **changes)

    if may:
        await house.check_admin(asker)
        await house.check_reviewer(asker)
    else:
        with pytest.raises(NotAllowedError, match="may manage the server"):
            await house.check_admin(asker)


async def test_without_a_role_nobody_has_it(open_house):
    with pytest.raises(NotAllowedError):
        await (await open_house()).check_admin(ASKER)
    with pytest.raises(NotAllowedError):
        await (await open_house()).check_admin(ALONE)


@pytest.mark.parametrize("configured", [True, False])
async def test_a_private_picture_is_as_in_a_direct_message(open_house, configured):
    """Whoever asks in an age-restricted channel gets it in a message that is none, unless the operator says so."""
    house = await open_house(adult_in_direct_messages=configured)

    for age_restricted in (True, False):
        asker = Asker(user_id=HANA, guild_id=HERE, age_restricted=age_restricted)
        assert house.in_messages(asker).age_restricted is configured
