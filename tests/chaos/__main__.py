"""Kill the bot for real: python -m tests.chaos --kills 1000 [--seed 1], or let it work long: --jobs 100000."""

import argparse
import asyncio
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from chaos.campaign import Lives, campaign
from chaos.endurance import GrowthError, endure

_LIVES = 12  # of one campaign
_JOBS = 20_000  # of one life


async def main():
    """Return the exit status: 1 where something was lost, or grew."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=100, help="how many lives are ended")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=0, help="let bots do so many jobs instead, and hold what they hold")
    parser.add_argument("--life", type=int, default=_JOBS, help="jobs after which a bot is stopped and another started")
    chosen = parser.parse_args()
    return await (_endure(chosen.jobs, chosen.life) if chosen.jobs else _kill(chosen))


async def _endure(jobs, life):
    began = time.monotonic()

    def say(sample):
        done, memory, handles = sample
        print(f"{done} jobs in {time.monotonic() - began:.0f} s: {memory:.1f} MiB, {handles} open files", flush=True)

    def say_growth(growth):
        print("in 1,000 jobs it grew by {:+.3f} MiB and {:+.3f} open files".format(*growth), flush=True)

    async with Lives.started() as lives:
        try:
            await endure(lives, jobs, life, say, say_growth)
        except GrowthError as error:
            print(error, flush=True)
            return True
    return False


async def _kill(chosen):
    """Return whether something was lost."""
    counted, failed, began, ended = Counter(), 0, time.monotonic(), 0
    async with Lives.started() as lives, Lives.started() as rival:
        for number, seed in enumerate(range(chosen.seed, chosen.seed + -(-chosen.kills // _LIVES)), 1):
            try:
                counted += await campaign(seed, min(_LIVES, chosen.kills - ended), lives, rival)
            except AssertionError as error:
                failed += 1
                print(f"campaign {seed}: {error}", flush=True)
            ended += _LIVES
            print(
                f"{number} campaigns in {time.monotonic() - began:.0f} s: {dict(counted)}; failed: {failed}", flush=True
            )
    return bool(failed)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
