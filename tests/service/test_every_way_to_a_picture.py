"""Every way to a picture, from every place: server, channel, privacy, adult marks and rights are asked for in each."""

import itertools
from dataclasses import dataclass

import pytest
from helpers.fake_executors import FakeExecutor
from helpers.support import png

from pastelbot.app import open_services
from pastelbot.bot.components import job_actions
from pastelbot.errors import NotAllowedError, NotFoundError, RequestError
from pastelbot.options import GenerationOptions, default_request
from pastelbot.records import Actor, JobOptions, Picture, ReplyTarget
from pastelbot.store.gallery import View
from pastelbot.store.jobs.store import JobStore
from pastelbot.store.moderation.blocks import Block, BlockStore
from pastelbot.store.picture_files import PictureFiles

OWNER, MEMBER, HERE, ELSEWHERE, PAINTED, ASKED = 1, 2, 5, 6, 50, 51
MESSAGE = 123456789012345678


@dataclass(frozen=True, kw_only=True)
class Case:
    """Who asks from where for which picture."""

    who: str
    server: str
    channel: str
    private: bool
    adult: bool
    among_adults: bool

    @property
    def owns(self):
        return self.who == "owner"

    @property
    def same_server(self):
        return self.server == "same"

    @property
    def reads(self):
        """Whether the picture can be read by others who ask like this."""
        return not self.private and self.same_server and self.channel != "hidden"

    @property
    def suits(self):
        return self.among_adults or not self.adult

    @property
    def actor(self):
        place = PAINTED if self.channel == "the same" and self.same_server else ASKED
        return Actor(
            user_id=OWNER if self.owns else MEMBER,
            guild_id=HERE if self.same_server else ELSEWHERE,
            channel_id=place,
            places=(place,),
            manages_messages=self.who == "moderator",
            age_restricted=self.among_adults,
            # In the other server every number is one of a channel that can be read: it must not count.
            sees=lambda channel_id: not self.same_server or (self.channel == "visible" and channel_id == PAINTED),
        )


CASES = [
    Case(who=who, server=server, channel=channel, private=private, adult=adult, among_adults=among_adults)
    for who, server, channel, private, adult, among_adults in itertools.product(
        ("owner", "member", "moderator"), ("same", "another"), ("the same", "visible", "hidden"), *[(False, True)] * 3
    )
]


class EveryWay:
    """The services of a bot, and short ways to have a picture, and to ask for it."""

    def __init__(self, services, clock):
        self.services, self.clock = services, clock
        self.jobs = JobStore(services.database)
        self.files = PictureFiles(services.settings.storage.pictures, services.database)
        self.made = 0

    async def waiting(self, case):
        """Return the id of a job that waits, as the case says."""
        self.made += 1
        reply = ReplyTarget(channel_id=PAINTED, guild_id=HERE, message_id=MESSAGE + self.made)
        options = JobOptions(private=case.private, adult_allowed=case.adult)
        request = default_request(self.services.settings, seed=self.made).replace(prompt="1girl")
        (job,) = await self.jobs.insert(OWNER, [(request, reply)], now=self.clock(), options=options)
        return job.id

    async def painted(self, case):
        """Return the id of a finished job."""
        job_id = await self.waiting(case)
        await self.jobs.lease([job_id], now=self.clock())
        picture = Picture(png=png(), seed=self.made, width=8, height=8, infotext=f"1girl {self.made}")
        async with self.files.keeping([picture]) as stored:
            await self.jobs.rendered(job_id, stored, seconds=1.0)
        await self.jobs.posted(job_id, MESSAGE + self.made)
        await self.jobs.done(job_id, now=self.clock())
        return job_id

    async def shared(self, case):
        """Return the gallery's entry of a finished job."""
        job_id = await self.painted(case)
        owner = Actor(user_id=OWNER, guild_id=HERE, channel_id=PAINTED, places=(PAINTED,), age_restricted=case.adult)
        return await self.services.gallery.share(owner, job_id, 0)

    async def button(self, case):
        return await self.services.visibility.job(case.actor, await self.painted(case))

    async def menu(self, case):
        await self.painted(case)
        return await self.services.visibility.shown_in(case.actor, MESSAGE + self.made)

    async def previous_by_id(self, case):
        return await self.services.history.open(case.actor, await self.painted(case))

    async def previous_by_message(self, case):
        await self.painted(case)
        return await self.services.history.open(case.actor, f"{MESSAGE + self.made}")

    async def who_made(self, case):
        await self.painted(case)
        return await self.services.gallery.who_made(case.actor, MESSAGE + self.made)

    async def delete(self, case):
        await self.services.jobs.delete(await self.painted(case), case.actor)
        return True

    async def cancel(self, case):
        return await self.services.jobs.cancel(await self.waiting(case), case.actor)

    async def share(self, case):
        return await self.services.gallery.share(case.actor, await self.painted(case), 0)

    async def page(self, case):
        entry = await self.shared(case)
        page = await self.services.gallery.page(case.actor, View.NEWEST, 0)
        return entry.id in [shown.entry.id for shown in page.shown]

    async def use(self, case):
        return await self.services.gallery.job_of(case.actor, (await self.shared(case)).id)

    async def vote(self, case):
        return await self.services.gallery.vote(case.actor, (await self.shared(case)).id)

    async def unshare(self, case):
        await self.services.gallery.unshare(case.actor, (await self.shared(case)).id)
        return True

    async def shown_post(self, case):
        """Ask for a picture by the message of its gallery's post."""
        entry = await self.shared(case)
        await self.services.gallery.set_post(entry.id, 52, MESSAGE + 5000 + self.made)
        return await self.services.visibility.shown_in(case.actor, MESSAGE + 5000 + self.made)


def looks(case):
    return (case.owns or case.reads) and case.suits


def manages(case):
    return case.owns or (case.who == "moderator" and case.reads)


def shared_is_seen(case):
    return case.same_server and case.suits


# The ways to a picture, and who may go there. What was shared is published in its server; a private one never is.
WAYS = {
    "button": looks,
    "menu": looks,
    "previous_by_id": looks,
    "previous_by_message": looks,
    "who_made": looks,
    "delete": manages,
    "cancel": manages,
    "share": lambda case: case.owns and case.same_server and not case.private,
    "page": shared_is_seen,
    "use": shared_is_seen,
    "shown_post": shared_is_seen,
    "vote": lambda case: shared_is_seen(case) and not case.owns,
    "unshare": lambda case: case.same_server and (case.owns or case.who == "moderator"),
}
OF_SHARED = {"page", "use", "shown_post", "vote", "unshare"}
# What each button of a picture does is one of these ways.
_PAINTING = (
    *("reroll", "seed", "edit", "corrected", "subtle", "strong"),
    *("hires", "faithful", "creative", "infotext"),
)
BUTTONS = {
    **dict.fromkeys(_PAINTING, "button"),
    **{verb: verb for verb in ("share", "unshare", "cancel", "delete")},
    "remove": "delete",
}


@pytest.fixture
async def ways(settings, clock):
    services = await open_services(settings, executor=FakeExecutor(), clock=clock)
    yield EveryWay(services, clock)
    await services.dispatcher.close()
    await services.database.close()


async def allowed(way, case):
    try:
        return bool(await way(case))
    except (NotAllowedError, NotFoundError):
        return False


@pytest.mark.parametrize("way", WAYS)
async def test_only_who_may_gets_there(ways, way):
    cases = [case for case in CASES if not (way in OF_SHARED and case.private)]
    wrong = [case for case in cases if await allowed(getattr(ways, way), case) != WAYS[way](case)]

    assert wrong == []


def test_every_button_is_one_of_the_ways():
    assert set(BUTTONS) == {*job_actions.ACTIONS, "delete"}  # which may ask first, in a place of its own
    assert {verb for verb, way in BUTTONS.items() if way != "button"} == job_actions.OWN


async def test_a_picture_that_waits_for_a_moderator_is_its_owners_alone(ways):
    member = Case(who="member", server="same", channel="the same", private=False, adult=False, among_adults=False)
    job_id = await ways.painted(member)
    async with ways.services.database.transaction() as connection:
        await connection.execute("UPDATE jobs SET status = 'rendered', review = 'open' WHERE id = ?", job_id)

    with pytest.raises(NotFoundError):
        await ways.services.visibility.job(member.actor, job_id)


async def test_a_blocked_user_publishes_nothing(ways):
    owner = Case(who="owner", server="same", channel="the same", private=False, adult=False, among_adults=False)
    member = Case(who="member", server="same", channel="the same", private=False, adult=False, among_adults=False)
    presets = ways.services.presets
    await presets.save(owner.actor, "mine", GenerationOptions(prompt="1girl"))
    await presets.share(owner.actor, "mine")
    job_id, entry = await ways.painted(owner), await ways.shared(owner)
    blocks = BlockStore(ways.services.database)
    for user_id in (OWNER, MEMBER):
        await blocks.put(Block(guild_id=HERE, user_id=user_id, until=None, reason=""))

    for publish in (
        lambda: presets.share(owner.actor, "mine"),
        lambda: ways.services.gallery.share(owner.actor, job_id, 0),
        lambda: ways.services.gallery.vote(member.actor, entry.id),
        lambda: ways.services.builder.build(member.actor, GenerationOptions(prompt="1girl")),
    ):
        with pytest.raises(RequestError, match="take a break"):
            await publish()
