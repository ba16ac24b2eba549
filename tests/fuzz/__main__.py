"""Fuzz all readers: python -m tests.fuzz --inputs 1000000 [--seed 1] [--only prompts]."""

import argparse
import resource
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from fuzz.running import fuzz, fuzz_interactions
from fuzz.targets import TARGETS

_INTERACTIONS = "interactions"
_WORLDS = 100  # of one run
_AT_ONCE = 2000  # inputs of one run, which hypothesis keeps in memory


def main():
    """Return the exit status: 1 where a reader raised what it should not have raised."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=10_000, help="how many, over all readers")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=[*TARGETS, _INTERACTIONS], help="this reader alone")
    chosen = parser.parse_args()
    names = [chosen.only] if chosen.only else [*TARGETS, _INTERACTIONS]
    return any([_fuzz(name, chosen.inputs // len(names), chosen.seed) for name in names])  # noqa: C419 - all of them


def _fuzz(name, inputs, seed):
    began, done = time.monotonic(), 0
    while done < inputs:
        try:
            if name == _INTERACTIONS:
                done += fuzz_interactions(_WORLDS, seed=seed + done)
            else:
                fuzz(name, min(_AT_ONCE, inputs - done), seed=seed + done)
                done += min(_AT_ONCE, inputs - done)
        except BaseException as error:  # noqa: BLE001 - whatever it is, it was found
            print(f"{name}: after {done} inputs: {error!r} {getattr(error, '__notes__', '')}", flush=True)
            return True
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{name}: {done} inputs in {time.monotonic() - began:.0f} s; {memory} MiB", flush=True)
    return False


if __name__ == "__main__":
    sys.exit(main())
