"""Short ways for tests to queue one job, and to see what people's jobs took of their quota."""

from datetime import timedelta

from pastelbot.store.quotas import next_refill


async def insert_job(jobs, user_id, request, reply, **details):
    """Queue one job; return it."""
    (job,) = await jobs.insert(user_id, [(request, reply)], **details)
    return job


async def work_used(jobs, user_id, *, now):
    """Return the work, in all servers, that the user's jobs of this UTC day have reserved or spent."""
    sql = "SELECT coalesce(sum(cost), 0) FROM jobs WHERE user_id = ? AND status NOT IN ('failed', 'cancelled')"
    midnight = next_refill(now) - timedelta(days=1)
    return await jobs._database.reader.number(
        f"{sql} AND created_at >= ? AND NOT refunded", user_id, midnight.timestamp()
    )
