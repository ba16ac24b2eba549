"""Fairness, as pure functions: who is next among the people who wait.

Round robin between people, first come first served within a person's own jobs. Somebody who has fewer pictures on
the easel goes first; among equals the one who was served longest ago, so that a newcomer never waits behind the ten
jobs of somebody else.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Mapping, Sequence

from pastelbot.records import Job


def line_up(waiting: Sequence[Job], running: Sequence[Job], last_served: Mapping[int, float]) -> list[Job]:
    """Return the waiting jobs in the order in which they will be served.

    `last_served` says when each person's last job was leased, in seconds; who is missing was never served.
    """
    queues: dict[int, deque[Job]] = defaultdict(deque)
    for job in sorted(waiting, key=lambda job: job.created_at):
        queues[job.user_id].append(job)
    on_easel = Counter(job.user_id for job in running)
    served = {user: last_served.get(user, 0.0) for user in queues}
    latest = max(served.values(), default=0.0)
    line = []
    while queues:
        user = min(queues, key=lambda user: (on_easel[user], served[user], queues[user][0].created_at))
        line.append(queues[user].popleft())
        on_easel[user] += 1
        served[user] = latest + len(line)
        if not queues[user]:
            del queues[user]
    return line


def admit(line: Sequence[Job], running: Sequence[Job], *, at_once: int) -> list[Job]:
    """Return the jobs from the head of the line that may start now, at most `at_once` with those running.

    A job during which a worker died is painted alone, so that it cannot take others down a second time.
    """
    if any(job.attempts for job in running):
        return []
    chosen: list[Job] = []
    for job in line:
        suspect = job.attempts > 0
        if len(running) + len(chosen) >= at_once or (suspect and (running or chosen)):
            break
        chosen.append(job)
        if suspect:
            break
    return chosen
