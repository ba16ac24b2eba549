"""Requests are authorised once, and again where their place changes."""

import pytest
from helpers import services

from pastelbot.errors import LimitError, NotAllowedError
from pastelbot.formats.network_files import ModelNames
from pastelbot.options import default_request
from pastelbot.prompt.parsing import PromptParser
from pastelbot.records import Actor, Grid, JobOptions
from pastelbot.rules.grids import read_axis
from pastelbot.service.requests.checking import RequestChecker
from pastelbot.store.database import Database
from pastelbot.store.picture_files import PictureFiles

ADULTS = Actor(user_id=1, guild_id=5, channel_id=6, places=(6,), age_restricted=True)


@pytest.fixture
async def database(settings):
    opened = await Database.open(settings.storage.database)
    yield opened
    await opened.close()


@pytest.fixture
def files(settings, database):
    return PictureFiles(settings.storage.pictures, database)


@pytest.fixture
async def access(settings, database, clock, monkeypatch):
    """The access policy, which counts how often it was asked."""
    policy = await services.open_access(settings, database, clock)
    policy.asked = 0
    authorize = policy.authorize

    async def counted(actor):
        policy.asked += 1
        return await authorize(actor)

    monkeypatch.setattr(policy, "authorize", counted)
    return policy


@pytest.fixture
def checker(settings, access, files):
    return RequestChecker(settings, access, ModelNames(), files)


@pytest.fixture
def request_of(settings):
    return lambda prompt: default_request(settings, seed=7).replace(prompt=prompt)


async def test_several_requests_are_authorised_once(checker, access, request_of):
    checked = await checker.check(ADULTS, [request_of("1girl")] * 5, JobOptions())

    assert access.asked == 1
    assert (checked.actor, len(checked.requests), checked.policy.content.adult_allowed) == (ADULTS, 5, True)


async def test_a_policy_that_was_just_read_is_not_read_again(checker, access, request_of):
    policy = await access.authorize(ADULTS)
    checked = await checker.check(ADULTS, [request_of("1girl")], JobOptions(), policy=policy)

    assert access.asked == 1
    assert checked.policy is policy


async def test_more_requests_than_may_wait_are_refused(checker, settings, request_of):
    with pytest.raises(LimitError, match="ask for fewer at once"):
        await checker.check(ADULTS, [request_of("1girl")] * (settings.limits.waiting_per_user + 1), JobOptions())


async def test_a_direct_message_is_another_place(checker, access, request_of):
    checked = await checker.check(ADULTS, [request_of("1girl, nude")], JobOptions(private=True))

    with pytest.raises(NotAllowedError, match="adult tag `nude`"):
        await checker.for_direct_message(checked)
    assert access.asked == 2


async def test_what_was_checked_for_a_direct_message_is_not_checked_again(checker, access, request_of):
    checked = await checker.check(ADULTS, [request_of("1girl")], JobOptions(private=True))
    private = await checker.for_direct_message(checked)

    assert not private.policy.content.adult_allowed
    assert await checker.for_direct_message(private) is private
    assert access.asked == 2


async def test_each_prompt_of_a_request_is_parsed_once(settings, access, files, request_of):
    parsers = []

    def new_parser():
        parsers.append(PromptParser())
        return parsers[-1]

    checker = RequestChecker(settings, access, ModelNames(), files, new_parser=new_parser)
    cells = Grid(x=read_axis("steps", "20-44"))
    requests = [request_of(f"{colour} hair, {'(:' * 90}").replace(grid=cells, hires=None) for colour in ("red", "blue")]
    await checker.check(ADULTS, requests, JobOptions())

    assert len(parsers) == 1
    assert parsers[0].attention.cache_info().misses == 4  # two prompts, the negative one, no hires prompt


async def test_a_prompt_that_becomes_too_much_text_is_refused(settings, access, files, request_of):
    checker = RequestChecker(settings, access, ModelNames(), files, new_parser=lambda: PromptParser(most_text=1000))
    await checker.check(ADULTS, [request_of("[a|b] " + "c" * 200).replace(negative_prompt="")], JobOptions())

    with pytest.raises(LimitError, match=r"With all its steps the prompt has more than 1,000 characters"):
        await checker.check(ADULTS, [request_of("[a|b|c|d|e] " + "c" * 200)], JobOptions())
