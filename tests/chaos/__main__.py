"""Kill the bot for real: python -m tests.chaos --kills 1000 [--seed 1]."""

import argparse
import asyncio
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from chaos.campaign import Lives, campaign

_LIVES = 12  # of one campaign


async def main():
    """Return the exit status: 1 where something was lost."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=100, help="how many lives are ended")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
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
