"""Print the tables of docs/conformance.md: `python tests/golden/conformance.py REPORT FOLDER...`.

Make the report of each folder of recordings with `PASTELBOT_GOLDEN=FOLDER PASTELBOT_GOLDEN_REPORT=REPORT python -m
pytest tests/golden`; it grows with each. Without a folder, the cases are those of `data`.
"""

import json
import os
import sys
from collections import Counter, defaultdict
from pathlib import Path

from golden_cases import cases, folder
from golden_requests import out_of_reach

# File, key in it, and what its tests hold to the letter.
EXACT = [
    ("prompt_attention.json", None, "attention syntax, with its errors"),
    ("prompt_schedules.json", None, "prompt editing and alternation"),
    ("multicond.json", None, "`AND` composition"),
    ("prompt_misc.json", "strip_comments", "comments"),
    ("prompt_misc.json", "extra_networks", "extra networks"),
    ("tokens.json", None, "tokens, chunks, weights and count"),
    ("infotext.json", "cases", "infotexts written, and read back into the same request"),
    ("parse_infotext.json", None, "infotexts read"),
    ("samplers.json", None, "sampler and schedule names"),
    ("resolution.json", None, "sizes of the hires fix"),
    ("img2img_steps.json", None, "steps of the hires fix"),
    ("step_switch.json", None, "step at which an edited prompt changes"),
    ("resize.json", None, "pictures resized by the modes of img2img, to the level"),
    ("embeddings.json", "prompts", "places and weights of embeddings in prompts"),
    ("pnginfo.json", None, "infotexts read from the webui's PNG, JPEG and WebP files"),
    ("styles.json", "cases", "styles put around prompts, and found there again"),
]
# A result in the report -> what it is called, and the largest difference and mean that the tests allow.
NUMBERS = {
    ("noise", "CPU"): ("noise: CPU", "1e-5"),
    ("noise", "GPU"): ("noise: GPU, on a CPU", "1e-5"),
    ("noise", "NV"): ("noise: NV", "1e-6"),
    ("noise", "variation"): ("noise of variations", "1e-5"),
    ("schedules", "sigmas"): ("sigma schedules (relative)", "2e-5"),
    ("schedules", "timesteps"): ("timesteps passed to the UNet", "1e-3; 2e-4 from the recorded sigmas"),
    ("conditioning", "vectors"): ("conditioning", "1e-5"),
    ("networks", "difference"): ("changes of weights and biases by networks of all kinds", "1e-6"),
    ("pictures", "first_noise"): ("initial noise of pictures", "1e-5"),
    ("pictures", "init_latents"): ("latents of pictures to start from", "3e-4, mean 3e-5"),
    ("pictures", "nmask"): ("masks of latents", "1e-5"),
    ("pictures", "first_latents"): ("latents after the first pass", "3e-4, mean 3e-5; SDE samplers 1e-3"),
    ("pictures", "hr_noise"): ("noise of the hires pass", "1e-5"),
    ("pictures", "hr_input_latents"): (
        "latents upscaled for the hires pass",
        "3e-4, mean 3e-5; through pixels see below",
    ),
    ("pictures", "hr_latents"): ("latents after the hires pass", "3e-4, mean 3e-5; SDE samplers 1e-3"),
    ("pictures", "decoded"): ("decoded pictures", "3e-4; SDE samplers 1e-3"),
    ("pictures", "png"): ("PNG files: levels, and the share of the values that differ", "1, on 1 %"),
}
TABLES = ("images.json", "images_more.json")


def main(path, *folders):
    """Print all tables."""
    sets = [Path(name).resolve() for name in folders] or [folder()]
    entries = [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]
    pictures = [
        (case, reason_of(case, place)) for place in sets for table in TABLES for case in cases(table, None, place)
    ]
    tables = [counted(entries, pictures), exact(sets), numbers(entries), samplers(entries, pictures)]
    sys.stdout.write("\n\n".join("\n".join(table) for table in tables) + "\n")


def reason_of(case, place):
    """Return why a set's case cannot be equal, "" where it can."""
    os.environ["PASTELBOT_GOLDEN"] = str(place)
    return out_of_reach(case)


def counted(entries, pictures):
    """Return the table of how many pictures of each kind are equal within tolerance, and why others are not."""
    equal = {entry["case"] for entry in entries if entry["feature"] == "pictures"}
    kinds = defaultdict(list)
    for case, reason in pictures:
        kinds[kind_of(case)].append("" if case["name"] in equal else reason or "DIFFERS OR NOT RUN")
    lines = [
        "| Kind of picture | Cases | Equal within tolerance | Not compared or not equal, and why |",
        "|---|---|---|---|",
    ]
    for kind, reasons in kinds.items():
        whys = "; ".join(f"{count}: {why}" for why, count in Counter(reasons).items() if why)
        lines.append(f"| {kind} | {len(reasons)} | {reasons.count('')} | {whys} |")
    return lines


def kind_of(case):
    """Return the kind of picture that a case is."""
    if case.get("kind"):
        return "inpainting" if "mask" in case else case["kind"]
    if case.get("networks"):
        return "LoRAs, other networks and embeddings"
    return "hires fix" if case["settings"].get("enable_hr") else "txt2img"


def exact(sets):
    """Return the table of what is identical; a case that several sets have counts once."""
    lines = ["| Feature | Cases | Difference |", "|---|---|---|"]
    for name, key, text in EXACT:
        known = {json.dumps(case, sort_keys=True) for place in sets for case in cases(name, key, place)}
        lines.append(f"| {text} | {len(known)} | none |")
    return lines


def numbers(entries):
    """Return the table of differences in numbers."""
    found = defaultdict(list)
    for entry in entries:
        for name, values in entry["differences"].items():
            found[entry["feature"], name].append((entry["case"], *values))
    lines = ["| What is compared | Cases | Largest difference | Largest mean | Tolerance |", "|---|---|---|---|---|"]
    for key, (text, tolerance) in NUMBERS.items():
        count = len({case for case, *_ in found[key]})
        largest, mean = (max((value[part] for value in found[key]), default=0) for part in (1, 2))
        lines.append(f"| {text} | {count} | {shown(largest)} | {shown(mean)} | {tolerance} |")
    return lines


def samplers(entries, pictures):
    """Return the table of the latents of the last pass, by sampler."""
    names = {case["name"]: case["settings"]["sampler_name"] for case, _ in pictures}
    found = defaultdict(dict)
    for entry in entries:
        if entry["feature"] == "pictures":
            last = "hr_latents" if "hr_latents" in entry["differences"] else "first_latents"
            sampler = names[entry["case"]] + " with hires fix" * (last == "hr_latents")
            found[sampler][entry["case"]] = entry["differences"][last][0]
    lines = ["| Sampler | Pictures | Largest difference |", "|---|---|---|"]
    return lines + [f"| {name} | {len(found[name])} | {shown(max(found[name].values()))} |" for name in sorted(found)]


def shown(number):
    """Return a difference as the tables write it."""
    return f"{number:g}" if number == int(number) else f"{number:.1e}".replace("e-0", "e-")


if __name__ == "__main__":
    main(*sys.argv[1:])
