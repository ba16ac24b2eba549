"""Build the guides as a site, in build/site: `make docs`. Any warning ends it.

The pages are those of this folder. What they link to outside of it is copied beside them: the README is the first page,
and other files are as they are, in `files`.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "build"
PAGES = BUILD / "docs"
_LINK = re.compile(r"\]\((?P<up>(?:\.\./)+)(?P<path>[^)#]+)(?P<part>#[^)]*)?\)")
_MOVED = {"README.md": "index.md", "CHANGELOG.md": "changelog.md"}


def main() -> None:
    """Collect the pages and build the site."""
    shutil.rmtree(PAGES, ignore_errors=True)
    shutil.copytree(ROOT / "docs", PAGES, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    for page in PAGES.rglob("*.md"):
        page.write_text(_with_files(page.read_text(encoding="utf-8"), page), encoding="utf-8")
    for name, moved in _MOVED.items():
        text = _as_in_docs((ROOT / name).read_text(encoding="utf-8"))
        (PAGES / moved).write_text(_with_files(text, PAGES / moved), encoding="utf-8")
    subprocess.run([sys.executable, "-m", "zensical", "build", "--strict", "--config-file", _config()], check=True)


def _as_in_docs(text: str) -> str:
    """Return a page of the project's folder with the links that it would have in `docs`."""

    def moved(link: re.Match[str]) -> str:
        path = link["path"].removeprefix("docs/")
        return link["start"] + (path if path != link["path"] else f"../{path}")

    return re.sub(r"(?P<start>\]\(|src=\")(?P<path>[\w.-][^):\"]*)(?=[)\"])", moved, text)


def _with_files(text: str, page: Path) -> str:
    """Copy what the page links to outside of the docs, and return its text with links to the copies."""

    def moved(link: re.Match[str]) -> str:
        levels = len(page.relative_to(PAGES).parts) - 1
        up = "../" * levels
        if link["path"] in _MOVED:
            return f"]({up}{_MOVED[link['path']]}{link['part'] or ''})"
        source = ROOT / link["path"]
        if link["up"].count("../") != levels + 1 or not source.is_file():
            return link[0]
        target = PAGES / "files" / f"{link['path'].replace('/', '-')}.txt"
        target.parent.mkdir(exist_ok=True)
        shutil.copyfile(source, target)
        return f"]({up}files/{target.name})"

    return _LINK.sub(moved, text)


def _config() -> str:
    """Copy the site's configuration to the collected pages: its paths start where it is."""
    shutil.copyfile(ROOT / "docs" / "zensical.toml", BUILD / "zensical.toml")
    return str(BUILD / "zensical.toml")


if __name__ == "__main__":
    main()
