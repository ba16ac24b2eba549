"""Databases that earlier versions left, one of each version of the tables: all that is in them can still be read."""

import base64
import contextlib
import json
import re
import sqlite3
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import pytest
from helpers import schema_dumps

from pastelbot.records import (
    Axis,
    GenerationRequest,
    Grid,
    HiresFix,
    InitImage,
    JobOptions,
    JobStatus,
    ReplyTarget,
)
from pastelbot.store.confirmations import ConfirmationStore, Plan
from pastelbot.store.database import Database, migrations
from pastelbot.store.gallery import Ancestor, GalleryStore, PendingDeletion, Search, View
from pastelbot.store.jobs.begun_messages import BegunMessageStore
from pastelbot.store.jobs.store import JobStore
from pastelbot.store.key_values import KeyValueStore
from pastelbot.store.moderation.audit import AuditLog
from pastelbot.store.moderation.blocks import Block, BlockStore
from pastelbot.store.moderation.pauses import Pauses
from pastelbot.store.moderation.reviews import Review, ReviewStore
from pastelbot.store.personal_data import PersonalStore
from pastelbot.store.picture_files import PictureFiles
from pastelbot.store.presets import PresetStore
from pastelbot.store.quotas import UNLIMITED, Account, Allowance, QuotaStore
from pastelbot.store.settings import Scope, SettingsStore
from pastelbot.store.tags.search import TagStore

GUILD, OTHER = 1180000000000000101, 1180000000000000102
HANA, KENJI, MOD = 1180000000000000201, 1180000000000000202, 1180000000000000203
ART, MODS, SHOWN, DIRECT = (1180000000000000300 + number for number in (1, 2, 3, 4))
MEMBERS, BOSSES = 1180000000000000401, 1180000000000000402
START = datetime(2026, 11, 22, 12, tzinfo=UTC)

VERSIONS = sorted(schema_dumps.recorded())


def job_id(version, number):
    """Return the id of the job that was written as this one of a version."""
    return f"{version:02x}{number:010x}"


def message(version, number):
    return 1180000000000000000 + version * 10000 + number


def written(version, **later):
    """Return when a version's rows were written."""
    return START + timedelta(hours=6 * (version - 1), **later)


def since(version):
    """Run a test with the database that a version left, and with that of the newest one, which was that once."""
    return pytest.mark.parametrize("database", sorted({version, VERSIONS[-1]}), indirect=True)


every_version = pytest.mark.parametrize("database", VERSIONS, indirect=True)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "bot.sqlite3"


@pytest.fixture(scope="module")
def opened_before():
    """The files of earlier versions as this version has left them, by the earlier version."""
    return {}


@pytest.fixture
async def database(request, path, opened_before):
    """The database that a version left, opened by this one."""
    if request.param not in opened_before:
        schema_dumps.restore(schema_dumps.recorded()[request.param].read_text(encoding="utf-8"), path)
        await (await Database.open(path)).close()
        opened_before[request.param] = path.read_bytes()
    path.write_bytes(opened_before[request.param])
    opened = await Database.open(path)
    yield opened
    await opened.close()


async def job(database, version, number):
    return await JobStore(database).get(job_id(version, number))


async def pictures(database, version, number):
    return await JobStore(database).pictures(job_id(version, number))


def test_every_version_is_recorded():
    assert VERSIONS == [number for number, _sql in migrations()]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_record_has_rows_in_every_table_and_is_what_a_dump_of_it_says(version, path):
    sql = schema_dumps.recorded()[version].read_text(encoding="utf-8")
    schema_dumps.restore(sql, path)

    with contextlib.closing(sqlite3.connect(path)) as raw:
        kinds = {row[1]: row[2] for row in raw.execute("PRAGMA table_list") if not row[1].startswith("sqlite_")}
        empty = {name for name in kinds if not raw.execute(f"SELECT COUNT(*) FROM {name}").fetchone()[0]}  # noqa: S608 - a table's name
        assert schema_dumps.dump(raw) == sql
    assert empty == set()


def test_the_newest_recording_is_recorded_again_by_the_commands_of_the_guide(path, tmp_path):
    """What they leave of it without a migration is what it was, so a new recording has all rows of the earlier ones."""
    again = tmp_path / "again.sql"
    schema_dumps.main(["--upgrade", str(path)])
    schema_dumps.main([str(path), str(again)])

    assert again.read_text(encoding="utf-8") == schema_dumps.recorded()[VERSIONS[-1]].read_text(encoding="utf-8")


@every_version
async def test_an_earlier_database_becomes_a_sound_new_one(database, path, tmp_path):
    fresh = tmp_path / "fresh.sqlite3"
    await (await Database.open(fresh)).close()

    assert schema_dumps.schema(path) == schema_dumps.schema(fresh)
    for check, answer in (
        ("integrity_check", [("ok",)]),
        ("foreign_key_check", []),
        ("user_version", [(migrations()[-1][0],)]),
    ):
        rows = await database.reader.all(f"PRAGMA {check}")
        assert [tuple(row) for row in rows] == answer
    async with database.transaction() as connection:
        for index in ("gallery_search", "tag_words"):  # raises where an index is not what its table says
            await connection.execute(f"INSERT INTO {index} ({index}, rank) VALUES ('integrity-check', 1)")  # noqa: S608 - a table's name


@every_version
async def test_ends_count_as_shown_unless_the_version_wrote_that_they_are_not(request, database, path):
    """Versions below 11 did not keep it: a restart after the update must not show every failure of years again."""
    version = request.node.callspec.params["database"]
    written = path.with_name("written.sqlite3")
    schema_dumps.restore(schema_dumps.recorded()[version].read_text(encoding="utf-8"), written)
    with contextlib.closing(sqlite3.connect(written)) as raw:
        ended = "SELECT id FROM jobs WHERE status IN ('failed', 'cancelled')"
        assert raw.execute(ended).fetchall() != []
        not_shown = [] if version < 11 else raw.execute(f"{ended} AND NOT end_shown").fetchall()

    assert {job.id for job in await JobStore(database).ends_not_shown()} == {job_id for (job_id,) in not_shown}


@pytest.mark.parametrize("version", VERSIONS)
async def test_every_job_has_the_request_that_was_written(version, path):
    """What an old request names is as it was; what it could not name yet is as it is by default."""
    schema_dumps.restore(schema_dumps.recorded()[version].read_text(encoding="utf-8"), path)
    with contextlib.closing(sqlite3.connect(path)) as raw:
        before = {row[0]: row[1:] for row in raw.execute("SELECT id, request, status, user_id, created_at FROM jobs")}
    database = await Database.open(path)
    jobs = {job.id: job for job in await JobStore(database).with_status(*JobStatus)}
    await database.close()

    assert set(before) == set(jobs)
    assert {job.status for job in jobs.values()} == set(JobStatus)
    for number, (request, status, user_id, created_at) in before.items():
        job = jobs[number]
        assert (job.status, job.user_id, job.created_at.timestamp()) == (status, user_id, created_at)
        written = _renamed(request)
        if written.get("init"):
            written["init"] = {**_plain(InitImage()), **written["init"]}
        assert _plain(job.request) == {**_plain(GenerationRequest(prompt="")), **written}


def _plain(record):
    return json.loads(json.dumps(asdict(record), default=_as_base64))


def _as_base64(content):
    return base64.b64encode(content).decode()


def _renamed(request):
    """Return a request as it is read now: until version 11 the picture to start from was in it, as `file`."""
    found = json.loads(request)
    if found.get("init") and "file" in found["init"]:
        content = found["init"].pop("file")
        upload = len(base64.b64decode(content))
        found["init"] |= {"content": content, "name": "", "upload": upload, "width": 0, "height": 0}
    elif found.get("init"):
        found["init"]["content"] = ""
    return found


@since(1)
async def test_jobs_of_version_1(database):
    done, posted, rendered, leased, queued, failed, cancelled, direct = [
        await job(database, 1, number) for number in range(1, 9)
    ]

    assert done.request == GenerationRequest(
        prompt="mksks style, 1girl, red hair",
        negative_prompt="lowres",
        seed=7,
        count=2,
        hires=HiresFix(width=960, height=1280),
    )
    assert (done.status, done.seconds, done.attempts) == (JobStatus.DONE, 12.5, 0)
    assert done.created_at == written(1, minutes=1)
    assert done.reply == ReplyTarget(channel_id=ART, message_id=message(1, 1), guild_id=GUILD)
    assert done.options == JobOptions()
    assert posted.request == GenerationRequest(
        prompt="1boy, \"quoted\" 'text'\nline two, 青い髪",
        width=512,
        height=512,
        seed=4294967295,
        steps=30,
        cfg_scale=4.5,
        sampler="Euler a",
        schedule="Automatic",
        clip_skip=1,
        noise_source="CPU",
        emphasis="No norm",
        eta_noise_seed_delta=0,
    )
    assert rendered.request == GenerationRequest(
        prompt="1girl, variation",
        seed=3,
        subseed=11,
        subseed_strength=0.25,
        seed_resize_width=512,
        seed_resize_height=768,
    )
    assert (leased.status, leased.attempts) == (JobStatus.LEASED, 1)
    assert (queued.status, queued.reply.message_id) == (JobStatus.QUEUED, None)
    assert (failed.status, failed.reason) == (JobStatus.FAILED, "the bot stopped while this was painted, twice")
    assert failed.request.hires == HiresFix(
        scale=1.5,
        steps=0,
        denoising_strength=0.5,
        upscaler="R-ESRGAN 4x+ Anime6B",
        sampler="DDIM",
        schedule="Automatic",
        cfg_scale=5.0,
        prompt="detailed",
        negative_prompt="blurry",
    )
    assert (cancelled.status, cancelled.reason) == (JobStatus.CANCELLED, None)
    assert (direct.reply.guild_id, direct.reply.channel_id) == (None, DIRECT)


@since(1)
async def test_pictures_of_version_1(database):
    first, second = await pictures(database, 1, 1)

    assert (first.number, first.seed, first.width, first.height) == (0, 7, 960, 1280)
    assert (second.number, second.seed) == (1, 8)
    assert first.file == f"{job_id(1, 1)}/00-7.png"
    assert first.infotext.startswith("mksks style, 1girl, red hair\nNegative prompt: lowres\nSteps: 20, ")
    assert first.rating is None
    assert [len(await pictures(database, 1, number)) for number in (2, 3, 4)] == [1, 1, 0]


@since(1)
async def test_the_line_of_version_1_is_weighed_in_work(database):
    waiting = {each.id: each for each in await JobStore(database).in_line()}

    assert (waiting[job_id(1, 5)].work, waiting[job_id(1, 5)].count) == (20 * 448 * 640, 1)
    assert waiting[job_id(1, 5)].guild_id == GUILD
    assert waiting[job_id(1, 8)].guild_id is None
    refunded = await database.reader.number("SELECT refunded FROM jobs WHERE id = ?", job_id(1, 6))
    assert refunded == 1  # what had failed was given back then
    row = await database.reader.one("SELECT cost, count FROM jobs WHERE id = ?", job_id(1, 1))
    assert tuple(row) == (2 * (20 * 448 * 640 + 20 * 960 * 1280), 2)


@since(1)
async def test_what_was_kept_by_name(database):
    assert await KeyValueStore(database).get("commands:1180000000000000001:global") == "ab" * 32


@since(2)
async def test_jobs_of_version_2(database):
    hidden, over = await job(database, 2, 1), await job(database, 2, 2)

    assert hidden.options == JobOptions(spoiler=True)
    assert over.options == JobOptions(private=True, origin=job_id(1, 1))
    assert (over.request.init.denoising_strength, over.request.init.resize_mode) == (0.6, "Crop and resize")
    assert over.request.init.content.startswith(b"\x89PNG")
    assert await GalleryStore(database).ancestors(over.id) == [
        Ancestor(job_id=job_id(1, 1), user_id=HANA, guild_id=GUILD, channel_id=ART, message_id=message(1, 1))
    ]


@since(2)
async def test_settings_of_version_2(database):
    settings = SettingsStore(database)

    assert await settings.all(Scope.USER, HANA) == {
        "draw.steps": 25,
        "draw.negative": "lowres, bad hands",
        "draw.spoiler": True,
        "draw.cfg": 6.5,
    }
    assert await settings.all(Scope.CHANNEL, ART) == {"draw.size": "square", "cap_count": 2}
    assert (await settings.all(Scope.ROLE, MEMBERS))["cap_steps"] == 40
    server = await settings.all(Scope.GUILD, GUILD)
    assert (server["house.prefix"], server["draw.hires"]) == ("masterpiece", False)


@since(3)
async def test_quotas_of_version_3(database):
    quotas, now = QuotaStore(database), written(3)
    allowance = Allowance(per_day=3_000_000_000, saved=9_000_000_000)
    hana = await quotas.state(Account(user_id=HANA, guild_id=GUILD), UNLIMITED, now)
    kenji = await quotas.state(Account(user_id=KENJI, guild_id=GUILD), allowance, written(1))
    direct = await quotas.state(Account(user_id=HANA), allowance, now)

    assert [(grant.work, grant.reason) for grant in hana.grants] == [(1_000_000, None), (50_735_000, "won the contest")]
    assert {grant.granted_by for grant in hana.grants} == {MOD}
    assert hana.balance.extra == 44_000_000
    assert kenji.balance.given == 3_000_000_000
    assert (direct.balance.rest, direct.balance.left) == (-5, 0)


@since(3)
async def test_jobs_of_version_3_are_refunded_as_they_were_paid(database):
    jobs = JobStore(database)
    queued, work = await job(database, 3, 2), 20 * 448 * 640
    (before,) = await database.reader.one("SELECT extra FROM balances WHERE user_id = ? AND guild_id", HANA)
    await jobs.end(queued.id, JobStatus.CANCELLED, now=written(3))
    (after,) = await database.reader.one("SELECT extra FROM balances WHERE user_id = ? AND guild_id", HANA)

    assert (queued.request.checkpoint, queued.request.vae) == ("anything", "soft")
    assert after - before == work
    assert await database.reader.number("SELECT refunded FROM jobs WHERE id = ?", job_id(3, 3)) == 1


@since(4)
async def test_the_gallery_of_version_4(database):
    gallery = GalleryStore(database)
    search = Search(guild_id=GUILD, user_id=HANA, adult=True, upto=4)
    entries, total = await gallery.find(search, offset=0, limit=10, now=written(4))
    top, _total = await gallery.find(
        Search(guild_id=GUILD, user_id=HANA, adult=False, view=View.TOP, upto=4), offset=0, limit=10, now=written(4)
    )

    assert total == 3
    assert [(entry.id, entry.votes, entry.adult, entry.spoiler) for entry in entries] == [
        (3, 1, False, False),
        (2, 0, True, True),
        (1, 2, False, False),
    ]
    assert [entry.id for entry in top] == [1, 3]
    assert entries[2].prompt == "1girl, in the gallery"
    assert (entries[2].channel_id, entries[2].message_id) == (SHOWN, message(4, 11))
    assert (entries[2].seed, entries[0].file) == (41, None)
    assert (await gallery.by_message(message(4, 13))).id == 3
    assert (await JobStore(database).shown_in(message(4, 13))).id == job_id(4, 2)
    assert await gallery.newest(GUILD) >= 3


@since(4)
async def test_the_gallery_of_version_4_is_searched(database):
    gallery = GalleryStore(database)

    async def found(**wanted):
        search = Search(guild_id=GUILD, user_id=HANA, adult=True, upto=4, **wanted)
        return [entry.id for entry in (await gallery.find(search, offset=0, limit=10, now=written(4)))[0]]

    assert await found(text="galle") == [2, 1]
    assert await found(tag="swept away") == [3]
    assert await found(view=View.MINE) == [2, 1]
    assert await found(text="hidden") == []


@since(4)
async def test_what_was_to_be_deleted_in_version_4(database):
    erasures = await GalleryStore(database).erasures(limit=10)

    assert PendingDeletion(message_id=message(4, 14), channel_id=SHOWN, guild_id=GUILD) in erasures
    assert await KeyValueStore(database).get(f"best_of:{GUILD}") == "2026-11-16"


@since(4)
async def test_pictures_of_version_4(database):
    first, _second = await pictures(database, 4, 1)
    (swept,) = await pictures(database, 4, 2)

    assert re.fullmatch(r"[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f]{64}\.png", first.file)
    assert first.size == 1000
    assert (swept.file, swept.size, swept.rating) == (None, 900, None)


@since(5)
async def test_reviews_of_version_5(database):
    reviews = ReviewStore(database)

    for number, state in enumerate(("open", "approved", "rejected"), start=1):
        expected = Review(state=state, channel_id=MODS, message_id=message(5, 10 + number))
        assert await reviews.get(job_id(5, number)) == expected
        found = await job(database, 5, number)
        assert (found.withheld, found.options.adult_allowed) == (state == "open", state == "approved")
    assert job_id(5, 1) in await reviews.overdue(before=written(5, days=8))
    assert await reviews.open_in(message_id=message(5, 11)) == [job_id(5, 1)]


@since(5)
async def test_blocks_and_the_log_of_version_5(database):
    blocks = BlockStore(database)
    kenji = await blocks.get(GUILD, KENJI, now=written(5))
    hana = await blocks.all(OTHER, now=written(5))
    log = await AuditLog(database).page(GUILD, user_id=KENJI, limit=100)

    assert kenji == Block(guild_id=GUILD, user_id=KENJI, until=written(5, days=365), reason="spam")
    assert hana == [Block(guild_id=OTHER, user_id=HANA)]
    assert [(each.action, each.detail, each.prompt) for each in log if each.user_id == MOD] == [
        ("approve", "", "1girl, review approved"),
        ("block", "for 365 days (spam)", None),
    ]
    assert ("paint", job_id(5, 3), "failed") in [(each.action, each.job_id, each.status) for each in log]


@since(5)
async def test_settings_of_version_5(database):
    settings = SettingsStore(database)
    pauses = Pauses(settings)
    await pauses.load()
    server = await settings.all(Scope.GUILD, GUILD)

    assert {name: value for name, value in server.items() if not name.startswith(("draw.", "house."))} == {
        "quota": 3000.0,
        "gallery_channel": SHOWN,
        "best_of": True,
        "channels": {str(ART): "allow", str(MODS): "deny"},
        "words": ["forbidden", "not this"],
        "adult_tags": ["swimsuit"],
        "mod_channel": MODS,
        "admin_role": BOSSES,
        "cap_size": 1024,
        "cap_hires": 0,
    }
    assert await settings.each(Scope.ROLE, [MEMBERS]) == {MEMBERS: {"cap_steps": 40, "quota": 6000.0}}
    assert pauses.guilds == {OTHER}
    assert not pauses.everywhere


@since(6)
async def test_tags_of_version_6(database):
    tags = TagStore(database)
    (red,) = await tags.beginning_with("redhe", 10)
    found, total = await tags.search("hair", None, offset=0, limit=10)

    assert (red.tag.name, red.alias, red.tag.count) == ("red_hair", "redhead", 800)
    assert [(tag.name, tag.aliases) for tag in found] == [
        ("long_hair", ("longhair", "very_long")),
        ("red_hair", ("redhead",)),
    ]
    assert total == 2
    assert await tags.known(["long hair", "old tag", "half done"]) == {"long hair"}
    assert await tags.counts() == {0: 2, 4: 1}
    assert [tag.name for tag in await tags.imported()] == ["long_hair", "saber_(fate)"]
    assert (await tags.state()).source == "danbooru.csv"


@since(7)
async def test_presets_of_version_7(database):
    presets = PresetStore(database)
    (own,) = await presets.personal(HANA)
    forgotten, shared = await presets.shared(GUILD)

    assert (own.name, own.saved_at, own.is_shared) == ("Watercolor", written(7), False)
    assert own.values == {
        "prompt": "{prompt}, watercolor",
        "negative": "lowres",
        "size": "512x768",
        "steps": 30,
        "cfg": 6.5,
        "sampler": "Euler a",
        "hires": True,
        "hires_scale": 1.5,
        "count": 2,
        "spoiler": False,
    }
    assert (shared.name, shared.owner_id, shared.is_shared) == ("Nuit Étoilée", HANA, True)
    assert (shared.values["lora"], shared.values["aspect"]) == ("<lora:stars:0.8>", "16:9")
    assert (forgotten.name, forgotten.owner_id) == ("forgotten", 0)


@since(7)
async def test_confirmations_of_version_7(database, path):
    store, now = ConfirmationStore(database, PictureFiles(path.parent, database)), written(7, minutes=10)
    plan = await store.take(job_id(7, 101), HANA, now=now)
    over = await store.take(job_id(7, 102), KENJI, now=now)

    requests = tuple(
        GenerationRequest(prompt=prompt, seed=seed) for seed, prompt in ((70, "1girl, cat"), (71, "1girl, dog"))
    )
    options = JobOptions(spoiler=True, origin=job_id(1, 1))
    assert plan == Plan(user_id=HANA, guild_id=GUILD, requests=requests, options=options)
    assert over.guild_id is None
    assert [request.init.content[:4] for request in over.requests] == [b"\x89PNG"] * 2


@since(7)
async def test_private_jobs_and_settings_of_version_7(database):
    private = await job(database, 7, 1)

    assert private.options == JobOptions(private=True, home_channel_id=ART)
    assert await SettingsStore(database).all(Scope.USER, KENJI) == {
        "draw.sampler": "Euler a",
        "draw.schedule": "Karras",
        "draw.clip_skip": 1,
        "draw.hires_scale": 1.5,
        "draw.denoise": 0.55,
        "draw.count": 2,
        "draw.checkpoint": "anything",
        "draw.vae": "soft",
        "draw.style": True,
        "draw.private": False,
    }


async def check_a_whole_version(database, version):
    """Read what the stores of version 8 and those after it wrote, all of them the same."""
    locale = "ja" if version >= 9 else ""
    rated, grid, posted, withheld, leased, queued, failed, cancelled = [
        await job(database, version, number) for number in range(1, 9)
    ]

    assert [picture.rating for picture in await pictures(database, version, 1)] == [
        "general",
        "sensitive",
        "questionable",
        "explicit",
        "failed",
        None,
    ]
    assert (rated.options.adult_allowed, rated.options.locale, rated.seconds) == (True, locale, 2.5)
    assert grid.request.grid == Grid(
        x=Axis(kind="steps", values=("10", "20")), y=Axis(kind="sampler", values=("Euler a", "DDIM"))
    )
    assert posted.request.hires == HiresFix(width=960, height=1280, prompt="detailed")
    assert (withheld.withheld, withheld.options.spoiler) == (True, True)
    assert leased.request.init == InitImage.of(b"a file", denoising_strength=0.5, resize_mode="Resize and fill")
    assert leased.options.origin == rated.id
    assert queued.options == JobOptions(private=True, home_channel_id=ART, locale=locale)
    assert (failed.reason, cancelled.status) == ("the worker ran out of memory", JobStatus.CANCELLED)
    assert (await ReviewStore(database).get(withheld.id)).message_id == message(version, 54)
    shown = await GalleryStore(database).by_message(message(version, 80))
    assert (shown.job_id, shown.number, shown.votes) == (rated.id, 0, 1)
    store = ConfirmationStore(database, PictureFiles(database.path.parent, database))
    plan = await store.take(job_id(version, 101), MOD, now=written(version))
    assert (len(plan.requests), plan.options.locale) == (2, locale)
    presets = {preset.name: preset.values for preset in await PresetStore(database).personal(MOD)}
    assert presets[f"Version {version}"] == {"prompt": "1girl", "steps": version}
    kept = KeyValueStore(database)
    assert await kept.get("checkpoint in use") == "anything"
    assert await kept.get(f"hash:anything-v{version}.safetensors") == f"123:4560 {version:064x}"


@since(8)
async def test_version_8(database):
    await check_a_whole_version(database, 8)


@since(9)
async def test_version_9(database):
    await check_a_whole_version(database, 9)


@since(10)
async def test_version_10(database):
    await check_a_whole_version(database, 10)


@since(10)
async def test_messages_with_several_pictures_of_version_10(database):
    gallery = GalleryStore(database)
    shown = await gallery.by_message(message(10, 80))

    assert message(10, 81) not in {erasure.message_id for erasure in await gallery.erasures(limit=10)}
    assert message(10, 82) in {erasure.message_id for erasure in await gallery.erasures(limit=10)}
    await gallery.unshare(shown.id)
    assert message(10, 81) in {erasure.message_id for erasure in await gallery.erasures(limit=10)}


@since(11)
async def test_messages_of_version_11(database):
    """The ends that were written before this was kept count as shown."""
    jobs = JobStore(database)
    failed, cancelled = await job(database, 11, 1), await job(database, 11, 2)
    first, second = await BegunMessageStore(database).before(written(11, minutes=60))

    assert await jobs.ends_not_shown() == [failed]
    assert await jobs.asked_by(message(11, 3)) == [failed, cancelled]
    assert (first.channel_id, first.message_id, first.interaction_id) == (DIRECT, message(11, 1), message(11, 0))
    assert (second.message_id, second.interaction_id) == (None, message(11, 2))


@since(12)
async def test_pictures_to_start_from_of_version_12(database):
    started = await job(database, 12, 1)
    store = ConfirmationStore(database, PictureFiles(database.path.parent, database))
    plan = await store.take(job_id(12, 101), HANA, now=written(12))

    name = "b9/63/b963" + "0" * 60 + ".png"
    init = InitImage(name=name, upload=9_800_000, width=64, height=96, denoising_strength=0.5)
    assert started.request.init == init
    assert [request.init for request in plan.requests] == [init] * 2
    (start,) = [start for start in await PersonalStore(database).start_pictures(HANA) if start.job_id == started.id]
    assert (start.file, start.size) == (name, 5000)


@since(14)
async def test_origins_and_ready_messages_of_version_14(database):
    varied = await job(database, 14, 1)
    assert (varied.options.origin, varied.options.made_with) == (job_id(12, 1), "vary")

    await PersonalStore(database).forget(HANA)
    gone = {each.message_id for each in await GalleryStore(database).erasures(limit=100)}
    assert {message(14, 11), message(14, 12)} <= gone


@every_version
async def test_a_person_of_an_earlier_version_is_exported_and_forgotten(database):
    store = PersonalStore(database)
    rows = await store.rows(HANA)
    pictures = await store.pictures(HANA)
    await store.forget(HANA)

    assert job_id(1, 1) in {row["id"] for row in rows["jobs"]}
    assert (job_id(1, 1), 7) in {(picture.job_id, picture.seed) for picture in pictures}
    assert (await store.rows(HANA))["jobs"] == []
