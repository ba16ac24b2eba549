"""The command that runs many seeds, or replays one."""

import argparse
import multiprocessing
import time
from collections import Counter
from functools import partial

from simulation.planted import PLANTED
from simulation.seeds import prepared, simulate


def main(arguments):
    """Return the exit status: 1 where a seed found a fault."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description="Simulate the bot by seeds.")
    parser.add_argument("seed", nargs="?", type=int, help="replay this seed, and print its trace")
    parser.add_argument("--seeds", type=int, default=100, help="how many seeds to run")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--processes", type=int, default=multiprocessing.cpu_count())
    parser.add_argument("--until", type=int, help="stop after so many seeds that found a fault")
    parser.add_argument("--planted", choices=PLANTED, help="with this bug planted")
    chosen = parser.parse_args(arguments)
    if chosen.seed is not None:
        return _replay(chosen.seed, chosen.planted)
    return _run_many(chosen)


def _replay(seed, planted):
    with prepared() as start, PLANTED[planted]():
        outcome = simulate(seed, start)
    print("\n".join(outcome.lines))
    for error in outcome.found:
        print(f"seed {seed}: {error}")
    for error in outcome.known:
        print(f"seed {seed}, known and open: {error}")
    return bool(outcome.found)


def _run_many(chosen):
    """Run the seeds side by side, print each that found a fault, and in the end how fast they ran."""
    began, found, known, done = time.monotonic(), Counter(), Counter(), 0
    seeds = range(chosen.first, chosen.first + chosen.seeds)
    groups = [seeds[number :: chosen.processes] for number in range(chosen.processes)]
    context = multiprocessing.get_context("spawn")
    results = context.SimpleQueue()
    workers = [context.Process(target=partial(_work, results, group, chosen.planted), daemon=True) for group in groups]
    for worker in workers:
        worker.start()
    while done < len(seeds):
        seed, claims, text, open_claims = results.get()
        done += 1
        known.update(open_claims)
        if claims:
            found.update(claims)
            print(f"seed {seed}: {text}", flush=True)
        if done % 1000 == 0:
            print(f"{done} seeds in {time.monotonic() - began:.0f} s", flush=True)
        if chosen.until is not None and sum(found.values()) >= chosen.until:
            break
    for worker in workers:
        worker.terminate()
        worker.join()
    seconds = time.monotonic() - began
    print(f"{done} seeds in {seconds:.1f} s, {done / seconds:.1f} a second; faults: {dict(found) or 'none'}")
    print(f"seeds with faults that are known and open: {dict(known) or 'none'}")
    return bool(found)


def _work(results, seeds, planted):
    with prepared() as start, PLANTED[planted]():
        for seed in seeds:
            outcome = simulate(seed, start)
            texts = "; ".join(map(str, outcome.found))
            results.put((seed, claims_of(outcome.found), texts, claims_of(outcome.known)))


def claims_of(errors):
    """Return what was violated, each claim once."""
    return sorted({getattr(error, "claim", type(error).__name__) for error in errors})
