import random
from datetime import timedelta

import pytest
from helpers.jobs import insert_job

from pastelbot.records import GenerationRequest, JobOptions, Picture, ReplyTarget
from pastelbot.store.database import Database
from pastelbot.store.gallery import GalleryStore, Search, View, match_query
from pastelbot.store.jobs.store import JobStore
from pastelbot.store.stored_pictures import picture_file

HANA, KENJI, MOD = 1, 2, 3
HERE, ELSEWHERE = 20, 21


class Wall:
    """A gallery with jobs to hang up."""

    def __init__(self, database, clock):
        self.database = database
        self.clock = clock
        self.jobs = JobStore(database)
        self.store = GalleryStore(database)

    async def job(self, prompt="1girl, red hair", *, user=HANA, guild=HERE, count=1, **options):
        request = GenerationRequest(prompt=prompt, count=count)
        reply = ReplyTarget(channel_id=10, guild_id=guild)
        job = await insert_job(self.jobs, user, request, reply, now=self.clock(), options=JobOptions(**options))
        await self.jobs.lease([job.id], now=self.clock())
        pictures = [
            picture_file(number, Picture(png=b"%d" % number, seed=number, width=8, height=8, infotext=prompt))
            for number in range(count)
        ]
        await self.jobs.rendered(job.id, pictures, seconds=1.0)
        return job

    async def share(self, prompt="1girl, red hair", *, number=0, guild=HERE, adult=False, tags=(), **job):
        made = await self.job(prompt, guild=guild, count=number + 1, **job)
        return await self.store.share(made, number, guild_id=guild, adult=adult, tags=tags, now=self.clock())

    async def find(self, view=View.NEWEST, *, user=KENJI, guild=HERE, adult=False, offset=0, limit=10, **words):
        search = Search(guild_id=guild, user_id=user, adult=adult, view=view, **words)
        entries, total = await self.store.find(search, offset=offset, limit=limit, now=self.clock())
        self.total = total
        return [entry.id for entry in entries]


@pytest.fixture
async def wall(tmp_path, clock):
    database = await Database.open(tmp_path / "bot.sqlite3")
    yield Wall(database, clock)
    await database.close()


async def test_an_entry_comes_back_as_it_went_in(wall):
    entry_id = await wall.share("1girl, ümläut", number=1, tags=["1girl"], spoiler=True)
    entry = await wall.store.get(entry_id)

    assert (entry.user_id, entry.guild_id, entry.number, entry.prompt) == (HANA, HERE, 1, "1girl, ümläut")
    assert (entry.spoiler, entry.adult, entry.votes, entry.message_id) == (True, False, 0, None)
    assert entry.shared_at == wall.clock()
    assert await wall.store.get(entry_id + 1) is None


async def test_sharing_twice_is_sharing_once(wall):
    job = await wall.job()
    ids = [
        await wall.store.share(job, 0, guild_id=HERE, adult=False, tags=["1girl"], now=wall.clock()) for _ in range(2)
    ]

    assert ids[1] is None
    assert ids[:1] == await wall.find()


async def test_a_deleted_picture_is_not_shared(wall):
    job = await wall.job()
    await wall.jobs.forget_pictures(job.id)

    assert await wall.store.share(job, 0, guild_id=HERE, adult=False, tags=["1girl"], now=wall.clock()) is None
    assert await wall.find() == []


async def test_the_newest_come_first_page_by_page(wall):
    ids = [await wall.share(f"number {number}") for number in range(5)]

    assert [ids[4], ids[3]] == await wall.find(limit=2)
    assert [ids[0]] == await wall.find(offset=4, limit=2)
    assert wall.total == 5


async def test_top_is_by_votes_and_the_week_ends(wall):
    old, new = await wall.share(), await wall.share()
    for user in (KENJI, MOD):
        assert await wall.store.toggle_vote(old, user, now=wall.clock())
    await wall.store.toggle_vote(new, KENJI, now=wall.clock())
    assert [old, new] == await wall.find(View.TOP)
    assert [old, new] == await wall.find(View.WEEK)

    wall.clock.advance(days=6)
    late = await wall.share()
    wall.clock.advance(days=1.5)

    assert [late] == await wall.find(View.WEEK)
    assert [old, new, late] == await wall.find(View.TOP)


async def test_mine_are_mine_and_other_servers_are_not_here(wall):
    hanas, kenjis = await wall.share(user=HANA), await wall.share(user=KENJI)
    elsewhere = await wall.share(user=KENJI, guild=ELSEWHERE)

    assert [kenjis] == await wall.find(View.MINE)
    assert [kenjis, hanas] == await wall.find()
    assert [elsewhere] == await wall.find(guild=ELSEWHERE)
    assert [elsewhere] == await wall.find(View.MINE, guild=ELSEWHERE)


async def test_pictures_for_adults_are_found_only_where_adults_look(wall):
    mild, adult = await wall.share(), await wall.share(adult=True, tags=["secret"])

    assert [mild] == await wall.find()
    assert [adult, mild] == await wall.find(adult=True)
    search = Search(guild_id=HERE, user_id=HANA, adult=False)
    assert await wall.store.common_tags(search, "", limit=5) == []


async def test_a_vote_is_one_and_can_be_taken_back(wall):
    entry_id = await wall.share()
    for voted in (True, False, True):
        assert voted is await wall.store.toggle_vote(entry_id, KENJI, now=wall.clock())

    assert (await wall.store.get(entry_id)).votes == 1
    assert not await wall.store.toggle_vote(entry_id + 1, KENJI, now=wall.clock())


async def test_tags_are_found_whole_and_completed_by_use(wall):
    first = await wall.share(tags=["red hair", "red eyes"])
    second = await wall.share(tags=["red hair"])

    assert [second, first] == await wall.find(tag="red hair")
    assert await wall.find(tag="red") == []
    search = Search(guild_id=HERE, user_id=HANA, adult=False)
    assert await wall.store.common_tags(search, "red", limit=5) == ["red hair", "red eyes"]
    assert await wall.store.common_tags(search, "%", limit=5) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("red", True),
        ("RED hair", True),
        ("ha", True),
        ("air", False),
        ("hair red", True),
        ("red blue", False),
        ("Umläut", True),
        ("🎨", True),
        ("🍣", False),
        ("red 🍣", True),
        ('"red', True),
        ("red OR blue", False),
        ("prompt: red", False),
        ("   ", True),
        ("NEAR(red hair)", False),
        ("*", False),
        ("青い髪", True),
        ("少女", True),
        ("red 少女", True),
        ("blue 少女", False),
        ("黒髪", False),
    ],
)
async def test_text_is_found_by_the_beginnings_of_words(wall, text, found):
    """Where a script has no spaces, it is found wherever it stands."""
    await wall.share("1girl, red_hair, ümläut, 🎨, 青い髪の少女")

    assert found == bool(await wall.find(text=text))


async def test_no_text_raises(wall):
    """Whatever people type, searching answers."""
    entry = await wall.share("1girl, red hair")
    pieces = ['"', "'", "*", "(", ")", "NEAR", " AND ", "OR", "NOT", ":", "^", "-", "+", "{", "}", "\0", "\\", "🎨"]
    pieces += [
        "é",
        "\u0301",
        "²",
        "日本",
        "red",
        " ",
        "%",
        "_",
        ";",
        "--",
        "gallery_search",
        "ﬁ",
        "\ud800"[:0],
        "\u200d",
    ]
    dice = random.Random(1)
    for _ in range(400):
        text = "".join(dice.choices(pieces, k=dice.randrange(1, 12)))
        assert await wall.find(text=text) in ([], [entry])
        assert await wall.find(tag=text) in ([], [entry])


def test_no_operator_is_left_in_a_query():
    assert match_query('red" OR (blue*) NEAR:x') == '"red"* "OR"* "blue"* "NEAR"* "x"*'
    assert match_query("🎨 ***") == ""
    assert match_query("a " * 100).count('"a"') == 16


async def test_what_leaves_the_gallery_is_not_found_and_its_post_is_to_be_deleted(wall):
    entry_id = await wall.share("1girl, red hair", tags=["red hair"])
    await wall.store.toggle_vote(entry_id, KENJI, now=wall.clock())
    assert await wall.store.set_post(entry_id, 50, 60)
    assert (await wall.store.by_message(60)).id == entry_id
    await wall.store.unshare(entry_id)

    assert await wall.find(text="red") == await wall.find(tag="red hair") == []
    assert not await wall.store.set_post(entry_id, 50, 61)
    (erasure,) = await wall.store.erasures(limit=10)
    assert (erasure.channel_id, erasure.message_id, erasure.guild_id) == (50, 60, HERE)
    await wall.store.erased(60)
    assert await wall.store.erasures(limit=10) == []


async def test_a_deleted_picture_leaves_the_gallery_in_the_same_moment(wall):
    entry_id = await wall.share("1girl, red hair", tags=["red hair"])
    await wall.store.set_post(entry_id, 50, 60)
    entry = await wall.store.get(entry_id)
    await wall.jobs.forget_pictures(entry.job_id)

    assert await wall.store.get(entry_id) is None
    assert await wall.find(text="red") == []
    assert len(await wall.store.erasures(limit=10)) == 1


async def test_an_id_is_never_given_twice(wall):
    first = await wall.share()
    await wall.store.unshare(first)

    assert await wall.share() > first


async def test_ancestors_lead_to_the_root(wall):
    root = await wall.job(user=HANA)
    middle = await wall.job(user=KENJI, origin=root.id, private=True)
    last = await wall.job(user=MOD, origin=middle.id)
    await wall.jobs.set_message(root.id, 99)

    found = await wall.store.ancestors(last.id)

    assert [(middle.id, KENJI, True, None), (root.id, HANA, False, 99)] == [
        (each.job_id, each.user_id, each.private, each.message_id) for each in found
    ]
    assert await wall.store.ancestors(root.id) == []


async def test_an_ancestor_that_was_forgotten_ends_the_line(wall):
    last = await wall.job(origin="0123456789ab")

    (ancestor,) = await wall.store.ancestors(last.id)

    assert (ancestor.job_id, ancestor.user_id) == ("0123456789ab", None)


async def test_a_ring_of_ancestors_ends(wall):
    first = await wall.job()
    second = await wall.job(origin=first.id)
    async with wall.database.transaction() as connection:
        await connection.execute("UPDATE jobs SET origin = ? WHERE id = ?", second.id, first.id)

    assert len(await wall.store.ancestors(second.id)) <= 50


async def test_the_best_are_those_with_votes_of_that_time(wall):
    start = wall.clock()
    early = await wall.share()
    wall.clock.advance(days=1)
    best, second, none = [await wall.share() for _ in range(3)]
    adult = await wall.share(adult=True)
    for entry_id, voters in ((early, (KENJI, MOD)), (best, (KENJI, MOD)), (second, (MOD,)), (adult, (KENJI, MOD))):
        for user in voters:
            await wall.store.toggle_vote(entry_id, user, now=wall.clock())
    span = {"since": start + timedelta(hours=1), "until": start + timedelta(days=7)}

    mild = await wall.store.best(HERE, **span, adult=False, limit=3)
    every = await wall.store.best(HERE, **span, adult=True, limit=2)

    assert [best, second] == [entry.id for entry in mild]
    assert [best, adult] == [entry.id for entry in every]
    assert none not in [entry.id for entry in mild]
