"""What becomes of each request on its way to Discord and back."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Faults:
    """How likely each misfortune is, of all requests, steps and moments; 0 is a perfect world."""

    request_lost: float = 0.0
    answer_lost: float = 0.0
    server_error: float = 0.0
    rate_limited: float = 0.0
    hangs: float = 0.0
    too_large: float = 0.0
    slow_load: float = 0.0
    worker_dies: float = 0.0
    worker_silent: float = 0.0
    painting_fails: float = 0.0

    @classmethod
    def drawn(cls, random):
        """Return the faults of a seed: some kinds not at all, some often."""
        chances = {name: random.choice((0.0, 0.0, 0.01, 0.05, 0.2)) for name in cls.__dataclass_fields__}
        for rare in ("hangs", "worker_silent", "slow_load"):
            chances[rare] /= 4
        return cls(**chances)


class EditLimit:
    """Discord's limit of a channel's edits: so many in a window that begins with the first one."""

    def __init__(self, edits=5, seconds=5.0):
        self.edits = edits
        self.seconds = seconds
        self._windows = {}  # channel -> when it ends, and how many edits it had

    def take(self, method, path, now):
        """Return what is left, -1 where it is refused, and the seconds until all are there again; None: no limit."""
        match [method, *path.strip("/").split("/")]:
            case ["PATCH", "channels", channel, "messages", _]:
                end, taken = self._windows.get(channel, (now, 0))
                if now >= end:
                    end, taken = now + self.seconds, 0
                self._windows[channel] = end, min(taken + 1, self.edits)
                return self.edits - taken - 1, end - now
        return None


@dataclass(frozen=True)
class Fate:
    """What happens instead of a request, and what instead of its answer; None: nothing."""

    before: object = None
    after: object = None


class Network:
    """The way to Discord in one life of the bot; `moment` hears of every request that Discord has carried out."""

    def __init__(self, random, faults, moment):
        self.random = random
        self.faults = faults
        self.moment = moment
        self.off = False
        self.calm = True  # until the bot has logged in
        self.edit_limit = None
        self.on_sent = lambda _method, _path, *, files: None  # noqa: ARG005 - hears of each request on its way
        self.failing_until = 0.0  # by the loop's time: until then Discord answers nothing but 503

    def latency(self):
        return 0.02 + self.random.random() ** 6

    def fate(self, now, *, files):
        """Return what becomes of a request."""
        if now < self.failing_until:
            return Fate(before=503)
        faults = self.faults
        chances = (
            (faults.request_lost, "before", ("reset", "disconnected", 503)),
            (faults.server_error, "before", (500, 502, 504)),
            (faults.server_error, "after", (500, 502, 504)),
            (faults.rate_limited, "before", (0.5, 3.0, 20.0, 600.0)),
            (faults.answer_lost, "after", ("reset", "disconnected")),
            (faults.hangs, "before", ("hang",)),
            (faults.hangs, "after", ("hang",)),
            (faults.too_large if files else 0.0, "before", (413,)),
        )
        for chance, when, kinds in () if self.calm else chances:
            if self.random.random() < chance:
                return Fate(**{when: self.random.choice(kinds)})
        return Fate()

    def check_alive(self):
        """Raise where the process has ended: nothing of it is sent or received from now on."""
        if self.off:
            raise ConnectionError("the process has ended")

    def note(self, method, path, response):
        self.moment(f"{method} {path.partition('?')[0]}", response.status)
