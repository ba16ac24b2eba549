"""Short ways for tests to queue one job, and to see what people's jobs took of their quota."""

from datetime import timedelta

from pastelbot.records import JobStatus
from pastelbot.rules import cost
from pastelbot.store.quotas import next_refill


async def insert_job(jobs, user_id, request, reply, **details):
    """Queue one job; return it."""
    (job,) = await jobs.insert(user_id, [(request, reply)], **details)
    return job


async def work_used(jobs, user_id, *, now):
    """Return the work, in all servers, that the user's jobs of this UTC day have reserved or spent."""
    midnight = next_refill(now) - timedelta(days=1)
    kept = await jobs.with_status(*(set(JobStatus) - {JobStatus.FAILED, JobStatus.CANCELLED}))
    return sum(cost.work(job.request) for job in kept if job.user_id == user_id and job.created_at >= midnight)
