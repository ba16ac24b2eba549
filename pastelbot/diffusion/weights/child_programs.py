"""Modules of ours that run as programs, in processes of their own."""

import os
import subprocess
import sys
from collections.abc import Mapping


def run_module(module: str, *arguments: str, environment: Mapping[str, str] | None = None) -> str | None:
    """Run a module with arguments and wait for its end; return the last line about its failure, None where it worked.

    `environment` are variables beside those of this process.
    """
    command = [sys.executable, "-m", module, *arguments]
    variables = {**os.environ, **(environment or {})}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=variables)  # noqa: S603 - our own program
    if done.returncode == 0:
        return None
    lines = done.stderr.strip().splitlines() or [f"it ended with the code {done.returncode}"]
    return lines[-1]
