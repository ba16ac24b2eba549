"""Write the trimmed copy of the reference data: `python tests/golden_merge/trim.py SOURCE`.

Fewer cases, and of the expected tensors every eighth; the inputs stay whole.
"""

import json
import shutil
import sys
from pathlib import Path

from safetensors import safe_open
from safetensors.torch import load_file, save_file

TARGET = Path(__file__).resolve().parent / "data"
MBW = ("card1_fp16", "card2_fp16", "random_fp32", "mismatch_reset_half")
LORA = ("std_n075", "linear4d_1", "mixed_08", "unknown_05", "chain_card_once", "chain_card_stepwise_fp16", "cp_mid_07")
LORA = (*LORA, "simo_list_06")
EXTRACT = ("d2_fp16",)
KEPT = {"shape", "rank", "best_residual_fro", "kohya_residual_fro", "clamped_residual_fro_range_over_sign_choices"}


def main(source: Path) -> None:
    """Write the whole copy anew."""
    shutil.rmtree(TARGET, ignore_errors=True)
    for case in choose(source, "mbw", MBW):
        copy(source, "mbw", case["model_a"], case["model_b"], case["expected"])
    for case in choose(source, "lora", LORA):
        copy(source, "lora", case["base"], *case["loras"])
        thin_tensors(source / "lora" / case["expected"], TARGET / "lora" / case["expected"])
    for case in choose(source, "extract", EXTRACT):
        copy(source, "extract", *(name.strip() for name in case["tuned"].split("+")), case["kohya_file"])
        thin_modules(source / "extract" / case["modules_file"], TARGET / "extract" / case["modules_file"])
    for part, name in (("mbw", "key_blocks.json"), ("lora", "module_map.json"), ("lora", "simo_order.json")):
        (TARGET / part / name).write_text(
            json.dumps(json.loads((source / part / name).read_text("utf-8")), separators=(",", ":")) + "\n"
        )
    print(f"{sum(path.stat().st_size for path in TARGET.rglob('*') if path.is_file()) / 1e6:.1f} MB")  # noqa: T201


def choose(source: Path, part: str, names: tuple[str, ...]) -> list[dict]:
    """Write the list of the chosen cases and return it."""
    found = json.loads((source / part / "cases.json").read_text(encoding="utf-8"))
    chosen = [case for case in found if case["name"] in names]
    (TARGET / part).mkdir(parents=True)
    (TARGET / part / "cases.json").write_text(json.dumps(chosen, indent=1) + "\n", encoding="utf-8")
    return chosen


def copy(source: Path, part: str, *names: str) -> None:
    """Copy files as they are."""
    for name in names:
        shutil.copyfile(source / part / name, TARGET / part / name)


def thin_tensors(source: Path, target: Path) -> None:
    """Copy every eighth tensor."""
    tensors = load_file(source)
    with safe_open(source, "pt") as file:
        metadata = file.metadata()
    save_file({name: tensors[name] for name in sorted(tensors)[::8]}, target, metadata)


def thin_modules(source: Path, target: Path) -> None:
    """Copy what the tests read of each module."""
    modules = json.loads(source.read_text(encoding="utf-8"))
    thin = {name: {key: value for key, value in module.items() if key in KEPT} for name, module in modules.items()}
    target.write_text(json.dumps(thin) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
