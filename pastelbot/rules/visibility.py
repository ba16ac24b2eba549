"""Visibility, pure: whose pictures a user may look at and use, and which they may cancel or delete.

Every way to a picture asks here: buttons, menus of messages, `previous`, the queue and the gallery.
"""

from pastelbot.errors import NotAllowedError
from pastelbot.records import Actor, Job


def sees_channel(actor: Actor, channel_id: int) -> bool:
    """Return whether the user can read a channel or thread of the server where they ask."""
    return channel_id in (*actor.places, actor.channel_id) or actor.sees(channel_id)


def may_see(job: Job, actor: Actor) -> bool:
    """Return whether the user may look at a job, and paint from it: their own, or one that they can read here.

    A private job, and one that waits for a moderator, is its owner's alone. Adult pictures are another question.
    """
    return job.user_id == actor.user_id or (not job.withheld and _is_read_here(job, actor))


def may_see_shared(actor: Actor, *, guild_id: int, adult: bool) -> bool:
    """Return whether the user may look at a picture of a server's gallery: sharing publishes it there."""
    return guild_id == actor.guild_id and (actor.age_restricted or not adult)


def may_manage(job: Job, actor: Actor) -> bool:
    """Return whether the user may cancel or delete a job: its owner and moderators may.

    A moderator is one where they ask, and of what they can read there; of other servers they manage nothing.
    """
    return job.user_id == actor.user_id or (actor.manages_messages and _is_read_here(job, actor))


def check_may_manage(job: Job, actor: Actor) -> None:
    """Raise NotAllowedError where the user may not cancel or delete a job."""
    if not may_manage(job, actor):
        raise NotAllowedError("This is another user's picture: its owner and moderators can do that.")


def _is_read_here(job: Job, actor: Actor) -> bool:
    if job.options.private or job.reply is None or actor.guild_id is None or job.reply.guild_id != actor.guild_id:
        return False
    return sees_channel(actor, job.reply.channel_id)
