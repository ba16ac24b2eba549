"""The tagger's process: what it costs when it dies, hangs or cannot start."""

import asyncio
import os
import signal

import pytest
from helpers import fake_taggers
from helpers.small_tagger import make_tagger, nodes_that_fail_on_red, options_of
from helpers.support import ended, eventually, png

from pastelbot.errors import RequestError, TaggerError
from pastelbot.jobs.tagger.tagger_process import TaggerProcess


class Time:
    """Seconds that only the test moves."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
async def start(tmp_path):
    started = []

    def start(target=None, *, nodes=None, **options):
        """Start a process with a real tagger of these nodes, or with another target."""
        if target is not None:
            options["target"] = target
        folder = make_tagger(tmp_path / "tagger", nodes=nodes) if target is None else tmp_path
        process = TaggerProcess(options_of(folder), **options)
        started.append(process)
        return process

    yield start
    for process in started:
        await process.close()


async def test_a_real_tagger_describes_from_its_process(start):
    tagger = start(nodes=nodes_that_fail_on_red())
    assert tagger.pid is None

    assert "questionable" == (await tagger.describe(png("blue", size=(40, 40)))).rating
    with pytest.raises(RequestError, match="The picture cannot be read"):
        await tagger.describe(b"no picture")
    with pytest.raises(TaggerError, match="model failed"):
        await tagger.describe(png("red", size=(40, 40)))
    assert "general" == (await tagger.describe(png("white", size=(40, 40)))).rating


async def test_a_picture_that_kills_the_tagger_costs_itself_alone(start):
    """Those that waited behind it are described by the next process."""
    tagger = start(fake_taggers.obedient)

    answers = await asyncio.gather(
        *(tagger.describe(word) for word in (b"general", b"poison", b"explicit")), return_exceptions=True
    )

    assert ["general", "explicit"] == [answers[0].rating, answers[2].rating]
    assert isinstance(answers[1], TaggerError)
    assert "exit code 3" in str(answers[1])


async def test_a_process_that_was_killed_in_between_is_replaced(start):
    tagger = start(fake_taggers.obedient)
    await tagger.describe(b"general")
    first = tagger.pid
    os.kill(first, signal.SIGKILL)
    await eventually(lambda: ended(first))

    assert "sensitive" == (await tagger.describe(b"sensitive")).rating
    assert first != tagger.pid


async def test_a_tagger_that_hangs_is_killed_and_replaced(start):
    tagger = start(fake_taggers.obedient, describing_seconds=0.05)
    tagger.prepare()
    await eventually(lambda: tagger.pid)
    hanging = tagger.pid

    with pytest.raises(TaggerError, match="it did not answer"):
        await tagger.describe(b"endless")

    assert ended(hanging)
    tagger.prepare()
    await eventually(lambda: tagger.pid not in (None, hanging))


async def test_bad_files_are_answered_as_such(start):
    with pytest.raises(RequestError, match="The picture is bad"):
        await start(fake_taggers.obedient).describe(b"bad")


async def test_a_tagger_that_cannot_start_is_not_started_for_every_picture(start, tmp_path):
    clock = Time()
    tagger = start(fake_taggers.unloadable, clock=clock)
    for _ in range(3):
        with pytest.raises(TaggerError, match="The model is not there"):
            await tagger.describe(b"general")
    assert "x" == (tmp_path / "starts").read_text()

    clock.now += 60
    with pytest.raises(TaggerError, match="The model is not there"):
        await tagger.describe(b"general")

    assert "xx" == (tmp_path / "starts").read_text()


async def test_a_tagger_that_dies_while_it_is_loaded_says_so(start):
    with pytest.raises(TaggerError, match="it died while it was loaded"):
        await start(fake_taggers.stillborn).describe(b"general")


async def test_a_long_download_is_no_failure(start):
    """Who does not want to wait any longer is told so; the loading goes on."""
    tagger = start(fake_taggers.slow, loading_seconds=0.05)

    with pytest.raises(RequestError, match="still being loaded"):
        await tagger.describe(b"general")

    assert not ended(tagger.pid)


async def test_it_can_be_started_before_the_first_picture(start):
    tagger = start(fake_taggers.obedient)

    tagger.prepare()
    await eventually(lambda: tagger.pid)
    first = tagger.pid

    assert "general" == (await tagger.describe(b"general")).rating
    assert first == tagger.pid


async def test_closing_ends_the_process_and_what_waits(start):
    tagger = start(fake_taggers.slow)
    waiting = asyncio.ensure_future(tagger.describe(b"general"))
    await eventually(lambda: tagger.pid)
    pid = tagger.pid

    await tagger.close()

    with pytest.raises(TaggerError):
        await waiting
    assert ended(pid)
    with pytest.raises(TaggerError, match="closed"):
        await tagger.describe(b"general")
