"""Bugs planted on purpose, to see that the simulation finds them: each is a patch of one public name."""

from contextlib import contextmanager, nullcontext
from unittest import mock

from pastelbot.bot.messages.single_message import SingleMessage
from pastelbot.jobs.background import Mailbox
from pastelbot.records import PaintingFailed
from pastelbot.store import quotas


@contextmanager
def refunding_twice():
    """Give back what a job took, and then again."""
    once = quotas.give_back

    async def give_back(*values):
        await once(*values)
        await once(*values)

    with mock.patch.object(quotas, "give_back", give_back):
        yield


@contextmanager
def dropping_failures():
    """Lose what a worker reports of a job that failed."""
    put = Mailbox.put

    def put_most(mailbox, item):
        if not isinstance(item, PaintingFailed):
            put(mailbox, item)

    with mock.patch.object(Mailbox, "put", put_most):
        yield


@contextmanager
def posting_unseen():
    """Post without looking for a message that an earlier try may have left."""

    async def find(*_values, **_options):
        return None

    with mock.patch.object(SingleMessage, "find", find):
        yield


PLANTED = {
    None: nullcontext,
    "refunding twice": refunding_twice,
    "dropping failures": dropping_failures,
    "posting unseen": posting_unseen,
}
