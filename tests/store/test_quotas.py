"""Balances: what is refilled, saved, taken, granted and given back."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from helpers.jobs import insert_job
from hypothesis import given
from hypothesis import strategies as st

from pastelbot.errors import LimitError, QuotaError
from pastelbot.records import GenerationRequest, JobStatus, ReplyTarget
from pastelbot.store import quotas
from pastelbot.store.database import Database
from pastelbot.store.jobs.store import JobStore
from pastelbot.store.quotas import UNLIMITED, Account, Allowance, Balance, Grant, QuotaStore, refilled

DAY = Allowance(per_day=100, saved=250)
HANA = Account(user_id=1, guild_id=20)
PIXEL = GenerationRequest(prompt="1girl", width=1, height=1, steps=10)  # 10 pixel-steps


@pytest.fixture
async def database(tmp_path):
    opened = await Database.open(tmp_path / "bot.sqlite3")
    yield opened
    await opened.close()


@pytest.fixture
def store(database):
    return QuotaStore(database)


@pytest.fixture
def insert(database, clock):
    jobs = JobStore(database)

    async def insert(tens, *, guild_id=20, allowance=DAY):
        reply = ReplyTarget(channel_id=10, guild_id=guild_id)
        return await insert_job(jobs, 1, PIXEL.replace(count=tens), reply, now=clock(), allowance=allowance)

    return insert


async def left(store, clock, account=HANA):
    return (await store.state(account, DAY, clock())).balance.left


def grant(clock, work=100, reason=None):
    return Grant(work=work, granted_by=9, granted_at=clock(), reason=reason)


def test_a_new_balance_has_one_day():
    assert refilled(None, 5, DAY) == Balance(day=5, given=100, saved=250, rest=100)


async def test_an_account_that_a_grant_opened_begins_with_its_first_picture(store, insert, clock):
    """Seed 101925 of the simulation: two days after the grant it had two days' allowance, where others have one."""
    await store.grant(HANA, grant(clock, work=50))
    clock.advance(days=2)
    assert await left(store, clock) == 150

    await insert(1)
    assert await left(store, clock) == 140


def test_each_day_adds_to_what_is_left_up_to_what_may_be_saved():
    start = Balance(day=5, given=100, saved=250, rest=60)

    assert [refilled(start, 5 + days, DAY).rest for days in (0, 1, 2, 1000)] == [60, 160, 250, 250]


def test_a_clock_that_goes_back_gives_nothing():
    start = Balance(day=5, given=100, saved=250, rest=60)

    assert refilled(start, 4, DAY) == start


@pytest.mark.parametrize("ahead", [3, 400, 30_000])
def test_a_clock_that_was_far_ahead_once_leaves_no_account_empty(ahead):
    """V17: the allowance came again only when the day was there that the clock had shown."""
    spent = replace(refilled(Balance(day=5, given=100, saved=250, rest=60), 5 + ahead, DAY), rest=0)

    assert refilled(spent, 5, DAY).rest == 0
    assert refilled(refilled(spent, 5, DAY), 6, DAY).rest == 100


@given(st.lists(st.integers(-1, 1), min_size=1, max_size=40))
def test_a_clock_that_is_a_day_early_or_late_gives_each_day_once(jumps):
    """Day after day the clock is right, a day early or a day late, and all that is there is spent."""
    spent, balance = 0, None
    allowance = Allowance(per_day=100, saved=10_000)
    for day, jump in enumerate(jumps, start=100):
        balance = refilled(balance, day + jump, allowance)
        spent += balance.rest
        balance = replace(balance, rest=0)

    days_shown = [day + jump for day, jump in enumerate(jumps, start=100)]
    assert spent == 100 * (max(days_shown) - days_shown[0] + 1)
    assert spent >= 100 * (len(jumps) - 2)


def test_a_changed_allowance_counts_at_once_and_back():
    """Losing a role after spending is a debt for the day; taking it again gives nothing twice."""
    rich, poor = Allowance(per_day=500, saved=500), Allowance(per_day=100, saved=100)
    spent = Balance(day=5, given=500, saved=500, rest=50)
    poorer = refilled(spent, 5, poor)

    assert (poorer.rest, poorer.left) == (-350, 0)
    assert refilled(poorer, 5, rich).rest == 50
    assert refilled(poorer, 6, poor).rest == 100


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 400), st.booleans()), max_size=30))
def test_no_user_ever_spends_more_than_all_the_allowances(days):
    """Over any time, whatever is asked for, refused or given back."""
    balance, day, spent, passed = refilled(None, 0, DAY), 0, 0, 0
    for later, work, refunded in days:
        day, passed = day + later, passed + later
        balance = refilled(balance, day, DAY)
        if balance.left >= work and not refunded:
            balance = Balance(**{**vars(balance), "rest": balance.rest - work})
            spent += work

        assert 0 <= balance.rest <= DAY.saved
    assert spent <= 100 * (passed + 1)


async def test_a_job_takes_from_the_allowance_and_then_from_grants(store, insert, clock):
    await store.grant(HANA, grant(clock))
    await insert(15)
    balance = (await store.state(HANA, DAY, clock())).balance

    assert (balance.rest, balance.extra) == (0, 50)
    with pytest.raises(QuotaError, match="you have"):
        await insert(6)


async def test_what_is_given_back_goes_where_it_came_from(store, database, insert, clock):
    await store.grant(HANA, grant(clock))
    job = await insert(15)
    clock.advance(days=1)
    await JobStore(database).end(job.id, JobStatus.FAILED, now=clock(), reason="late")
    balance = (await store.state(HANA, DAY, clock())).balance

    assert (balance.rest, balance.extra) == (200, 100)


async def test_a_late_refund_fills_nothing_beyond_what_may_be_saved(store, database, insert, clock):
    job = await insert(10)
    clock.advance(days=5)
    assert await left(store, clock) == 250
    await insert(1)
    await JobStore(database).end(job.id, JobStatus.FAILED, now=clock(), reason="late")

    assert await left(store, clock) == 250


async def test_servers_and_direct_messages_have_balances_of_their_own(store, insert, clock):
    for guild_id in (20, 30, None):
        await insert(10, guild_id=guild_id)
    accounts = [Account(user_id=1, guild_id=guild_id) for guild_id in (20, 30, None, 40)]

    assert [await left(store, clock, account) for account in accounts] == [0, 0, 0, 100]
    assert [(await store.state(account, DAY, clock())).reserved for account in accounts] == [100, 100, 100, 0]


async def test_without_a_limit_nothing_is_taken_but_all_is_counted(store, insert, clock):
    await store.grant(HANA, grant(clock))
    await insert(1000, allowance=UNLIMITED)
    state = await store.state(HANA, UNLIMITED, clock())

    assert (state.used, state.reserved, state.balance.extra) == (10_000, 10_000, 100)


async def test_today_ends_at_midnight_utc(store, insert, clock):
    await insert(3)
    state = await store.state(HANA, DAY, clock())
    assert (state.used, state.refills_at) == (30, datetime(2026, 11, 23, tzinfo=UTC))
    clock.advance(hours=12)

    state = await store.state(HANA, DAY, clock())
    assert (state.used, state.reserved, state.refills_at) == (0, 30, datetime(2026, 11, 24, tzinfo=UTC))
    assert state.balance.left == 170


async def test_grants_are_written_down_the_newest_first(store, clock):
    for number in range(7):
        clock.advance(minutes=1)
        await store.grant(HANA, grant(clock, work=number + 1, reason=f"for {number}"))
    grants = (await store.state(HANA, DAY, clock())).grants

    assert [given.reason for given in grants] == ["for 6", "for 5", "for 4", "for 3", "for 2"]
    assert grants[0] == grant(clock, work=7, reason="for 6")
    assert await store.grants(Account(user_id=2, guild_id=20)) == ()


async def test_grants_add_up_to_no_more_than_the_cap(store, clock):
    await store.grant(HANA, grant(clock, work=100), most_extra=150)
    with pytest.raises(LimitError, match="may add up to"):
        await store.grant(HANA, grant(clock, work=51), most_extra=150)

    assert len(await store.grants(HANA)) == 1
    assert (await store.grant(HANA, grant(clock, work=50), most_extra=150)).extra == 150


def test_the_next_refill_is_the_next_midnight():
    midnight = datetime(2026, 11, 23, tzinfo=UTC)

    assert quotas.next_refill(midnight - timedelta(seconds=1)) == midnight
    assert quotas.next_refill(midnight) == midnight + timedelta(days=1)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT id FROM jobs WHERE status = 'queued' ORDER BY created_at",
        "SELECT COUNT(*) FROM jobs WHERE user_id = 1 AND status IN ('queued', 'leased')",
        "SELECT user_id, leased_at, cost, count FROM jobs WHERE leased_at >= 5 AND status != 'failed'",
    ],
)
async def test_what_is_asked_for_often_has_an_index(database, sql):
    plan = [row["detail"] for row in await database.reader.all(f"EXPLAIN QUERY PLAN {sql}")]

    assert any("INDEX jobs_" in step for step in plan), plan
    assert not any("SCAN jobs" in step and "INDEX" not in step for step in plan), plan
