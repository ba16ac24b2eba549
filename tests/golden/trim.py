"""Copy the recordings without what is large: `python tests/golden/trim.py ../shared/golden tests/golden/data`.

All tables are kept, the model without its tokenizer (the bundled checkpoint has the same) and without its second form
as a single file. Of the pictures, those given by `--keep` are kept, and as many of the smallest as fit, without the
traces of their steps, which no test reads.
"""

import argparse
import functools
import json
import shutil
import sys
from pathlib import Path

from safetensors.torch import load_file, save_file

LIMIT = 12_000_000  # bytes
FOLDERS = ("unet", "vae", "text_encoder", "scheduler")
LARGE = {"images.json", "images.safetensors", "tiny-sd-ldm.safetensors"}


def main():
    """Read the arguments and copy."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--keep", nargs="*", default=["basic", "hr_card_analog"], help="cases to keep in any event")
    options = parser.parse_args()
    shutil.rmtree(options.target, ignore_errors=True)
    (options.target / "png").mkdir(parents=True)
    copy_tables(options.source, options.target)
    copy_pictures(options.source, options.target, options.keep)
    size = folder_size(options.target)
    sys.stdout.write(f"{options.target}: {size:,} bytes\n")
    if size > LIMIT:
        raise SystemExit(f"This is more than {LIMIT:,}.")


def copy_tables(source, target):
    """Copy everything but the pictures."""
    for path in source.iterdir():
        if path.suffix == ".json" and path.name not in LARGE:
            write(json.loads(path.read_text(encoding="utf-8")), target / path.name)
        elif path.suffix == ".safetensors" and path.name not in LARGE:
            copy(path, target / path.name)
    model = source / "tiny-sd"
    for path in (model / "model_index.json", *(file for folder in FOLDERS for file in (model / folder).glob("*"))):
        if path.is_file():
            copy(path, target / path.relative_to(source))


def copy_pictures(source, target, keep):
    """Copy the cases to keep, and then the smallest while there is room."""
    cases = json.loads((source / "images.json").read_text(encoding="utf-8"))
    tensors = load_file(source / "images.safetensors")
    tensors = {name: value for name, value in tensors.items() if "/trace_" not in name}
    room = LIMIT - folder_size(target)
    chosen = []
    for case in sorted(cases, key=lambda case: (case["name"] not in keep, case_size(source, case, tensors))):
        size = case_size(source, case, tensors)
        if size < room:
            room -= size
            chosen.append(case["name"])
    kept = [case for case in cases if case["name"] in chosen]
    write(kept, target / "images.json")
    save_file(
        {name: value for name, value in tensors.items() if of_case(name) in chosen}, target / "images.safetensors"
    )
    for file in (file for case in kept for file in case["png"]):
        copy(source / file, target / file)


def case_size(source, case, tensors):
    """Return about how many bytes a case takes."""
    table = len(json.dumps(case, ensure_ascii=False, separators=(",", ":")).encode())
    files = sum((source / file).stat().st_size for file in case["png"])
    numbers = sum(100 + 4 * value.numel() for name, value in tensors.items() if of_case(name) == case["name"])
    return table + files + numbers


def of_case(name):
    """Return the case that a tensor belongs to."""
    return name.rpartition("/")[0]


def write(content, target):
    """Write a table, one case a line."""
    dump = functools.partial(json.dumps, ensure_ascii=False, separators=(",", ":"))
    text = "[\n" + ",\n".join(map(dump, content)) + "\n]" if isinstance(content, list) else dump(content)
    target.write_text(text + "\n", encoding="utf-8")


def copy(source, target):
    """Copy a file's content, not its rights."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def folder_size(folder):
    """Return the bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    main()
