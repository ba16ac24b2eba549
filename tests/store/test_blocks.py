from datetime import timedelta

import pytest

from pastelbot.store.database import Database
from pastelbot.store.moderation.blocks import Block, BlockStore

HERE, THERE, HANA, KENJI = 1, 2, 11, 12


@pytest.fixture
async def blocks(tmp_path):
    database = await Database.open(tmp_path / "bot.sqlite3")
    yield BlockStore(database)
    await database.close()


async def test_a_block_holds_in_its_server_until_it_ends(blocks, clock):
    block = Block(guild_id=HERE, user_id=HANA, until=clock() + timedelta(hours=1), reason="spam")
    await blocks.put(block)

    assert await blocks.get(HERE, HANA, now=clock()) == block
    assert await blocks.get(THERE, HANA, now=clock()) is None
    assert await blocks.get(HERE, KENJI, now=clock()) is None
    clock.advance(hours=1)
    assert await blocks.get(HERE, HANA, now=clock()) is None


async def test_a_block_without_an_end_holds_until_it_is_removed(blocks, clock):
    await blocks.put(Block(guild_id=HERE, user_id=HANA))
    clock.advance(days=10_000)

    assert await blocks.get(HERE, HANA, now=clock()) is not None
    assert await blocks.remove(HERE, HANA, now=clock())
    assert not await blocks.remove(HERE, HANA, now=clock())
    assert await blocks.get(HERE, HANA, now=clock()) is None


async def test_a_second_block_replaces_the_first(blocks, clock):
    await blocks.put(Block(guild_id=HERE, user_id=HANA, reason="first"))
    await blocks.put(Block(guild_id=HERE, user_id=HANA, until=clock() + timedelta(days=1), reason="second"))

    assert ["second"] == [block.reason for block in await blocks.all(HERE, now=clock())]


async def test_a_block_that_has_ended_is_none_to_remove(blocks, clock):
    await blocks.put(Block(guild_id=HERE, user_id=HANA, until=clock()))

    assert not await blocks.remove(HERE, HANA, now=clock())


async def test_all_blocks_of_a_server_are_listed_the_next_to_end_first(blocks, clock):
    await blocks.put(Block(guild_id=HERE, user_id=1))
    await blocks.put(Block(guild_id=HERE, user_id=2, until=clock() + timedelta(days=2)))
    await blocks.put(Block(guild_id=HERE, user_id=3, until=clock() + timedelta(days=1)))
    await blocks.put(Block(guild_id=THERE, user_id=4))

    assert [3, 2, 1] == [block.user_id for block in await blocks.all(HERE, now=clock())]
