"""Damage files of all programs: python -m tests.fuzz.metadata_files --files 300000 [--seed 0].

A file may be read or refused with an error of ours, and takes less than 50 ms of the processor's time.
"""

import argparse
import random
import struct
import sys
import time
import warnings
import zlib
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from helpers.metadata_files import EACH, KINDS, make

from pastelbot.errors import PastelError
from pastelbot.formats.pictures import read_infotext
from pastelbot.infotext import read_request

_MOST = 0.05  # seconds of the processor's time for a file
_PIECES = (
    *(
        b'"',
        b"{",
        b"}",
        b"[",
        b"]",
        b":",
        b",",
        b"\\\\",
        b"\\u",
        b"\\n",
        b"\\0",
        b"<",
        b">",
        b"(",
        b")",
        b" AND ",
        b"Steps: ",
    ),
    *(
        b"1e999",
        b"NaN",
        b"null",
        b"true",
        b"-1",
        b"99999999999999999999",
        b'["3", 0]',
        b'"inputs"',
        b"Negative prompt: ",
    ),
    *(
        b"<lora:",
        b"\\ud800",
        b"\xff\xfe",
        b"UNICODE\0",
        b"nodes",
        b"links",
        b"Seed: ",
        b"Size: ",
        b"{}" * 50,
        b"[" * 2000,
    ),
)
_TEXT_CHUNKS = (b"tEXt", b"iTXt", b"zTXt")


def damaged(content, chance):
    """Return a file with up to five places changed; of a PNG mostly in a sound chunk of text."""
    if content.startswith(b"\x89PNG") and chance.random() < 0.8:
        return _with_damaged_chunk(content, chance)
    return _changed(content, chance)


def _with_damaged_chunk(content, chance):
    chunks, place = [], 8
    while place + 8 <= len(content):
        (length,) = struct.unpack(">I", content[place : place + 4])
        kind, data = content[place + 4 : place + 8], content[place + 8 : place + 8 + length]
        chunks.append((kind, data))
        place += 12 + length
    numbers = [number for number, (kind, _data) in enumerate(chunks) if kind in _TEXT_CHUNKS]
    if numbers:
        number = chance.choice(numbers)
        kind, data = chunks[number]
        chunks[number] = kind, _changed(data, chance)
    whole = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
    return content[:8] + b"".join(whole)


def _changed(content, chance):
    data = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 5))):
        start = chance.randrange(len(data) + 1)
        end = min(len(data), start + chance.choice((0, 0, 1, 1, 4, 40)))
        how = chance.randrange(4)
        if how == 0:
            data[start:end] = chance.choice(_PIECES)
        elif how == 1:
            data[start:end] = chance.randbytes(end - start)
        elif how == 2:
            data[start:start] = data[start:end] * chance.choice((1, 2, 50))
        else:
            other = chance.randrange(len(data) + 1)
            data[start:end] = data[other : other + chance.choice((1, 8, 200))]
    return bytes(data if chance.random() < 0.9 else data[: chance.randrange(len(data) + 1)])


def try_files(count, *, seed):
    """Yield for each file what came of it, and the seconds of the processor's time; raises what is no error of ours."""
    chance, kinds = random.Random(seed), list(KINDS)
    for number in range(count):
        made = make(kinds[number % len(kinds)], chance.randrange(EACH))
        content = damaged(made.content, chance)
        began = time.process_time()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of damages that it can read around
            outcome = _outcome(content, number, seed)
        yield outcome, time.process_time() - began


def _outcome(content, number, seed):
    try:
        read_request(read_infotext(content))
    except PastelError:
        return "refused"
    except BaseException as error:
        error.add_note(f"file {number} of seed {seed}: {content[:2000]!r}")
        raise
    return "read"


def main():
    """Print what came of the files; return the exit status, 1 where one took too long."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.metadata_files", description=__doc__)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    outcomes, times = Counter(), []
    for outcome, seconds in try_files(chosen.files, seed=chosen.seed):
        outcomes[outcome] += 1
        times.append(seconds)
    slow = sum(seconds > _MOST for seconds in times)
    took = f"at most {1000 * max(times):.1f} ms, mean {1000 * sum(times) / len(times):.2f} ms; {slow} slow"
    sys.stdout.write(f"{dict(outcomes)}; {took}\n")
    return bool(slow)


if __name__ == "__main__":
    sys.exit(main())
