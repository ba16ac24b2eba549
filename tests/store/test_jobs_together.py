"""Several jobs in one go: all of them or none."""

import asyncio
from dataclasses import replace

import pytest

from pastelbot.errors import LimitError, QuotaError
from pastelbot.records import GenerationRequest, JobOptions, JobStatus, ReplyTarget
from pastelbot.rules import cost
from pastelbot.store.database import Database
from pastelbot.store.jobs.store import JobStore
from pastelbot.store.quotas import Account, Allowance, Grant, QuotaStore

HANA = 1
REQUEST = GenerationRequest(prompt="1girl", width=128, height=128)


@pytest.fixture
async def database(settings):
    opened = await Database.open(settings.storage.database)
    yield opened
    await opened.close()


@pytest.fixture
def store(database):
    return JobStore(database)


def wanted(count):
    return [(REQUEST.replace(seed=seed), ReplyTarget(channel_id=1, guild_id=5)) for seed in range(count)]


def allowance(jobs):
    work = jobs * cost.work(REQUEST)
    return Allowance(per_day=work, saved=work, most_extra=work)


async def test_they_are_queued_in_their_order_with_the_same_options(store, clock):
    options = JobOptions(spoiler=True, private=True, origin="0" * 12, home_channel_id=9)
    jobs = await store.insert(HANA, wanted(3), now=clock(), allowance=allowance(3), options=options)

    assert jobs == await store.with_status(JobStatus.QUEUED)
    assert [0, 1, 2] == [job.request.seed for job in jobs]
    assert {options} == {job.options for job in jobs}


async def test_a_quota_for_all_but_one_is_none_for_any(store, clock):
    usual = replace(allowance(2), usual=cost.work(REQUEST))
    with pytest.raises(QuotaError, match="That would cost 3 usual pictures, more"):
        await store.insert(HANA, wanted(3), now=clock(), allowance=usual)

    assert [] == await store.with_status(JobStatus.QUEUED)
    assert 2 == len(await store.insert(HANA, wanted(2), now=clock(), allowance=allowance(2)))


async def test_each_takes_what_is_left_of_the_allowance_and_then_what_was_granted(database, store, clock):
    work, day = cost.work(REQUEST), replace(allowance(2), most_extra=0)
    account, quotas = Account(user_id=HANA, guild_id=5), QuotaStore(database)
    await quotas.grant(account, Grant(work=2 * work, granted_by=9, granted_at=clock()))
    jobs = await store.insert(HANA, wanted(3), now=clock(), allowance=day)
    balance = (await quotas.state(account, day, clock())).balance
    assert (balance.rest, balance.extra) == (0, work)

    await store.end(jobs[2].id, JobStatus.CANCELLED, now=clock())

    balance = (await quotas.state(account, day, clock())).balance
    assert (balance.rest, balance.extra) == (0, 2 * work)


async def test_many_at_once_do_not_pass_the_limit_of_the_line(store, clock):
    results = await asyncio.gather(
        *(store.insert(HANA, wanted(3), now=clock(), waiting_limit=7) for _ in range(10)), return_exceptions=True
    )

    assert 8 == sum(isinstance(result, LimitError) for result in results)
    assert 6 == len(await store.with_status(JobStatus.QUEUED))
