"""What must hold at every moment, and at the end: jobs, ledger, files, messages, slots.

The database is read by a connection of its own, as another program would read it: what is not committed does not count.
"""

import hashlib
import sqlite3

ENDED = {"done", "failed", "cancelled"}
_NEXT = {
    "queued": {"leased", "failed", "cancelled"},
    "leased": {"queued", "rendered", "failed", "cancelled"},
    "rendered": {"posted", "failed", "cancelled"},
    "posted": {"done", "failed", "cancelled"},
    "done": set(),
    "failed": set(),
    "cancelled": set(),
}
_LATER = {state: set() if state in ENDED else set(_NEXT) for state in _NEXT}  # between them others, unseen
_STALLED = 50.0  # seconds: longer than results wait for the disk, shorter than silence makes the worker restart


# Claims that do not hold yet, and the fault that each is: a seed goes on over these, and says so.
OPEN = {}


class ViolatedError(AssertionError):
    """An invariant does not hold."""

    def __init__(self, claim, **details):
        super().__init__(f"{claim}: {', '.join(f'{name}={value}' for name, value in details.items())}")
        self.claim = claim


class Ledger:
    """What each account was given, seen from outside: what is left, and what is charged, must add up to it."""

    def __init__(self, per_day):
        self.per_day = per_day
        self._first_days = {}

    def check(self, rows, require):
        charged = dict(
            rows("SELECT user_id, sum(from_rest + from_extra) FROM jobs WHERE NOT refunded GROUP BY user_id")
        )
        granted = dict(rows("SELECT user_id, sum(work) FROM grants GROUP BY user_id"))
        for person, day, allowance, rest, extra in rows("SELECT user_id, day, given, rest, extra FROM balances"):
            days = day - self._first_days.setdefault(person, day) + 1 if allowance else 0  # 0: nothing but grants yet
            given = days * self.per_day + granted.get(person, 0)
            there = rest + extra + charged.get(person, 0)
            require(there == given, "the ledger does not add up", person=person, given=given, there=there)
        odd = rows("SELECT id, status, refunded FROM jobs WHERE refunded != (status IN ('failed', 'cancelled'))")
        require(not odd, "a job is refunded that is not over, or the other way round", jobs=odd)


class Invariants:
    """The checks of one simulated machine over all lives of the bot."""

    def __init__(self, disk, discord, ledger, *, every_commit=True):
        self._next = _NEXT if every_commit else _LATER  # the states that may be seen after each other
        self.disk = disk
        self.discord = discord
        self.ledger = ledger
        self.known = []  # violations of claims that are open
        self._states = {}
        self._held = {}  # jobs that hold a slot and are not at the worker, and since when
        self._connection = None

    def require(self, holds, claim, **details):
        """Raise ViolatedError where a claim does not hold; of one that is open, keep it."""
        if holds:
            return
        error = ViolatedError(claim, **details)
        if claim not in OPEN:
            raise error
        self.known.append(error)

    def open(self, *, power_cut=False):
        """Look at the database of a new life; after a power cut it may have gone back to an earlier state."""
        self._connection = sqlite3.connect(f"file:{self.disk.database}?mode=ro", uri=True)
        self._held = {}
        if power_cut:
            self._states = dict(self.rows("SELECT id, status FROM jobs"))

    def close(self):
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def rows(self, sql, *values):
        return self._connection.execute(sql, values).fetchall() if self._connection is not None else []

    def after_commit(self):
        """Check what must hold in every committed state."""
        if self._connection is not None:
            self.ledger.check(self.rows, self.require)
            self._check_states()

    def _check_states(self):
        states = dict(self.rows("SELECT id, status FROM jobs"))
        self.require(
            states.keys() >= self._states.keys(), "a job is lost", jobs=sorted(self._states.keys() - states.keys())
        )
        for job_id, status in states.items():
            before = self._states.get(job_id, "queued")
            legal = status == before or status in self._next[before]
            self.require(legal, "a job changed its state as none may", job=job_id, before=before, after=status)
        self._states = states

    def check_answered(self):
        """Each job that a message shows is in the database: what was answered is never lost."""
        for message in self.discord.messages.values():
            job_id = message.job_id
            if job_id is not None and not message.ephemeral:
                self.require(job_id in self._states, "a job was answered and is lost", job=job_id)

    def check_slots(self, running, painting, now):
        """Each job that holds a slot is at the worker, or was a moment ago."""
        self._held = {job_id: self._held.get(job_id, now) for job_id in running if job_id not in painting}
        for job_id, since in self._held.items():
            self.require(now - since < _STALLED, "a slot is leaked", job=job_id, seconds=round(now - since))

    def check_files(self):
        """Each picture whose row names a file has it, whole."""
        for job_id, name in self.rows("SELECT job_id, file FROM pictures WHERE file IS NOT NULL"):
            path = self.disk.pictures / name
            if not path.exists():
                self.require(False, "a picture's file is not there", job=job_id, file=name[:12])
                continue
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            self.require(path.stem == digest, "a picture's file is damaged", job=job_id, file=name[:12])

    def check_no_strays(self):
        """After a sweep no file is there without a row."""
        names = {row[0] for row in self.rows("SELECT file FROM pictures WHERE file IS NOT NULL")}
        there = {
            str(path.relative_to(self.disk.pictures)) for path in self.disk.pictures.rglob("*.p*") if path.is_file()
        }
        self.require(there <= names, "files are there that no row needs", files=sorted(there - names))

    def check_end(self):
        """When all is settled: every job has ended, its one message shows that, its pictures were posted once."""
        for job_id, status, count in self.rows("SELECT id, status, count FROM jobs ORDER BY rowid"):
            self.require(status in ENDED, "a job never ends", job=job_id, status=status)
            self._check_message(job_id, status, count)

    def check_departures(self, *, left):
        """No job ended because the bot left its server, where it never did."""
        gone = self.rows("SELECT id FROM jobs WHERE reason = 'the bot was removed from the server'")
        self.require(left or not gone, "a job ended with a server that was not left", jobs=gone)

    def _check_message(self, job_id, status, count):
        if job_id in self.discord.out_of_reach:
            return
        shown = self.discord.visible(job_id=job_id)
        posts = self.discord.picture_posts.get(job_id, [])
        self.require(len(shown) <= 1, "a job has several messages", job=job_id, messages=len(shown))
        if job_id in self.discord.deleted:
            return
        self.require(len(posts) <= 1, "a picture was posted again", job=job_id, posts=len(posts))
        self.require(len(shown) > 0, "a job has no message", job=job_id, status=status)
        if len(shown) != 1:
            return
        text, pictures = shown[0].content, len(shown[0].pictures)
        if status == "done":
            self.require(pictures == count, "a message lacks its pictures", job=job_id, text=text[:40])
        else:
            ends = "charged" in text
            self.require(ends, "a message does not show the job's end", job=job_id, status=status, text=text[:60])
