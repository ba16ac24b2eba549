"""Wait queue: the queued jobs in the order of the scheduler's ranks. The database is authoritative, this is a view.

Joining, leaving and looking up a position cost a search in a sorted list, also among ten thousand jobs.
"""

from bisect import bisect_left, insort
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import count, islice

from pastelbot.jobs.queue.scheduler import NOTHING, joined, turns, weight, without
from pastelbot.store.jobs.rows import QueuedJob, Served

_CARD_WORK = 30_310_400  # the card's picture, in pixel-steps
_FEW = 50
_NEAR = 500
_LONG_AGO = 60.0  # half-lives

_Key = tuple[float, float, int]


class WaitQueue:
    """Queued jobs. `default_work` is that of a default picture; `half_life` is in seconds.

    `epoch` is any time near the present, in seconds since 1970: ranks are counted from there. `held` tells of a server
    (None: direct messages) whether its jobs stay queued for now.
    """

    def __init__(
        self,
        *,
        default_work: int = _CARD_WORK,
        half_life: float = 1800.0,
        epoch: float = 0.0,
        held: Callable[[int | None], bool] = lambda _guild_id: False,
    ) -> None:
        self._default_work = max(1, default_work)
        self._half_life = half_life
        self._epoch = epoch
        self._held = held
        self._guilds: Counter[int | None] = Counter()
        self._work = 0.0  # of all queued jobs
        self._numbers = count()
        self._number: dict[str, int] = {}  # the order of arrival, kept while a job waits or is painted
        self._keys: dict[str, _Key] = {}
        self._order: list[tuple[_Key, QueuedJob]] = []
        self._people: defaultdict[int, list[QueuedJob]] = defaultdict(list)
        self._ahead: dict[str, float] = {}  # a waiting job's turns and those of its owner's jobs before it
        self._served: dict[int, float] = {}

    def __len__(self) -> int:
        """Return how many jobs wait."""
        return len(self._order)

    def __contains__(self, job_id: object) -> bool:
        """Return whether the job waits."""
        return job_id in self._keys

    def __iter__(self) -> Iterator[QueuedJob]:
        """Iterate over the queue from its head."""
        return (job for _key, job in self._order)

    def get(self, job_id: str) -> QueuedJob | None:
        """Return the job, or None where it does not wait."""
        key = self._keys.get(job_id)
        return self._order[bisect_left(self._order, (key,))][1] if key is not None else None

    def rank(self, job_id: str) -> _Key:
        """Return what a waiting job is ordered by: its rank in half-lives first, the lowest is next."""
        return self._keys[job_id]

    def ids(self) -> set[str]:
        """Return the ids of all queued jobs."""
        return set(self._keys)

    def head(self, most: int) -> list[QueuedJob]:
        """Return the jobs that are next, without those that are held."""
        held = self.held_guilds()
        return list(islice((job for _key, job in self._order if job.guild_id not in held), most))

    def first_of_others(self, users: Collection[int], most: int) -> list[QueuedJob]:
        """Return the next job of each user but these, at most so many, without those that are held."""
        if all(user in users for user in self._people):
            return []
        held, seen = self.held_guilds(), set(users)
        found: list[QueuedJob] = []
        for _key, job in self._order:
            if job.user_id not in seen and job.guild_id not in held:
                seen.add(job.user_id)
                found.append(job)
                if len(found) == most:
                    break
        return found

    def before(self, job_id: str) -> tuple[int, float]:
        """Return how many jobs are before this one and their work, without those that are held.

        Beyond the first few hundred, the work is that of jobs of average size: adding up thousands takes too long.
        """
        end = bisect_left(self._order, (self._keys[job_id],))
        held = self.held_guilds()
        if held:
            open_ones = [job.work for _key, job in self._order[:end] if job.guild_id not in held]
            return len(open_ones), sum(open_ones)
        near = min(end, _NEAR)
        work = float(sum(job.work for _key, job in self._order[:near]))
        if end > near:
            work += (self._work - work) * (end - near) / (len(self._order) - near)
        return end, work

    def held_guilds(self) -> set[int | None]:
        """Return the servers (None: direct messages) whose queued jobs are held now."""
        return {guild_id for guild_id in self._guilds if self._held(guild_id)}

    def add(self, job: QueuedJob) -> None:
        """Add a job; one that waits already keeps its position."""
        if job.id in self._keys:
            return
        self._number.setdefault(job.id, next(self._numbers))
        self._guilds[job.guild_id] += 1
        self._work += job.work
        mine = self._people[job.user_id]
        insort(mine, job, key=self._arrival)
        if mine[-1] is job:
            before = self._ahead[mine[-2].id] if len(mine) > 1 else 0.0
            self._file(job, before + self._turns(job))
        else:
            self._refile(job.user_id)

    def remove(self, job_id: str) -> QueuedJob | None:
        """Remove a job; None where it does not wait."""
        job = self._withdraw(job_id)
        if job is not None:
            self._number.pop(job_id, None)
            self._refile(job.user_id)
        return job

    def take(self, job_id: str, at: float) -> QueuedJob | None:
        """Remove a job that was dispatched at that time: its owner ranks later now."""
        job = self._withdraw(job_id)
        if job is not None:
            self.serve(Served(user_id=job.user_id, at=at, work=job.work, count=job.count))
        return job

    def serve(self, served: Served) -> None:
        """Count work that was dispatched for a user."""
        self._served[served.user_id] = joined(self._served.get(served.user_id, NOTHING), self._weight_of(served))
        self._refile(served.user_id)

    def give_back(self, job: QueuedJob, taken_at: float) -> None:
        """Let a job that was taken at that time wait again, as if it had not been given out."""
        served = Served(user_id=job.user_id, at=taken_at, work=job.work, count=job.count)
        self._served[job.user_id] = without(self._served.get(job.user_id, NOTHING), self._weight_of(served))
        self._refile(job.user_id)
        self.add(job)

    def finished(self, job_id: str) -> None:
        """Forget a job that was taken."""
        if job_id not in self._keys:
            self._number.pop(job_id, None)

    def forget(self, now: float) -> list[int]:
        """Forget users served so long ago that it weighs nothing, and return who they are."""
        oldest = self._time(now) - _LONG_AGO
        forgotten = [user for user, served in self._served.items() if served <= oldest]
        for user in forgotten:
            del self._served[user]
        return forgotten

    def fill(self, jobs: Iterable[QueuedJob], served: Iterable[Served]) -> None:
        """Fill the queue from the database."""
        for past in served:
            self.serve(past)
        for job in jobs:
            self.add(job)

    def _withdraw(self, job_id: str) -> QueuedJob | None:
        key = self._keys.pop(job_id, None)
        if key is None:
            return None
        _key, job = self._order.pop(bisect_left(self._order, (key,)))
        del self._ahead[job_id]
        self._work -= job.work
        self._guilds[job.guild_id] -= 1
        if not self._guilds[job.guild_id]:
            del self._guilds[job.guild_id]
        mine = self._people[job.user_id]
        mine.remove(job)
        if not mine:
            del self._people[job.user_id]
        return job

    def _file(self, job: QueuedJob, ahead: float) -> None:
        """Put a job where it belongs; `ahead` are its owner's turns up to its end."""
        key = self._rank(job, ahead)
        insort(self._order, (key, job))
        self._keys[job.id], self._ahead[job.id] = key, ahead

    def _refile(self, user_id: int) -> None:
        """Recompute the ranks of a user's jobs."""
        mine = self._people.get(user_id, [])
        if len(mine) > _FEW:
            gone = {job.id for job in mine}
            self._order = [item for item in self._order if item[1].id not in gone]
        else:
            for job in mine:
                key = self._keys.pop(job.id, None)
                if key is not None:
                    del self._order[bisect_left(self._order, (key,))]
        ahead = 0.0
        for job in mine:
            ahead += self._turns(job)
            self._file(job, ahead)

    def _rank(self, job: QueuedJob, ahead: float) -> _Key:
        asked = weight(ahead, self._time(job.created_at))
        rank = joined(self._served.get(job.user_id, NOTHING), asked)
        return rank, job.created_at, self._number[job.id]

    def _arrival(self, job: QueuedJob) -> tuple[float, int]:
        return job.created_at, self._number[job.id]

    def _turns(self, job: QueuedJob) -> float:
        return turns(job.work, job.count, self._default_work)

    def _weight_of(self, served: Served) -> float:
        return weight(turns(served.work, served.count, self._default_work), self._time(served.at))

    def _time(self, seconds: float) -> float:
        return (seconds - self._epoch) / self._half_life
