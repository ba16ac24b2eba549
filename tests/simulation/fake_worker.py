"""A worker that paints by the seed: steps, results, failures, crashes at any moment, silence, slow loading."""

import asyncio
import hashlib
import io

from PIL import Image

from pastelbot.records import (
    Cancel,
    Loading,
    Paint,
    Painted,
    PaintingCancelled,
    PaintingFailed,
    Picture,
    Progress,
    WorkerLost,
    WorkerReady,
)


def _plain():
    file = io.BytesIO()
    Image.new("RGB", (8, 8), "pink").save(file, "PNG")
    return file.getvalue()


_PNG = _plain()


def content_of(seed):
    """Return the file of a picture: a PNG, and behind its end what tells it from others."""
    return _PNG + hashlib.sha256(str(seed).encode()).digest() * 40


class FakeWorker:
    """An executor; `faults` says how likely each misfortune is, `random` when it comes."""

    def __init__(self, random, faults, trace):
        self.random = random
        self.faults = faults
        self.trace = trace
        self.painting = {}
        self.silent = False
        self.closed = False
        self._on_event = lambda _event: None
        self._timers = set()

    def start(self, on_event):
        self._on_event = on_event
        self._load()

    def send(self, command):
        if self.closed:
            return
        if isinstance(command, Paint):
            self.trace("worker", "paint", command.job_id)
            self.painting[command.job_id] = command.request
            steps = self.random.randint(1, 4)
            self._later(self.random.expovariate(1 / 3), self._step, command.job_id, 1, steps)
        elif isinstance(command, Cancel):
            self._later(self.random.random(), self._cancelled, command.job_id)

    def restart(self, reason):
        self.trace("worker", "restart", reason.split(" for ", 1)[0])
        self.die(reason)

    async def close(self):
        self.closed = True
        for timer in self._timers:
            timer.cancel()
        await asyncio.sleep(self.random.random())

    def die(self, reason="killed"):
        """End the process with all that it has, and start another one."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        self.painting.clear()
        self.silent = False
        self.trace("worker", "lost")
        self._on_event(WorkerLost(reason=reason))
        if not self.closed:
            self._load()

    def _load(self):
        seconds = self.random.expovariate(1 / 2)
        if self.random.random() < self.faults.slow_load:
            seconds += 400.0
            for beat in range(0, 400, 20):
                self._later(float(beat), self._event, Loading(what="a checkpoint"))
        self._later(seconds, self._event, WorkerReady(device="none", checkpoint="fake", checkpoint_hash="0" * 10))

    def _step(self, job_id, step, steps):
        if job_id not in self.painting or self.silent:
            return
        chance = self.random.random()
        if chance < self.faults.worker_dies:
            self.die()
        elif chance < self.faults.worker_dies + self.faults.worker_silent:
            self.trace("worker", "silent")
            self.silent = True
        elif chance < self.faults.worker_dies + self.faults.worker_silent + self.faults.painting_fails:
            del self.painting[job_id]
            self._event(PaintingFailed(job_id=job_id, reason="The latents became NaN at step 3."))
        elif step < steps:
            self._event(Progress(job_id=job_id, step=step, steps=steps))
            self._later(self.random.expovariate(1 / 3), self._step, job_id, step + 1, steps)
        else:
            self._finish(job_id)

    def _finish(self, job_id):
        request = self.painting.pop(job_id)
        pictures = tuple(
            Picture(png=content_of(seed), seed=seed, width=8, height=8, infotext=f"Seed: {seed}")
            for seed in range(request.seed, request.seed + request.count)
        )
        self.trace("worker", "painted", job_id)
        self._event(Painted(job_id=job_id, pictures=pictures, seconds=1.0))

    def _cancelled(self, job_id):
        if self.painting.pop(job_id, None) is not None:
            self._event(PaintingCancelled(job_id=job_id))

    def _event(self, event):
        if not self.closed:
            self._on_event(event)

    def _later(self, seconds, call, *values):
        timer = None

        def run():
            self._timers.discard(timer)
            call(*values)

        timer = asyncio.get_running_loop().call_later(seconds, run)
        self._timers.add(timer)
