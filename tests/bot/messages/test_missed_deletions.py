"""A message that was deleted while the bot was away takes its pictures along when the bot is back."""

import discord
import pytest
from helpers.gallery import Gallery
from helpers.support import eventually

from pastelbot.bot.messages.deletions import Deletions
from pastelbot.bot.messages.missed_deletions import MissedDeletions
from pastelbot.records import ReplyTarget


class Timers:
    """Timers that fire when the test says so."""

    def __init__(self):
        self.waiting = []

    def __call__(self, seconds, callback):
        self.waiting.append((seconds, callback))

    def fire(self):
        """Fire the newest timer; return after how many seconds it would have been."""
        seconds, callback = self.waiting.pop()
        self.waiting.clear()
        callback()
        return seconds


class FakeDiscord:
    """Knows which messages are gone, and remembers those that were looked up."""

    def __init__(self, *, errors=None):
        self.errors = errors or {}
        self.asked = []

    def get_partial_messageable(self, channel_id):
        self.channel_id = channel_id
        return self

    async def fetch_message(self, message_id):
        self.asked.append(message_id)
        if message_id in self.errors:
            raise self.errors[message_id]


class Kept:
    """Kept messages with the numbers 1 to `count`."""

    def __init__(self, count):
        self.count = count

    async def kept_messages(self, before, *, limit):
        newest = min(self.count, (before or self.count + 1) - 1)
        return [ReplyTarget(channel_id=7, message_id=number) for number in range(newest, max(0, newest - limit), -1)]


class Notes:
    """Texts by name, kept over restarts."""

    def __init__(self):
        self.texts = {}

    async def get(self, name):
        return self.texts.get(name)

    async def set(self, name, value):
        self.texts[name] = value


class Forgotten:
    """What was found to be deleted."""

    def __init__(self):
        self.gone = []

    def messages(self, message_ids):
        self.gone += message_ids

    def channel(self, channel_id):
        self.gone.append(("channel", channel_id))


def refusal(status, code):
    response = type("Response", (), {"status": status, "reason": "", "headers": {}})()
    kind = {404: discord.NotFound, 403: discord.Forbidden}.get(status, discord.DiscordServerError)
    return kind(response, {"code": code, "message": ""})


async def looked_up(timers, asked, count):
    """Fire timers until so many messages were looked up, or none is left; return the pauses between them."""
    pauses = []
    while len(asked) < count:
        before = len(asked)
        pauses.append(timers.fire())
        await eventually(lambda before=before: len(asked) > before)
        await eventually(lambda: timers.waiting)
    return pauses


@pytest.fixture
def timers():
    return Timers()


async def test_the_newest_come_first_one_a_second(timers):
    fake, forgotten = FakeDiscord(errors={4: refusal(404, 10008), 2: refusal(404, 10003)}), Forgotten()
    missed = MissedDeletions(fake, Kept(5), Notes(), forgotten, later=timers)
    missed.start()
    pauses = await looked_up(timers, fake.asked, 5)
    await missed.close()

    assert fake.asked == [5, 4, 3, 2, 1]
    assert pauses[1:] == [1.0] * 4
    assert forgotten.gone == [4, ("channel", 7)]


async def test_what_may_not_be_read_stays(timers):
    fake, forgotten = FakeDiscord(errors={3: refusal(403, 50001), 2: refusal(404, 0)}), Forgotten()
    missed = MissedDeletions(fake, Kept(3), Notes(), forgotten, later=timers)
    missed.start()
    await looked_up(timers, fake.asked, 3)
    await missed.close()

    assert forgotten.gone == []


async def test_an_outage_is_waited_for(timers):
    fake = FakeDiscord(errors={3: refusal(503, 0)})
    missed = MissedDeletions(fake, Kept(3), Notes(), Forgotten(), later=timers)
    missed.start()
    await looked_up(timers, fake.asked, 1)
    fake.errors.clear()
    pauses = await looked_up(timers, fake.asked, 4)
    await missed.close()

    assert fake.asked == [3, 3, 2, 1]
    assert pauses == [60.0, 1.0, 1.0]


async def test_a_round_goes_on_after_a_restart_and_comes_round(timers):
    fake, notes = FakeDiscord(), Notes()
    first = MissedDeletions(fake, Kept(400), notes, Forgotten(), later=timers)
    first.start()
    await looked_up(timers, fake.asked, 220)
    await first.close()
    again = FakeDiscord()
    second = MissedDeletions(again, Kept(400), notes, Forgotten(), later=timers)
    second.start()
    await looked_up(timers, again.asked, 500)
    await second.close()

    assert again.asked[:100] == list(range(400, 300, -1))
    assert again.asked[100] == 200  # fifty at a time are remembered
    assert set(again.asked) == set(range(1, 401))


async def test_pictures_whose_message_was_deleted_meanwhile_are_deleted(studio, timers):
    gallery = Gallery(studio)
    gone, stays = await gallery.painted("1girl", seed=7), await gallery.painted("1boy", seed=8)
    jobs = [(await studio.jobs.by_message(message.id)).id for message in (gone, stays)]
    await studio.bot.close()
    await studio.mod.delete(gone)
    await studio.restart()
    services = studio.bot.services
    deletions = Deletions(services.gallery, services.reviews, studio.bot.posts)
    missed = MissedDeletions(studio.bot, services.jobs, services.key_values, deletions, later=timers)
    missed.start()
    timers.fire()
    await eventually(lambda: timers.waiting)
    timers.fire()
    await eventually(lambda: len(studio.files) == 1)
    await missed.close()
    await deletions.close()

    assert [len(await studio.jobs.pictures(job_id)) for job_id in jobs] == [0, 1]
