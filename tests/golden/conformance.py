"""Print the tables of docs/conformance.md from a report: `python tests/golden/conformance.py REPORT`.

Make the report with `PASTELBOT_GOLDEN_REPORT=REPORT python -m pytest tests/golden`.
"""

import json
import sys
from collections import defaultdict
from pathlib import Path

from golden_cases import cases

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
]


def main(path):
    """Print both tables."""
    lines = ["| Feature | Cases | Difference |", "|---|---|---|"]
    lines += [f"| {text} | {len(cases(name, key))} | none |" for name, key, text in EXACT]
    lines += ["", "| What is compared | Cases | Largest difference | Largest mean |", "|---|---|---|---|"]
    found = defaultdict(list)
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        for name, numbers in entry["differences"].items():
            found[entry["feature"], name].append((entry["case"], *numbers))
    for (feature, name), numbers in sorted(found.items()):
        count = len({case for case, *_ in numbers})
        largest, mean = max(most for _, most, _ in numbers), max(mean for *_, mean in numbers)
        lines.append(f"| {feature}: {name} | {count} | {largest:.1e} | {mean:.1e} |")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
