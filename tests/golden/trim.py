"""Copy recordings without what is large: `python tests/golden/trim.py GOLDEN tests/golden/data --more GOLDEN_MORE`.

All tables are kept, the model without its tokenizer (the bundled checkpoint has the same) and without its second form
as a single file. Of the pictures, those given by `--keep` are kept, and as many of the smallest as fit, without the
traces of their steps, which no test reads.

A second set (`--more`) adds its own tables and the smallest of its pictures, and its cases to the tables of the first.
"""

import argparse
import functools
import json
import shutil
import sys
from pathlib import Path

from safetensors.torch import load_file, save_file

LIMIT = 12_000_000  # bytes
MORE = 8_140_000
MORE_ROOM = 4_350_000  # of these, up to where the second set has its pictures of the first form
MORE_TABLES = (
    *("sigmas_more.json", "img2img_runs.json", "resize.json", "upscale.json", "networks.json", "embeddings.json"),
    *("pnginfo.json", "styles.json", "grids.json"),
)
MORE_FILES = ("networks.safetensors", "styles.csv")
MORE_KEPT = (
    "hr_lcm",
    "dpm_fast_9",
    "dpm_adaptive",
    "ddim_cfgpp",
    "hr_firstpass_conds",
    "styles",
    "inp_fill",
    "inp_latent_noise",
    "inp_only_masked",
    "inp_soft",
    "inp_ddim",
    "lora_rare_layers",
)
MORE_FOLDERS = ("init", "pnginfo", "resize", "upscale", "networks/ESRGAN", "networks/Lora", "networks/embeddings")
FOLDERS = ("unet", "vae", "text_encoder", "scheduler")
LARGE = {"images.json", "images.safetensors", "tiny-sd-ldm.safetensors"}


def main():
    """Read the arguments and copy."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--keep", nargs="*", default=["basic", "hr_card_analog"], help="cases to keep in any event")
    parser.add_argument("--more", type=Path, help="a second set")
    options = parser.parse_args()
    shutil.rmtree(options.target, ignore_errors=True)
    (options.target / "png").mkdir(parents=True)
    copy_tables(options.source, options.target)
    copy_pictures(options.source, options.target, options.keep, "images", LIMIT)
    if options.more:
        add_more(options.more, options.target)
    size, limit = folder_size(options.target), LIMIT + MORE * bool(options.more)
    sys.stdout.write(f"{options.target}: {size:,} bytes\n")
    if size > limit:
        raise SystemExit(f"This is more than {limit:,}.")


def add_more(source, target):
    """Add a second set: what has a name of its own, and its cases to what the first set has too."""
    for name in MORE_TABLES:
        write(json.loads((source / name).read_text(encoding="utf-8")), target / name)
    for name in MORE_FILES:
        copy(source / name, target / name)
    for path in (path for name in MORE_FOLDERS for path in (source / name).rglob("*")):
        if path.is_file():
            copy(path, target / path.relative_to(source))
    for name, key in (("sigmas.json", "entries"), ("infotext.json", "cases")):
        content = json.loads((target / name).read_text(encoding="utf-8"))
        added = json.loads((source / name).read_text(encoding="utf-8"))[key]
        known = {json.dumps(entry, sort_keys=True) for entry in content[key]}
        content[key] += [entry for entry in added if json.dumps(entry, sort_keys=True) not in known]
        write(content, target / name)
    copy_pictures(source, target, MORE_KEPT, "images", LIMIT + MORE_ROOM)
    copy_pictures(source, target, MORE_KEPT, "images_more", LIMIT + MORE)


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


def copy_pictures(source, target, keep, table, limit):
    """Add the cases to keep to a table, and then the smallest while there is room."""
    cases = json.loads((source / f"{table}.json").read_text(encoding="utf-8"))
    tensors = load_file(source / f"{table}.safetensors")
    tensors = {name: value for name, value in tensors.items() if "/trace_" not in name}
    room = limit - folder_size(target)
    chosen = []
    for case in sorted(cases, key=lambda case: (case["name"] not in keep, case_size(source, case, tensors))):
        size = case_size(source, case, tensors)
        if size < room:
            room -= size
            chosen.append(case["name"])
    kept = [case for case in cases if case["name"] in chosen]
    there, numbers = [], {}
    if (target / f"{table}.json").exists():
        there = json.loads((target / f"{table}.json").read_text(encoding="utf-8"))
        numbers = load_file(target / f"{table}.safetensors")
    write([*there, *kept], target / f"{table}.json")
    numbers |= {name: value for name, value in tensors.items() if of_case(name) in chosen}
    save_file(numbers, target / f"{table}.safetensors")
    for file in (file for case in kept for file in files_of(case)):
        copy(source / file, target / file)


def case_size(source, case, tensors):
    """Return about how many bytes a case takes."""
    table = len(json.dumps(case, ensure_ascii=False, separators=(",", ":")).encode())
    files = sum((source / file).stat().st_size for file in files_of(case))
    numbers = sum(100 + 4 * value.numel() for name, value in tensors.items() if of_case(name) == case["name"])
    return table + files + numbers


def files_of(case):
    """Return the pictures that a case names."""
    named = [case.get(name, []) for name in ("png", "encoded", "before_upscale", "overlay", "mask_for_overlay")]
    return [file for files in named for file in ([files] if isinstance(files, str) else files)]


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
