"""Measure how soon a button press is answered while the worker paints and many users press.

    .venv/bin/python benchmarks/ack.py [--people 200] [--seconds 30] [--pause 4]

Each user presses Reroll on a picture repeatedly, with a random pause in between. The bot process is complete: the
buttons, the service, the database on disk, the dispatcher, the delivery with its edits. Discord is a stub that takes
100 ms for each request. The worker is a real child process that reports like one that paints four jobs at 20 steps a
second in all: a step of a job each 50 ms, every fourth with a preview of 20 kB, and a picture of 1.5 MB at the end.

The measured time runs from the press until the answer is handed to Discord's library, which sends it.
"""

import argparse
import asyncio
import gc
import os
import random
import statistics
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import discord
import structlog

from pastelbot import app, config
from pastelbot.bot import render
from pastelbot.bot.components.job_buttons import JobButton
from pastelbot.bot.messages.delivery import Delivery
from pastelbot.bot.messages.message_slot import Pace
from pastelbot.config import CheckpointSettings, WorkerOptions
from pastelbot.i18n.languages import Languages
from pastelbot.jobs.executors.process_executor import ProcessExecutor
from pastelbot.records import (
    Cancel,
    GenerationRequest,
    Paint,
    Painted,
    PaintingCancelled,
    Picture,
    Progress,
    ReplyTarget,
    Stop,
    WorkerReady,
)
from pastelbot.service.reviews import Verdict
from pastelbot.service.services import Services
from pastelbot.store.jobs.store import JobStore

REQUEST = GenerationRequest(
    prompt="mksks style, 1girl, red hair, smile, pink background, "
    + ", ".join(f"tag {number}" for number in range(40)),
    negative_prompt=config.Settings().defaults.negative_prompt,
)
GUILD, CHANNEL, STEPS = 1, 2, 40
DISCORD_SECONDS = 0.1


def paint_busily(connection: Connection, _options: WorkerOptions) -> None:
    """Be the worker: take jobs in, and report of each like an engine at work."""
    preview, png = os.urandom(20_000), os.urandom(1_500_000)
    connection.send(WorkerReady(device="cuda", checkpoint="stand-in", checkpoint_hash="0" * 10))
    steps: dict[str, int] = {}
    while True:
        while connection.poll(0 if steps else None):
            match connection.recv():
                case Stop():
                    return
                case Paint(job_id=job_id):
                    steps[job_id] = 0
                case Cancel(job_id=job_id):
                    steps.pop(job_id, None)
                    connection.send(PaintingCancelled(job_id=job_id))
        time.sleep(0.05)
        for job_id in list(steps):
            steps[job_id] += 1
            shown = preview if steps[job_id] % 4 == 0 else None
            connection.send(Progress(job_id=job_id, step=steps[job_id], steps=STEPS, preview=shown))
            if steps[job_id] == STEPS:
                del steps[job_id]
                picture = Picture(png=png + os.urandom(8), seed=1, width=960, height=1280, infotext="1girl")
                connection.send(Painted(job_id=job_id, pictures=(picture,), seconds=2.0))


class StubDiscord:
    """Channels and messages that take their time."""

    def __init__(self) -> None:
        self.edits = 0
        self._ids = iter(range(10**6, 10**9))

    def get_partial_messageable(self, _channel_id: int, **_options: object) -> "StubDiscord":
        """Return the channel."""
        return self

    def get_partial_message(self, message_id: int) -> SimpleNamespace:
        """Return a message that can be edited."""
        return SimpleNamespace(id=message_id, edit=self._edit, to_reference=lambda **_options: None)

    def get_guild(self, _guild_id: int) -> None:
        """Return no server: the usual limits hold."""

    async def send(self, *_args: object, **_options: object) -> SimpleNamespace:
        """Send a message."""
        await asyncio.sleep(DISCORD_SECONDS)
        return SimpleNamespace(id=next(self._ids))

    async def _edit(self, **_options: object) -> None:
        self.edits += 1
        await asyncio.sleep(DISCORD_SECONDS)


class OpenReviews:
    """Reviews that let everything pass."""

    def previews_allowed(self, _job: object) -> bool:
        """Allow them."""
        return True

    async def judge(self, _job: object) -> Verdict:
        """Allow it."""
        return Verdict.SHOW


@dataclass(kw_only=True)
class Press:
    """One press of a button, as discord.py hands it to the bot, and when it was answered."""

    messages: Delivery
    services: Services
    languages: Languages
    user_id: int
    started: float
    answered: float | None = None
    refused: bool = False

    def interaction(self) -> Any:  # noqa: ANN401 - a stand-in for discord.Interaction
        """Return what the button's callback gets."""
        rights = discord.Permissions.all_channel()
        return SimpleNamespace(
            id=random.randrange(10**12),
            extras={},
            client=SimpleNamespace(services=self.services, messages=self.messages, languages=self.languages),
            type=discord.InteractionType.component,
            message=None,
            user=SimpleNamespace(id=self.user_id),
            is_guild_integration=lambda: True,
            guild_id=GUILD,
            channel_id=CHANNEL,
            channel=None,
            locale="en-GB",
            guild_locale="en-GB",
            permissions=rights,
            app_permissions=rights,
            response=SimpleNamespace(send_message=self._answer, is_done=lambda: self.answered is not None),
            followup=SimpleNamespace(send=self._answer),
        )

    async def _answer(self, text: str, **options: Any) -> SimpleNamespace:  # noqa: ANN401
        if self.answered is None:
            self.answered = time.perf_counter()
        if options.get("ephemeral") and "jobs queued" in text:
            self.refused = True
        elif options.get("ephemeral"):
            raise SystemExit(f"not what is measured here: {text}")
        await asyncio.sleep(DISCORD_SECONDS)
        return SimpleNamespace(message_id=random.randrange(10**12))


async def run(folder: Path, people: int, seconds: float, pause: float, durability: str) -> None:
    """Measure, and print."""
    settings = config.Settings.model_validate(
        {
            "storage": {"database": folder / "bot.sqlite3", "pictures": folder / "pictures", "durability": durability},
            "quota": {"work_per_day": 0},
        }
    )
    executor = ProcessExecutor(WorkerOptions(checkpoint=CheckpointSettings(path="stand-in")), target=paint_busily)
    services = await app.open_services(settings, executor=executor)
    client: Any = StubDiscord()
    reviews: Any = OpenReviews()
    languages = Languages.shipped()
    delivery = Delivery(
        client,
        services.jobs,
        reviews,
        languages,
        pace=Pace(edit_seconds=3.0),
        usual=render.Usual(negative=settings.defaults.negative_prompt, work=services.quotas.default),
        mention_after=60.0,
    )
    now = datetime.now(UTC)
    reply = ReplyTarget(channel_id=CHANNEL, guild_id=GUILD, message_id=3)
    (picture,) = await JobStore(services.database).insert(1, [(REQUEST, reply)], now=now)
    await services.dispatcher.start(delivery.publish)
    await asyncio.sleep(3)  # the worker starts
    gc.freeze()
    presses: list[Press] = []
    end = time.perf_counter() + seconds
    chance = random.Random(1)

    async def person(user_id: int) -> None:
        await asyncio.sleep(chance.uniform(0, pause))
        while time.perf_counter() < end:
            press = Press(
                services=services, messages=delivery, languages=languages, user_id=user_id, started=time.perf_counter()
            )
            presses.append(press)
            await JobButton("reroll", picture.id).callback(press.interaction())
            await asyncio.sleep(chance.uniform(0, 2 * pause))

    await asyncio.gather(*(person(10 + number) for number in range(people)))
    report(presses, seconds, client.edits, (await services.dispatcher.overview()).waiting)
    await services.dispatcher.close()
    await delivery.close()
    await services.database.close()


def report(presses: list[Press], seconds: float, edits: int, waiting: int) -> None:
    """Print how long the answers took."""
    took = [press.answered - press.started for press in presses if press.answered is not None]
    cuts = statistics.quantiles(took, n=100)
    refused = sum(press.refused for press in presses)
    print(
        f"{len(took):,} presses in {seconds:.0f} s ({refused:,} refused: enough jobs queued), {edits:,} edits, "
        f"{waiting:,} queued at the end; answered: p50 {cuts[49] * 1e3:.1f} ms, p99 {cuts[98] * 1e3:.1f} ms, "
        f"most {max(took) * 1e3:.1f} ms; not answered: {len(presses) - len(took)}"
    )


def main() -> None:
    """Read the options and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--pause", type=float, default=4, help="seconds between a person's presses, on average")
    parser.add_argument("--durability", choices=("full", "relaxed"), default="full")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(Path(folder), options.people, options.seconds, options.pause, options.durability))


if __name__ == "__main__":
    main()
