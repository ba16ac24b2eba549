"""Running jobs: what the dispatcher takes for running, beside what the executor was given and has not reported."""

from collections.abc import Iterator
from dataclasses import dataclass

from pastelbot.records import Job
from pastelbot.store.jobs.rows import QueuedJob


@dataclass(kw_only=True)
class LeasedJob:
    """A running job, the share of it that is done, and when it was taken, in seconds since 1970."""

    job: Job
    waiting: QueuedJob
    taken_at: float
    share: float = 0.0

    @property
    def work_left(self) -> float:
        """The work that is still to do."""
        return self.waiting.work * (1 - self.share)


class RunningJobs:
    """Slots of the worker: each job in one is with the executor; `stuck` and `abandoned` name those that are not."""

    def __init__(self) -> None:
        self._jobs: dict[str, LeasedJob] = {}
        self._given: set[str] = set()

    def __len__(self) -> int:
        """Return how many jobs run."""
        return len(self._jobs)

    def __iter__(self) -> Iterator[LeasedJob]:
        """Iterate over a copy, so that jobs may leave meanwhile."""
        return iter(list(self._jobs.values()))

    def __contains__(self, job_id: object) -> bool:
        """Return whether the job runs."""
        return job_id in self._jobs

    def get(self, job_id: str) -> LeasedJob | None:
        """Return the job, or None where it does not run."""
        return self._jobs.get(job_id)

    def ids(self) -> set[str]:
        """Return the ids of all running jobs."""
        return set(self._jobs)

    def take(self, job: LeasedJob) -> None:
        """Add a job that the executor is given."""
        self._jobs[job.job.id] = job
        self._given.add(job.job.id)

    def given(self) -> set[str]:
        """Return the jobs that the executor was given and has not reported."""
        return set(self._given)

    def reported(self, *job_ids: str) -> None:
        """Record that the executor has no more to do with the jobs."""
        self._given.difference_update(job_ids)

    def free(self, job_id: str) -> LeasedJob | None:
        """Free the job's slot; None where it does not run."""
        return self._jobs.pop(job_id, None)

    def stuck(self) -> list[LeasedJob]:
        """Return the jobs in slots that the executor has reported: nothing would ever free these."""
        return [job for job_id, job in self._jobs.items() if job_id not in self._given]

    def abandoned(self) -> set[str]:
        """Return the jobs that the executor still has and that nothing waits for."""
        return self._given - self._jobs.keys()
