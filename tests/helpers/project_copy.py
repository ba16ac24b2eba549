"""A copy of the project, in which a test makes the changes that docs/contributing.md describes, and runs tests."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("pastelbot", "tests", "docs")


def link_project(folder, changed):
    """Put links to all files into a folder, and instead of some of them, or besides, files with other contents."""
    for path in [path for name in FOLDERS for path in (ROOT / name).rglob("*") if path.is_file()]:
        name = path.relative_to(ROOT)
        if str(source_of(name)) not in changed:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).symlink_to(path)
    (folder / "pyproject.toml").symlink_to(ROOT / "pyproject.toml")
    for name, content in changed.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")


def source_of(name):
    """Return the file that a file was compiled from, or the file: what is unchanged is not compiled anew."""
    if name.parent.name != "__pycache__":
        return name
    return name.parent.parent / f"{name.name.partition('.')[0]}.py"


def inserted(name, *places):
    """Return a file's content with texts in front of the places that are there once, given as (place, text)."""
    content = (ROOT / name).read_text(encoding="utf-8")
    for place, text in places:
        assert content.count(place) == 1, (name, place)
        content = content.replace(place, text + place)
    return content


def run_python(folder, *arguments):
    """Run Python in a copy, with its package."""
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def run_tests(folder, *names):
    """Run tests of a copy."""
    return run_python(folder, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:randomly", *names)
