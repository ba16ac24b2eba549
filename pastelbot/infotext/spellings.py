"""Other spellings of an infotext's fields, and the fields whose value is JSON, in the form that the webui writes."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from pastelbot.infotext.fields import Infotext, read_fields
from pastelbot.rules.number_texts import read_digits
from pastelbot.rules.plain_fields import PLAIN_FIELDS

_NAMES = (
    *(
        "Steps",
        "Sampler",
        "Schedule type",
        "CFG scale",
        "Seed",
        "Size",
        "Model",
        "Model hash",
        "VAE",
        "VAE hash",
        "ENSD",
    ),
    *("RNG", "Emphasis", "Denoising strength", "Variation seed", "Variation seed strength", "Seed resize from"),
    *("Hires upscale", "Hires upscaler", "Hires steps", "Hires resize", "Hires sampler", "Hires schedule type"),
    *("Hires CFG Scale", "Hires prompt", "Hires negative prompt", "Lora hashes", "TI hashes", "Version"),
    *(field.title for field in PLAIN_FIELDS),
)
_OTHERS = {
    "cfg": "CFG scale",
    "cfgscale": "CFG scale",
    "guidance": "CFG scale",
    "guidancescale": "CFG scale",
    "samplingmethod": "Sampler",
    "samplername": "Sampler",
    "samplingsteps": "Steps",
    "numinferencesteps": "Steps",
    "schedule": "Schedule type",
    "scheduler": "Schedule type",
    "imagesize": "Size",
    "resolution": "Size",
    "dimensions": "Size",
    "checkpoint": "Model",
    "modelname": "Model",
    "denoise": "Denoising strength",
    "clipskip": "Clip skip",
    "hiresscale": "Hires upscale",
    "hiresfixupscaler": "Hires upscaler",
    "etanoiseseeddelta": "ENSD",
}
_SIGNS = re.compile(r"[\W_]+")
_KNOWN = {_SIGNS.sub("", name).casefold(): name for name in _NAMES} | _OTHERS
_SIZES = {"Size", "Hires resize", "Seed resize from"}
_WEIGHT = re.compile(r"([^,:<>\s][^,:<>]*+): (-?[0-9.]+)(?=,|$)")
_HASH_AND_WEIGHT = re.compile(r"([^,:<>\s][^,:<>]*+): [0-9a-f]{8,64}: (-?[0-9.]+)(?=,|$)")
_SIZE = re.compile(r"(\d{1,9})\s*+(?:[xX×*]|by)\s*+(\d{1,9})(?:\s*px)?")
# Numbers with other signs; the webui writes a blank behind each comma between fields.
_THOUSANDS = re.compile(r"(?<=: )\d{1,3}(?:,\d{3})++(?=, |$)")
_DECIMAL_COMMA = re.compile(r"(?<=: )(\d{1,3}),(\d{1,2})(?=, |$)")
_FILE = re.compile(r"(?:.*[\\/])?(?P<name>[^\\/]*?)(?:\.(?:safetensors|ckpt))?(?: *\[(?P<hash>[0-9a-fA-F]{8,64})\])?")
_NO_FILES = {
    "none",
    "automatic",
    "n/a",
    "unknown",
    "default (model)",
}  # what programs write where there is no file, or an unknown one
_JSON_FIELD = re.compile(r"(?:(?<![^\n])|, )(Hashes|Civitai resources|Civitai metadata): (?=[{\[])")


class Spelled(NamedTuple):
    """An infotext with the webui's names of fields, and its hashes by what they are of, such as "lora:soft".

    `resources` are what civitai lists as used, each a JSON object. `unread` are the values in JSON that are
    neither, each with its field's name.
    """

    infotext: Infotext
    hashes: Mapping[str, str]
    resources: tuple[Mapping[str, object], ...]
    unread: tuple[tuple[str, str], ...] = ()


def read_spelled(text: str) -> Spelled:
    """Read an infotext, its fields spelled in any way; raises LimitError for more than 64 Ki characters."""
    text, values = _without_json(text)
    infotext = read_fields(text)
    fields: dict[str, str] = {}
    for name, value in infotext.fields.items():
        known = name if name in _NAMES else _KNOWN.get(_SIGNS.sub("", name).casefold(), name)
        if known in fields or (known != name and known in infotext.fields):
            known = name
        size = _SIZE.fullmatch(read_digits(value)) if known in _SIZES else None
        fields[known] = value if size is None else f"{size[1]}x{size[2]}"
    infotext = _with_weights(infotext, fields)
    if "Size" not in fields and {"Width", "Height"} <= fields.keys():
        fields["Size"] = f"{fields.pop('Width')}x{fields.pop('Height')}"
    _tidy(fields)
    listed = values.get("Civitai resources", [])
    # Some programs write a list without its brackets.
    resources = listed if isinstance(listed, list) else [listed]
    return Spelled(
        replace(infotext, fields=fields),
        dict(_named_hashes(values.get("Hashes", {}))),
        tuple(each for each in resources if isinstance(each, dict)),
        (
            *(("Civitai resources:", json.dumps(each)) for each in resources if not isinstance(each, dict)),
            *(("Hashes", text) for text in _no_hashes(values.get("Hashes", {}))),
        ),
    )


def _named_hashes(found: object) -> Iterator[tuple[str, str]]:
    pairs = found.items() if isinstance(found, dict) else ()
    yield from ((str(name), str(value)) for name, value in pairs if isinstance(value, str | int))


def _no_hashes(found: object) -> Iterator[str]:
    """Yield what is no hash of a name where hashes by name should be; null is no hash, and nothing to be said."""
    if not isinstance(found, dict):
        yield json.dumps(found)
        return
    read = dict(_named_hashes(found))
    yield from (f"{name}: {json.dumps(value)}" for name, value in found.items() if value and str(name) not in read)


def _with_weights(infotext: Infotext, fields: dict[str, str]) -> Infotext:
    """Return an infotext whose prompt has the LoRAs that Fooocus writes into fields, with their weights."""
    hashes = fields.get("Lora hashes", "")
    weights = dict(_WEIGHT.findall(fields.pop("Lora weights", ""))) | dict(_HASH_AND_WEIGHT.findall(hashes))
    if weights and hashes:
        fields["Lora hashes"] = _HASH_AND_WEIGHT.sub(lambda each: each[0].rpartition(":")[0], hashes)
    tags = [f"<lora:{name}:{weight}>" for name, weight in weights.items() if f"<lora:{name}:" not in infotext.prompt]
    return replace(infotext, prompt=" ".join([infotext.prompt, *tags]).strip())


def _tidy(fields: dict[str, str]) -> None:
    """Bring values into the webui's form: names of files without folders, the number of layers that are skipped."""
    for name in ("Model", "Model hash", "VAE", "VAE hash"):
        if fields.get(name, "").casefold() in _NO_FILES:
            del fields[name]
    for name in ("Model", "VAE"):
        if (file := _FILE.fullmatch(fields.get(name, ""))) is not None and file["name"]:
            fields[name] = file["name"]
            if file["hash"]:
                fields.setdefault(f"{name} hash", file["hash"])
    if "RNG" in fields:
        fields["RNG"] = fields["RNG"].upper()
    if "Clip skip" in fields:  # ComfyUI counts from the end, -1 is the last layer
        fields["Clip skip"] = fields["Clip skip"].removeprefix("-")


def _plain_numbers(line: str) -> str:
    line = _THOUSANDS.sub(lambda number: number[0].replace(",", ""), line)
    return _DECIMAL_COMMA.sub(r"\1.\2", line)


def _without_json(text: str) -> tuple[str, Mapping[str, object]]:
    """Take the fields whose value is JSON out of the last line: their commas separate no fields."""
    start = text.rstrip().rfind("\n") + 1
    kept, values, position = [text[:start]], {}, start
    for name, begin, end, value in _json_values(text, start):
        kept.append(text[position:begin])
        values[name], position = value, end
    bare = "".join([*kept, text[position:]])
    return bare[:start] + _plain_numbers(bare[start:]), values


def _json_values(text: str, start: int) -> Iterator[tuple[str, int, int, object]]:
    decoder, position = json.JSONDecoder(), start
    while (match := _JSON_FIELD.search(text, position)) is not None:
        try:
            value, end = decoder.raw_decode(text, match.end())
        except (ValueError, RecursionError):
            position = match.end()
            continue
        yield match[1], match.start(), end, value
        position = end
