"""The programs whose pictures are understood, a row each: how they are known, and what reads them."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from pastelbot.errors import RequestError
from pastelbot.formats.json_texts import parse_json
from pastelbot.formats.programs.comfyui import comfyui_settings
from pastelbot.formats.programs.comfyui_workflow import graph_of_workflow
from pastelbot.formats.programs.invokeai import dream_settings, invokeai_settings
from pastelbot.formats.programs.pasted import pasted_infotext
from pastelbot.formats.programs.settings import ProgramSettings, flat_settings, with_loras

Texts = Mapping[str, str]
_LEAST_FIELDS = 2
_Size = tuple[int, int] | None  # of a picture; None of a text
_COMMENTS = ("parameters", "UserComment", "ImageDescription", "Comment")
_TAGS = ("Model", "Make", "ImageDescription")  # in which ComfyUI writes `prompt:{...}` and `workflow:{...}`
_INVOKEAI = ("invokeai_metadata", "invokeai", "sd-metadata")
_CHUNKS = {"Comment", "Description"}  # NovelAI's, which are an object in a comment where a picture has no chunks
# Easy Diffusion's text files have a line for each of these, and the prompt before them.
_LINES = ("Prompt", "Width", "Height", "Seed", "Steps", "Guidance Scale", "Sampler", "Negative Prompt")


_STEPS = re.compile(r"(?:\b|\\n)Steps: *\d")


class _Program(NamedTuple):
    """A program; `read` returns nothing where the texts are not its own, or say nothing."""

    name: str
    is_its_own: Callable[[Texts], bool]
    read: Callable[[Texts, _Size], ProgramSettings | None]


def translated(texts: Texts, size: _Size, what: str) -> str | None:
    """Return the settings that another program wrote into a picture, as an infotext; None where none is known.

    Raises RequestError where the program is known but not what it wrote. `what` is the picture's name.
    """
    texts = {**texts, **dict(_spread(texts))}
    for program in _PROGRAMS:
        if program.is_its_own(texts):
            settings = program.read(texts, size)
            if settings is None or not settings.prompt or len(settings.fields) < _LEAST_FIELDS:
                raise RequestError(
                    f"{what} was made with {program.name}, but says too little of how to paint it again."
                )
            return settings.format(program.name)
    return None


def translated_text(text: str, what: str) -> str | None:
    """Do as `translated` with a text file or a pasted text: JSON, Easy Diffusion's lines, a command, or a log's row."""
    if text.lstrip("\ufeff \n").startswith("{"):
        return translated({"parameters": text.strip("\ufeff \n")}, None, what)
    if pasted := pasted_infotext(text):
        return pasted
    lines = dict(_labelled(text)) if text.startswith("Prompt: ") else {}
    settings = flat_settings(lines) if lines.keys() >= set(_LINES[:6]) else None
    return settings and settings.format("Easy Diffusion")


def _labelled(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        label, colon, value = line.partition(": ")
        if colon:
            yield label, value


def _spread(texts: Texts) -> Iterator[tuple[str, str]]:
    """Yield what is in one text under a name of its own, as other files of the same program have it."""
    for text in (texts.get(name, "") for name in _TAGS):
        name, colon, content = text.partition(":")
        if colon and name.lower() in ("prompt", "workflow") and content.startswith("{"):
            yield name.lower(), content
    for data in (_object(texts.get(name)) for name in _COMMENTS):
        if data.keys() >= _CHUNKS:
            yield from ((name, value) for name, value in data.items() if isinstance(value, str))
        for name in ("prompt", "workflow"):
            if isinstance(data.get(name), dict):
                yield name, _written(data[name])
        if any(isinstance(node, dict) and "class_type" in node for node in data.values()):
            yield "prompt", _written(data)
        elif isinstance(data.get("nodes"), list) and isinstance(data.get("links"), list):
            yield "workflow", _written(data)


def _written(data: Mapping[str, Any]) -> str:
    try:
        return json.dumps(data)
    except RecursionError:  # nested nearly too deeply to be read
        return ""


def chunks_in(hidden: str) -> Texts:
    """Return the chunks of a picture that NovelAI hides in its pixels as one JSON object."""
    return {name: value for name, value in _object(hidden).items() if isinstance(value, str)}


def _object(text: str | None) -> Mapping[str, Any]:
    """Return the object that a text of JSON is, nothing for other texts."""
    try:
        found = parse_json(text) if text is not None and text.lstrip().startswith("{") else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _parameters(texts: Texts) -> Mapping[str, Any]:
    return _object(texts.get("parameters") or texts.get("UserComment"))


def _are_settings(texts: Texts) -> bool:
    """Return whether a text is an object with a prompt and settings, of whatever program, and has no infotext in it."""
    names = {re.sub(r"[\W_]", "", name).lower() for name in _parameters(texts)}
    text = texts.get("parameters") or texts.get("UserComment") or ""
    return "prompt" in names and bool(names & {"steps", "seed"}) and not _STEPS.search(text)


def _novelai(texts: Texts, size: _Size) -> ProgramSettings | None:
    """Read NovelAI's chunks as the webui does."""
    data = {key: value for key, value in _object(texts.get("Comment")).items() if key in _NOVELAI}
    settings = flat_settings({"prompt": texts.get("Description", ""), **data}, size=size)
    return settings and settings._replace(fields={**settings.fields, "Clip skip": "2", "ENSD": "31337"})


_NOVELAI = ("prompt", "uc", "steps", "sampler", "scale", "seed", "width", "height", "noise_schedule")


def _invokeai(texts: Texts, size: _Size) -> ProgramSettings | None:
    data = next((found for name in _INVOKEAI if (found := _object(texts.get(name)))), None)
    if data is not None:
        return invokeai_settings(data, size)
    return dream_settings(texts["Dream"], size) if "Dream" in texts else None


def _comfyui(texts: Texts, size: _Size) -> ProgramSettings | None:
    """Read the graph that was painted with, else the page's own."""
    settings = comfyui_settings(_object(texts.get("prompt")), size)
    if settings is not None:
        return settings
    return comfyui_settings(graph_of_workflow(_object(texts.get("workflow"))), size)


def _fooocus(texts: Texts, size: _Size) -> ProgramSettings | None:
    data = {name: value for name, value in _parameters(texts).items() if not name.startswith("lora_combined_")}
    listed = data.pop("loras", None)
    pairs = [each for each in listed if isinstance(each, list) and len(each) > 1] if isinstance(listed, list) else []
    hashes = {str(name): str(rest[0]) for name, _weight, *rest in pairs if rest}
    data["Lora hashes"] = ", ".join(f"{name}: {found}" for name, found in hashes.items())
    return _on_the_processor(flat_settings(data, size=size), {str(name): str(weight) for name, weight, *_ in pairs})


def _draw_things(texts: Texts, size: _Size) -> ProgramSettings | None:
    data = {name: value for name, value in _parameters(texts).items() if name != "v2"}
    listed = data.get("lora")
    loras = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    settings = flat_settings(data, size=size)
    weights = {
        str(each.get("model") or each.get("file") or "").rpartition(".")[0]: str(each.get("weight", 1))
        for each in loras
    }
    return settings and settings._replace(prompt=with_loras(settings.prompt, weights))


def _swarmui(texts: Texts, size: _Size) -> ProgramSettings | None:
    whole = _parameters(texts)
    data = whole.get("sui_image_params")
    hashes = dict(_swarmuis_hashes(whole.get("sui_models")))
    return _on_the_processor(flat_settings(data | hashes, size=size), {}) if isinstance(data, dict) else None


def _swarmuis_hashes(models: object) -> Iterator[tuple[str, str]]:
    """Yield the hashes of checkpoint and VAE: of all but a file's header, as civitai's AutoV3."""
    for each in models if isinstance(models, list) else ():
        title = _SWARMUIS_HASHES.get(str(each.get("param"))) if isinstance(each, dict) else None
        if title is not None:
            yield title, str(each.get("hash", "")).removeprefix("0x")


_SWARMUIS_HASHES = {"model": "Model hash", "vae": "VAE hash"}


def _on_the_processor(settings: ProgramSettings | None, loras: Mapping[str, str]) -> ProgramSettings | None:
    """Return the settings of a program that draws its noise there, with LoRAs."""
    return settings and settings._replace(
        prompt=with_loras(settings.prompt, loras), fields={**settings.fields, "RNG": "CPU"}
    )


def _easy_diffusion(texts: Texts, size: _Size) -> ProgramSettings | None:
    data = dict(_parameters(texts) or texts)
    skip = data.pop("clip_skip", None)  # it leaves out one layer or none
    return flat_settings({**data, "clip_skip": 2} if str(skip) == "True" else data, size=size)


_PROGRAMS = (
    _Program(
        "NovelAI",
        lambda texts: texts.get("Software", "").startswith("NovelAI") or "uc" in _object(texts.get("Comment")),
        _novelai,
    ),
    _Program(
        "InvokeAI",
        lambda texts: bool({*_INVOKEAI, "Dream"} & texts.keys()),
        _invokeai,
    ),
    _Program("SwarmUI", lambda texts: "sui_image_params" in _parameters(texts), _swarmui),
    _Program(
        "Fooocus",
        lambda texts: "fooocus_scheme" in texts or {"base_model", "prompt"} <= _parameters(texts).keys(),
        _fooocus,
    ),
    _Program("Draw Things", lambda texts: {"c", "uc"} <= _parameters(texts).keys(), _draw_things),
    _Program(
        "ComfyUI",
        lambda texts: "workflow" in texts or "class_type" in texts.get("prompt", ""),
        _comfyui,
    ),
    _Program(
        "Easy Diffusion",
        lambda texts: "num_inference_steps" in texts or "num_inference_steps" in _parameters(texts),
        _easy_diffusion,
    ),
    _Program("an unknown program", _are_settings, lambda texts, size: flat_settings(_parameters(texts), size=size)),
)
