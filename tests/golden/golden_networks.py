"""Which recorded cases name networks that Pastelbot does not apply as the webui does, and why."""

from pathlib import Path

from golden_cases import folder
from safetensors import safe_open

from pastelbot.prompt.extra_networks import extract_networks

# How the name of a tensor ends -> why a file with such tensors is not applied as the webui does.
FORMS = {
    "dora_scale": "DoRA, which scales the changed weights by column, is refused",
    "diff": "Full, which adds whole weights, is refused",
    "w_norm": "Norm, which changes layers of normalisation, is refused",
    "a1.weight": "GLoRA, whose change depends on the weights, is refused",
    "on_input": "IA3, which scales weights, is refused",
    "hada_w1_a": "LoHa, a product of two LoRAs by element, is refused",
    "lokr_w1": "LoKr, a Kronecker product, is refused",
    "oft_blocks": "OFT in kohya's form, which rotates weights, is refused",
    "oft_diag": "OFT in LyCORIS's form, which rotates weights, is refused",
    "string_to_param.*": "the embedding inside a LoRA is left out",
}
MISSING = "a LoRA without a file is refused, the webui leaves it out"


def unlike(case):
    """Return why a case's networks are not applied as the webui does, "" where they are."""
    if not case.get("networks"):
        return ""
    settings = case["settings"]
    for tag in extract_networks(settings["prompt"] + (settings.get("hr_prompt") or "")).tags:
        endings = loras().get(tag.positional[0])
        if endings is None:
            return MISSING
        for ending, reason in FORMS.items():
            if any(name.endswith(f".{ending}") for name in endings):
                return reason
    return ""


def loras():
    """Return the names of each LoRA's tensors, by the file's name and by that in its metadata."""
    found = {}
    for path in (Path(folder()) / "networks" / "Lora").rglob("*.safetensors"):
        with safe_open(path, "pt") as file:
            names, alias = tuple(file.keys()), (file.metadata() or {}).get("ss_output_name")
        found |= {path.stem: names} | ({alias: names} if alias else {})
    return found
