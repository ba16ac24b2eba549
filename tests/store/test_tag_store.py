import asyncio

import pytest

from pastelbot.errors import TagFileError
from pastelbot.prompt.tags.vocabulary import Tag
from pastelbot.store.database import Database
from pastelbot.store.tags.search import TagStore
from pastelbot.store.tags.sets import Filling, TagSets

TAGS = [
    Tag(name="long_hair", count=900, aliases=("longhair",)),
    Tag(name="red_hair", count=800, aliases=("redhead", "red-haired")),
    Tag(name="red_eyes", count=850),
    Tag(name="hair_ribbon", count=100, category=0),
    Tag(name="saber_(fate)", count=50, category=4),
    Tag(name=":d", count=700),
    Tag(name='say_"hi"', count=5),
]


@pytest.fixture
async def database(tmp_path):
    opened = await Database.open(tmp_path / "bot.sqlite3")
    yield opened
    await opened.close()


@pytest.fixture
def sets(database, clock):
    return TagSets(database, clock=lambda: clock().timestamp())


@pytest.fixture
async def store(database, sets):
    await sets.fill(Filling(shipped=TAGS, digest="1"))
    return TagStore(database)


def names(found):
    return [each.tag.name for each in found]


async def rows(database, table):
    return await database.reader.number(f"SELECT COUNT(*) FROM {table}")  # noqa: S608 - a constant


async def test_beginnings_come_by_count_with_the_alias_that_was_found(store):
    found = await store.beginning_with("red", 10)

    assert [("red_eyes", None), ("red_hair", None), ("red_hair", "redhead"), ("red_hair", "red-haired")] == [
        (each.tag.name, each.alias) for each in found
    ]
    assert found[1].tag == TAGS[1]


async def test_a_whole_word_does_not_go_on(store):
    assert names(await store.beginning_with("red", 10, whole_word=True)) == ["red_eyes", "red_hair"]
    assert names(await store.beginning_with("red h", 10)) == ["red_hair"]


async def test_words_are_found_anywhere_and_in_any_order(store):
    assert names(await store.with_words("hair", 10)) == ["long_hair", "red_hair", "hair_ribbon"]
    assert names(await store.with_words("hair re", 10)) == ["red_hair"]
    assert names(await store.with_words("fate", 10)) == ["saber_(fate)"]


@pytest.mark.parametrize(
    "key", ["", '"', '""', "*", "^", "(", "red OR", "NEAR", "key:", "-red", "🎨", "'; --", "{a b}"]
)
async def test_no_query_is_read_as_a_search_language(store, key):
    for found in (await store.beginning_with(key, 5), await store.with_words(key, 5)):
        assert names(found) in ([], ['say_"hi"'])
    assert await store.search(key, None, offset=0, limit=5) in (([], 0), ([TAGS[-1]], 1))


async def test_searches_come_in_pages_and_by_category(store):
    assert await store.search("hair", None, offset=1, limit=1) == ([TAGS[1]], 3)
    assert await store.search("hair", 4, offset=0, limit=9) == ([], 0)
    assert await store.search("saber", 4, offset=0, limit=9) == ([TAGS[4]], 1)


async def test_known_are_names_and_aliases(store):
    assert await store.known(["red hair", "redhead", ":d", "red hiar", "hair"]) == {"red hair", "redhead", ":d"}


@pytest.mark.parametrize("typed", ["red hiar", "rde hair", "red har", "red haiir", "ted hair", "red haib"])
async def test_what_is_spelt_alike_is_among_the_similar(store, typed):
    found = dict(await store.similar(typed, 1))

    assert "red hair" in found.values()
    tags = await store.of_spellings(list(found))
    assert "red_hair" in {each.tag.name for each in tags.values()}


async def test_a_new_set_replaces_the_old_one_completely(database, store, sets):
    await sets.fill(Filling(shipped=TAGS[:1], digest="2", imported=[Tag(name="blue_hair")], source="tags.csv"))

    assert names(await store.with_words("hair", 10)) == ["long_hair", "blue_hair"]
    assert names(await store.popular(10)) == ["long_hair"]
    assert [tag.name for tag in await store.imported()] == ["blue_hair"]
    assert (await store.state()).source == "tags.csv"
    assert await store.counts() == {0: 2}
    assert [2, 3, 1] == [await rows(database, table) for table in ("tags", "tag_spellings", "tag_sets")]


async def test_readers_see_the_old_set_until_the_new_one_is_complete(store, sets):
    seen = []
    many = [Tag(name=f"tag_{number}") for number in range(2500)]

    async def look():
        while not seen or seen[-1]:
            seen.append(names(await store.beginning_with("long", 5)))
            await asyncio.sleep(0)

    looking = asyncio.create_task(look())
    await sets.fill(Filling(shipped=many, digest="2"))
    await looking

    assert seen[0] == ["long_hair", "long_hair"]
    assert all(each in ([], seen[0]) for each in seen)
    assert len(await store.beginning_with("tag", 5000)) == 2500


async def test_a_filling_that_fails_leaves_everything_as_it_was(database, store, sets):
    def stop(_done, _total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await sets.fill(Filling(shipped=[Tag(name="other")], digest="2"), stop)

    assert names(await store.beginning_with("long", 1)) == ["long_hair"]
    await sets.fill(Filling(shipped=TAGS, digest="1"))
    assert await rows(database, "tags") == len(TAGS)


@pytest.mark.parametrize("jump", [lambda clock: clock.advance(minutes=2), lambda clock: clock.jump(days=-1)])
async def test_two_fillings_at_once_are_refused_but_an_abandoned_one_is_not_waited_for(
    database, store, sets, clock, jump
):
    async with database.transaction() as transaction:  # as a filling that was killed half-way leaves it
        await transaction.execute(
            "INSERT INTO tag_sets (state, touched_at, shipped, source) VALUES ('filling', ?, 'killed', '')",
            clock().timestamp(),
        )

    with pytest.raises(TagFileError, match="Another import of tags is under way"):
        await sets.fill(Filling(shipped=TAGS, digest="2"))
    jump(clock)
    await sets.fill(Filling(shipped=TAGS, digest="2"))
    assert (await store.state()).shipped == "2"
    assert await rows(database, "tag_sets") == 1
