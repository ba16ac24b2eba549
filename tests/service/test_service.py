import asyncio

import pytest
from helpers import services
from helpers.fake_executors import FakeExecutor
from helpers.jobs import work_used

from pastelbot.config import bundled
from pastelbot.errors import LimitError, NotAllowedError, NotFoundError, QuotaError
from pastelbot.jobs.dispatcher import Dispatcher
from pastelbot.options import default_request, default_work
from pastelbot.records import Actor, JobOptions, JobStatus, ReplyTarget
from pastelbot.service.models.models import Models
from pastelbot.service.requests.checking import RequestChecker
from pastelbot.service.requests.submission import JobService
from pastelbot.store.database import Database
from pastelbot.store.jobs.store import JobStore
from pastelbot.store.key_values import KeyValueStore
from pastelbot.store.picture_files import PictureFiles

REPLY = ReplyTarget(channel_id=1)
HANA, KENJI = 1, 2
WORK = default_work(bundled())  # of a picture like the default
PICTURE = WORK / 1_000_000


@pytest.fixture
async def database(settings):
    opened = await Database.open(settings.storage.database)
    yield opened
    await opened.close()


@pytest.fixture
def jobs(database):
    return JobStore(database)


class CheckingService(JobService):
    """The service, the checker of what is submitted to it, and the settings of both."""

    def __init__(self, settings, jobs, dispatcher, checker, *others, clock):
        super().__init__(jobs, dispatcher, checker, *others, clock=clock)
        self.settings = settings
        self.checker = checker


@pytest.fixture
async def open_service(settings, database, jobs, clock):
    """Return a function that makes the service with other limits; nothing is painted."""
    dispatchers = []

    async def open_service(**limits):
        changed = settings.model_copy(
            update={
                "limits": settings.limits.model_copy(update={"waiting_per_user": limits.pop("waiting", 1000)}),
                "quota": settings.quota.model_copy(update={"saved_days": 1.0, **limits}),
            }
        )
        files = PictureFiles(settings.storage.pictures, database)
        dispatcher = Dispatcher(jobs, FakeExecutor(), files, at_once=2, stall_seconds=60, clock=clock)
        dispatchers.append(dispatcher)
        access = await services.open_access(changed, database, clock)
        audit = services.audit_trail(database, clock)
        models = Models(changed, KeyValueStore(database), dispatcher, audit)
        checker = RequestChecker(changed, access, models.names, files)
        return CheckingService(changed, jobs, dispatcher, checker, audit, files, models, clock=clock)

    yield open_service
    for dispatcher in dispatchers:
        await dispatcher.close()


@pytest.fixture
async def service(open_service):
    return await open_service()


async def submit(service, actor, request):
    """Check and submit one request."""
    checked = await service.checker.check(actor, [request], JobOptions())
    (queued,) = await service.submit(checked, [REPLY])
    return queued


async def submit_many(service, times, *, user_id=HANA, pictures=1):
    """Submit as often, all at once; return the jobs and the errors."""
    request = default_request(service.settings, seed=7).replace(prompt="1girl", count=pictures)
    results = await asyncio.gather(
        *(submit(service, Actor(user_id=user_id), request) for _ in range(times)), return_exceptions=True
    )
    failed = [result for result in results if isinstance(result, Exception)]
    return [result.job for result in results if not isinstance(result, Exception)], failed


async def test_fifty_submissions_at_once_take_exactly_the_quota(open_service, jobs, clock):
    service = await open_service(work_per_day=10 * PICTURE)
    taken, refused = await submit_many(service, 50)

    assert len(taken) == 10
    assert {QuotaError} == {type(error) for error in refused}
    assert await work_used(jobs, HANA, now=clock()) == 10 * WORK
    assert len(await jobs.with_status(JobStatus.QUEUED)) == 10


async def test_a_quota_that_does_not_divide_is_not_passed(open_service, jobs, clock):
    service = await open_service(work_per_day=10 * PICTURE)
    taken, _ = await submit_many(service, 50, pictures=4)

    assert len(taken) == 2
    assert await work_used(jobs, HANA, now=clock()) == 8 * WORK


async def test_fifty_submissions_at_once_do_not_pass_the_limit_of_the_line(open_service, jobs, clock):
    service = await open_service(waiting=5)
    taken, refused = await submit_many(service, 50)

    assert len(taken) == 5
    assert {LimitError} == {type(error) for error in refused}
    assert await work_used(jobs, HANA, now=clock()) == 5 * WORK


async def test_people_do_not_use_each_others_quota(open_service, jobs, clock):
    service = await open_service(work_per_day=3 * PICTURE)
    await asyncio.gather(submit_many(service, 10), submit_many(service, 10, user_id=KENJI))

    assert [3 * WORK] * 2 == [await work_used(jobs, user, now=clock()) for user in (HANA, KENJI)]


async def test_cancelling_twice_at_once_refunds_once(service, jobs, clock):
    (job, *_), _ = await submit_many(service, 3)
    results = await asyncio.gather(
        *(service.cancel(job.id, Actor(user_id=HANA)) for _ in range(10)), return_exceptions=True
    )

    assert sum(isinstance(result, NotFoundError) for result in results) == 9
    assert await work_used(jobs, HANA, now=clock()) == 2 * WORK


async def test_a_cancelled_job_makes_room_in_the_line(open_service):
    service = await open_service(waiting=1)
    ((job,), _) = await submit_many(service, 1)
    assert (await submit_many(service, 1))[0] == []

    await service.cancel(job.id, Actor(user_id=HANA))

    assert len((await submit_many(service, 1))[0]) == 1


@pytest.mark.parametrize("verb", ["cancel", "delete"])
async def test_only_owners_may_where_there_is_no_server(service, verb):
    jobs, _ = await submit_many(service, 1)
    do = getattr(service, verb)

    with pytest.raises(NotAllowedError, match="another user's"):
        await do(jobs[0].id, Actor(user_id=KENJI, manages_messages=True))
    await do(jobs[0].id, Actor(user_id=HANA))


@pytest.mark.parametrize("verb", ["cancel", "delete"])
async def test_a_job_that_is_not_there_is_reported(service, verb):
    with pytest.raises(NotFoundError, match="no longer known"):
        await getattr(service, verb)("000000000000", Actor(user_id=HANA, manages_messages=True))


async def test_deleting_a_waiting_job_refunds_it(service, jobs, clock):
    ((job,), _) = await submit_many(service, 1)
    await service.delete(job.id, Actor(user_id=HANA))

    assert (await service.job(job.id)).status == JobStatus.CANCELLED
    assert await work_used(jobs, HANA, now=clock()) == 0


async def test_what_is_private_is_submitted_by_the_rules_of_direct_messages(service, jobs):
    """Also where it was checked for an age-restricted channel alone."""
    adults = Actor(user_id=HANA, guild_id=5, age_restricted=True)
    request = default_request(service.settings, seed=7).replace(prompt="1girl, nude")
    checked = await service.checker.check(adults, [request], JobOptions(private=True))

    with pytest.raises(NotAllowedError, match="adult tag `nude`"):
        await service.submit(checked, [REPLY])
    assert await jobs.with_status(JobStatus.QUEUED) == []


async def test_positions_are_shown_in_the_order_of_service(service):
    request = default_request(service.settings, seed=7).replace(prompt="1girl")
    places = [(await submit(service, Actor(user_id=user), request)).position for user in (HANA, HANA, KENJI)]

    assert places == [1, 2, 2]
