"""Render the portraits of all picture sets with node; npm's packages are looked for from the work folder upwards."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from training.workspace import PICTURE_SETS, PictureSet, Workspace, arguments

SCRIPT = Path(__file__).with_name("portraits") / "render.mjs"


def render(work: Workspace, pictures: PictureSet) -> None:
    """Render one set unless its labels, which are written last, are there."""
    if work.path(f"{pictures.name}.json").exists():
        return
    numbers = [str(pictures.count), str(pictures.side), str(pictures.seed), pictures.view]
    subprocess.run(["node", SCRIPT, pictures.name, *numbers], cwd=work.folder, check=True)
    print(f"{pictures.name}: {pictures.count} pictures", flush=True)


def main() -> None:
    """Run the step from the command line."""
    given = arguments(__doc__).parse_args()
    with ThreadPoolExecutor(given.threads) as pool:
        list(pool.map(lambda pictures: render(Workspace(given.work), pictures), PICTURE_SETS))


if __name__ == "__main__":
    main()
