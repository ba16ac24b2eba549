from importlib.resources import files

import pytest
from helpers.services import open_access, tag_dictionary

from pastelbot.config import TagSettings
from pastelbot.prompt.tags.vocabulary import Tag, TagFile
from pastelbot.records import Actor
from pastelbot.store.database import Database
from pastelbot.store.tags.search import TagStore

CARD = (
    "masterpiece, best quality, ultra-detailed, illustration, close-up, straight on, face focus, 1girl, white hair, "
    "golden eyes, long hair, halo, angel wings, serene expression, looking at viewer"
)


@pytest.fixture
async def database(tmp_path):
    opened = await Database.open(tmp_path / "bot.sqlite3")
    yield opened
    await opened.close()


@pytest.fixture
async def tags(database, clock):
    opened = tag_dictionary(database, clock)
    await opened.open()
    return opened


async def completed(tags, text):
    return [choice.value for choice in await tags.complete(text)]


async def test_beginnings_by_count_then_words_then_other_names(tags):
    values = await completed(tags, "red h")
    assert values[0] == "red hair"

    values = await completed(tags, "hair r")
    assert values.index("hair ribbon") < values.index("rainbow hair")

    choices = await tags.complete("1girl, blond h")
    assert ("1girl, blond hair → blonde hair", "1girl, blonde hair") in choices


async def test_what_was_typed_to_the_end_comes_first(tags):
    assert (await completed(tags, "1girl, hat"))[0] == "1girl, hat"
    assert (await tags.complete("saber"))[0] == (r"saber → saber \(fate\)", r"saber \(fate\)")


async def test_underscores_spaces_and_case_are_alike(tags):
    plain = await completed(tags, "red ha")

    assert plain == await completed(tags, "RED_ha") == await completed(tags, "red  ha")


async def test_what_is_spelt_alike_comes_only_where_nothing_else_does(tags):
    assert await completed(tags, "1girl, lookng at vie") == ["1girl, looking at viewer"]
    assert await completed(tags, "1girl, qqqqqqq") == []


async def test_nothing_typed_yet_offers_what_is_used_most(tags):
    values = await completed(tags, "1girl, ")

    assert len(values) == 25
    assert values[0] == "1girl, solo"
    assert "1girl, 1girl" not in values


async def test_completion_and_suggestions_can_be_switched_off(database, clock):
    off = tag_dictionary(database, clock, TagSettings(complete=False, suggest=False))
    await off.open()

    assert await off.complete("red h") == []
    assert await off.suggestions("red hiar") == []


async def test_mistyped_tags_are_noticed_three_at_most(tags):
    found = await tags.suggestions("((red hiar:1.2)), smiel, lookign at viewer, blue_eyse, <lora:smiel:1>")

    assert len(found) == 3
    assert ("red hiar", "red hair") in [(each.typed, each.meant) for each in found]


async def test_mistyped_tags_are_named_in_the_prompts_order(tags):
    found = await tags.suggestions("lookign at viewer, red hiar, smiel, 金髪")

    assert ["red hiar", "smiel", "金髪"] == [each.typed for each in found]


@pytest.mark.parametrize(
    "prompt",
    [
        "",
        CARD,
        "a beautiful girl standing in a field of flowers at sunset, dreamy light, cinematic",
        "wielding a purple staff blasting purple energy",
        "cat, dog, zzz, qq, 1234, 0.5",
        "red hair, red hairr",
        "[red:blue:0.5] hair",
        "[[[[blurry]]]], ((((sharp))))",
        "🎨, 設計図, (((((",
        ", ".join(f"made up thing {number}" for number in range(300)),
    ],
)
async def test_sentences_known_tags_and_what_resembles_nothing_bring_no_suggestion(tags, prompt):
    assert await tags.suggestions(prompt) == []


async def test_an_import_lies_over_the_shipped_tags_and_replaces_the_last_one(tags):
    await tags.import_tags(TagFile(tags=(Tag(name="mecha_cat", count=9),)), "one.csv")
    await tags.import_tags(TagFile(tags=(Tag(name="mecha_dog", count=9), Tag(name="solo", count=7))), "two.csv")

    assert (await tags.search("mecha", None, 0)).tags[-1].name == "mecha_dog"
    assert (await tags.search("mecha cat", None, 0)).total == 0
    assert (await tags.search("solo", None, 0)).total > 1
    counts, source = await tags.stats()
    assert source == "two.csv"
    shipped = files("pastelbot").joinpath("data", "tags.csv").read_text(encoding="utf-8")
    assert sum(counts.values()) == len(shipped.splitlines()) + 1


async def test_merging_keeps_the_last_import(tags):
    await tags.import_tags(TagFile(tags=(Tag(name="mecha_cat", count=9),)), "one.csv")
    report = await tags.import_tags(
        TagFile(tags=(Tag(name="mecha_dog"),), problems=("Line 2: no.",)), "two", merge=True
    )

    assert (await tags.search("mecha cat", None, 0)).total == 1
    assert (report.read, report.problems) == (1, ("Line 2: no.",))


async def test_opening_again_changes_nothing_and_new_shipped_tags_keep_the_import(database, tags):
    await tags.import_tags(TagFile(tags=(Tag(name="mecha_cat", count=9),)), "one.csv")
    store = TagStore(database)
    before = await store.state()
    await tags.open()
    assert before == await store.state()

    async with database.transaction() as connection:
        await connection.execute("UPDATE tag_sets SET shipped = 'of an older version'")
    await tags.open()
    assert (await tags.search("mecha cat", None, 0)).total == 1
    assert (await tags.stats())[1] == "one.csv"


async def test_another_process_sees_an_import_at_once(tmp_path, tags, clock):
    other = await Database.open(tmp_path / "bot.sqlite3")
    try:
        await tag_dictionary(other, clock).import_tags(TagFile(tags=(Tag(name="mecha_cat", count=9),)), "one.csv")
    finally:
        await other.close()

    assert await completed(tags, "1girl, mecha c") == ["1girl, mecha cat"]


async def test_searches_come_in_pages_and_say_what_is_near(tags):
    first, second = await tags.search("hair", 0, 0), await tags.search("hair", 0, 1)

    assert len(first.tags) == len(second.tags) == 10
    assert not {tag.name for tag in first.tags} & {tag.name for tag in second.tags}
    assert first.pages == -(-first.total // 10)
    assert (await tags.search("hair ribon", None, 0)).near == ("hair ribbon",)
    assert (await tags.search("hair", 0, 10**6)).tags == ()


@pytest.mark.parametrize(
    ("query", "near"),
    [
        ("hiar", ("hair",)),
        ("blode hiar", ("blonde hair",)),
        ("shrot hair", ("short hair",)),
        ("qwerty", ()),
        ("zzz hair", ()),
    ],
)
async def test_a_search_names_the_words_that_are_near(tags, query, near):
    assert near == (await tags.search(query, None, 0)).near


async def test_a_search_names_no_words_that_may_not_be_painted_there(settings, database, clock):
    tags = tag_dictionary(database, clock, access=await open_access(settings, database, clock))
    await tags.open()
    await tags.import_tags(TagFile(tags=(Tag(name="nude_figure", count=900),)), "x")
    actors = [Actor(user_id=1, guild_id=2, channel_id=3, age_restricted=adults) for adults in (False, True)]

    assert [(), ("nude",)] == [(await tags.search("nuude", None, 0, actor)).near for actor in actors]


async def test_adult_tags_are_offered_in_age_restricted_channels_alone(settings, database, clock):
    tags = tag_dictionary(database, clock, access=await open_access(settings, database, clock))
    await tags.open()
    await tags.import_tags(TagFile(tags=(Tag(name="nude", count=900),)), "x")
    anyone = Actor(user_id=1, guild_id=2, channel_id=3)
    adults = Actor(user_id=1, guild_id=2, channel_id=3, age_restricted=True)

    assert await tags.complete("nud", anyone) == []
    assert await tags.complete_query("nud", anyone) == []
    assert await tags.suggestions("nudee", anyone) == []
    page = await tags.search("nude", None, 0, anyone)
    assert (page.tags, page.hidden) == ((), 1)
    assert [choice.value for choice in await tags.complete("nud", adults)] == ["nude"]
    assert [tag.name for tag in (await tags.search("nude", None, 0, adults)).tags] == ["nude"]
