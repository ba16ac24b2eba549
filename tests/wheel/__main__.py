"""Build the wheel, install it in a clean environment, and use it from an empty folder: python -m tests.wheel.

Installing torch takes minutes and 1.3 GB, so this is no test; `make test-wheel` runs it before a release.
"""

import os
import signal
import subprocess
import sys
import tempfile
import urllib.request
import venv
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).parents[2]
PARTS = ("pastelbot/data/checkpoint/unet/diffusion_pytorch_model.safetensors", "licenses/LICENSES/CLIP-MIT.txt")


def build(folder: Path) -> Path:
    """Return the wheel that was built in the folder."""
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(ROOT))
    (wheel,) = folder.glob("pastelbot-*.whl")
    return wheel


def install(wheel: Path, folder: Path) -> Path:
    """Return the folder of the commands of a new environment with the wheel and the demo."""
    venv.create(folder, with_pip=True)
    commands = folder / ("Scripts" if os.name == "nt" else "bin")
    constraints = str(ROOT / "constraints.txt")
    run(str(commands / "python"), "-m", "pip", "install", "--quiet", "--constraint", constraints, f"{wheel}[demo]")
    return commands


def check_files(commands: Path, folder: Path) -> None:
    """Check that all files were installed which the program looks for."""
    program = "import importlib.metadata as m; print(*m.files('pastelbot'), sep='\\n')"
    files = run(str(commands / "python"), "-c", program, cwd=folder)
    missing = [part for part in PARTS if part not in files]
    assert not missing, f"not in the wheel: {missing}"


def paint(commands: Path, folder: Path) -> None:
    """Paint a picture with the bundled checkpoint."""
    run(str(commands / "pastelbot"), "imagine", "1girl, red hair", "--steps", "2", "--out", "picture.png", cwd=folder)
    with Image.open(folder / "picture.png") as picture:
        assert picture.size[0] >= 128, picture.size


def open_demo(commands: Path, folder: Path) -> None:
    """Start the demo, read its page, and end it."""
    command = [str(commands / "pastelbot"), "demo", "--no-browser"]
    process = subprocess.Popen(command, cwd=folder, env=environment(), stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        url = process.stdout.readline().rpartition(" ")[2].strip()
        with urllib.request.urlopen(url) as page:
            assert b"Pastelbot" in page.read()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0, process.returncode
    finally:
        process.kill()


def run(*command: str, cwd: Path | None = None) -> str:
    """Run a command and return what it printed; an error ends this program."""
    done = subprocess.run(command, cwd=cwd, env=environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout


def environment() -> dict[str, str]:
    """Return an environment in which no other Pastelbot is found."""
    return {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}


def main() -> None:
    """Do all of it, and say what was done."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "empty").mkdir()
        wheel = build(folder / "wheels")
        print(f"{wheel.name}: {wheel.stat().st_size / 1e6:.1f} MB")
        commands = install(wheel, folder / "environment")
        check_files(commands, folder / "empty")
        paint(commands, folder / "empty")
        open_demo(commands, folder / "empty")
        print("installed, painted with, and its demo opened")


if __name__ == "__main__":
    main()
