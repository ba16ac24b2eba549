"""A worker without torch: a process that paints small pictures, slowly enough to be killed meanwhile."""

import hashlib
import io
import time
from random import Random

from PIL import Image

from pastelbot.records import Cancel, Paint, Painted, PaintingCancelled, Picture, Progress, Stop, WorkerReady


def paint(connection, _options):
    """Paint what is asked for, one step of one job at a time."""
    connection.send(WorkerReady(device="none", checkpoint="fake", checkpoint_hash="0" * 10))
    random, waiting = Random(), {}
    while True:
        if connection.poll(0.02 if waiting else 3600) and not _take(connection, waiting):
            return
        for job_id in list(waiting):
            request, step, steps = waiting[job_id]
            waiting[job_id] = request, step + 1, steps
            if step < steps:
                connection.send(Progress(job_id=job_id, step=step, steps=steps))
            else:
                del waiting[job_id]
                connection.send(Painted(job_id=job_id, pictures=pictures_of(request), seconds=0.1))
        time.sleep(random.random() * 0.05)


def _take(connection, waiting):
    """Take a command; return whether to go on."""
    match connection.recv():
        case Stop():
            return False
        case Cancel(job_id=job_id):
            waiting.pop(job_id, None)
            connection.send(PaintingCancelled(job_id=job_id))
        case Paint(job_id=job_id, request=request):
            waiting[job_id] = request, 1, Random(request.seed).randint(1, 4)
    return True


def pictures_of(request):
    return tuple(
        Picture(png=content_of(seed), seed=seed, width=8, height=8, infotext=f"Seed: {seed}")
        for seed in range(request.seed, request.seed + request.count)
    )


def content_of(seed):
    """Return a PNG, and behind its end what tells it from others."""
    file = io.BytesIO()
    Image.new("RGB", (8, 8), "pink").save(file, "PNG")
    return file.getvalue() + hashlib.sha256(str(seed).encode()).digest() * 40
