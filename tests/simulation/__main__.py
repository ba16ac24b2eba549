"""Run seeds of the simulation, or replay one.

python -m tests.simulation 1234             replay this seed: its trace, and what was violated
python -m tests.simulation --seeds 10000    run so many seeds on all processors, from --first on
"""

import os
import sys
from pathlib import Path

if os.environ.get("PYTHONHASHSEED") != "0":  # sets of texts have the same order in every run
    os.execve(sys.executable, sys.orig_argv, {**os.environ, "PYTHONHASHSEED": "0"})  # noqa: S606 - this program itself

sys.path.insert(0, str(Path(__file__).parents[1]))

from simulation.command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
