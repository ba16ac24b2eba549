"""Who may have pictures described, and how many."""

import asyncio
import re
import sys

import pytest
from helpers.fake_executors import FakeDescriber
from helpers.support import eventually, make_settings, png
from pydantic import SecretStr

from pastelbot import app, run
from pastelbot.config import Settings
from pastelbot.errors import LimitError, NotAllowedError, RequestError, StartupError, install_command
from pastelbot.records import Actor
from pastelbot.service.tagging import Describing


class OpenHouse:
    """Lets all users in but the blocked."""

    async def authorize(self, actor):
        if actor.user_id == 13:
            raise NotAllowedError("You are blocked here.")


@pytest.fixture
def describer():
    return FakeDescriber()


@pytest.fixture
def describing(describer, clock):
    return Describing(describer, OpenHouse(), per_minute=3, clock=clock.monotonic)


def ask(describing, user_id):
    return describing.describe(Actor(user_id=user_id), png())


async def test_the_blocked_are_refused(describing, describer):
    with pytest.raises(NotAllowedError):
        await ask(describing, 13)

    assert [] == describer.described


async def test_each_person_has_a_number_of_pictures_a_minute(describing, clock):
    for _ in range(3):
        await ask(describing, 1)
    with pytest.raises(LimitError, match="3 pictures a minute"):
        await ask(describing, 1)
    await ask(describing, 2)
    clock.advance(seconds=59)
    with pytest.raises(LimitError):
        await ask(describing, 1)

    clock.advance(seconds=1)

    await ask(describing, 1)


async def test_a_clock_that_goes_back_a_day_keeps_no_user_waiting(describing, describer, clock):
    for _ in range(3):
        await ask(describing, 1)
    clock.jump(days=-1)
    clock.advance(minutes=1)

    await ask(describing, 1)

    assert len(describer.described) == 4


async def test_few_wait_at_a_time(describing, describer):
    """Finished pictures must not wait for their rating behind a crowd."""
    describer.hold()
    waiting = [asyncio.ensure_future(ask(describing, user_id)) for user_id in range(20, 24)]
    await eventually(lambda: len(describer.described) == 4)
    with pytest.raises(LimitError, match="4 pictures are waiting to be described"):
        await ask(describing, 30)

    describer.release()
    await asyncio.gather(*waiting)

    await ask(describing, 30)


async def test_without_a_tagger_the_operator_is_named(clock):
    with pytest.raises(RequestError, match="The bot's operator can switch it on"):
        await ask(Describing(None, OpenHouse(), per_minute=3, clock=clock.monotonic), 1)


def test_the_tagger_is_off_by_default():
    assert not Settings().tagger.enabled


async def test_without_its_extra_a_tagger_that_is_on_stops_the_start(tmp_path, monkeypatch):
    """An operator who asks for ratings gets them or a sentence, never a bot without."""
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    settings = make_settings(tmp_path, tagger={"enabled": True})

    with pytest.raises(StartupError, match=re.escape(install_command("tagger"))):
        await run.check(settings.model_copy(update={"token": SecretStr("token")}))


def test_the_tagger_downloads_where_checkpoints_are(tmp_path):
    checkpoint = {"path": "bundled", "offline": True, "cache_dir": tmp_path}
    tagger = {"path": tmp_path / "tagger", "threads": 3, "revision": "v3", "character_threshold": 0.5}
    options = app.tagger_options(make_settings(tmp_path, checkpoint=checkpoint, tagger=tagger))

    assert (True, tmp_path) == (options.offline, options.cache_dir)
    assert (tmp_path / "tagger", 3, "v3", 0.5) == (
        options.path,
        options.threads,
        options.revision,
        options.character_threshold,
    )
