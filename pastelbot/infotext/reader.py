"""Reader: from an infotext to a request that paints the same picture, with notes on what was not understood."""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, NamedTuple

from pastelbot.errors import RequestError
from pastelbot.formats.programs.table import translated_text
from pastelbot.formats.texts.infotext_cap import capped
from pastelbot.infotext.fields import Infotext
from pastelbot.infotext.finding import find_infotexts
from pastelbot.infotext.init_fields import MASK_FIELDS, STRENGTH, read_init
from pastelbot.infotext.layouts import as_json
from pastelbot.infotext.spellings import read_spelled
from pastelbot.infotext.webui import SAME_SAMPLER, SAME_SCHEDULE, Value, interpreted
from pastelbot.records import GenerationRequest, HiresFix, InitImage, Mask, SamplingOptions
from pastelbot.rules.limits import MAX_SEED
from pastelbot.rules.number_texts import number_text, read_digits, read_float
from pastelbot.rules.plain_fields import PLAIN_FIELDS, PlainField
from pastelbot.rules.samplers import AUTOMATIC, SamplerChoice, normalise, uses_ensd
from pastelbot.rules.sampling.options import SAMPLING_OPTIONS
from pastelbot.rules.sampling.sampler_names import recognised_sampler, recognised_schedule

_EMPHASIS_MODES = ("Original", "No norm", "None", "Ignore")
# Fields that do not go into the request as they are; the caller that has the files reads them.
_FOR_OTHERS = {
    "Model",
    "Model hash",
    "Version",
    "Precision",
    "VAE",
    "VAE hash",
    "Lora hashes",
    "Lora names",
    "TI hashes",
    "Made with",
    "Hypernet",
    "Hypernet strength",
}
_FROM_NOISE = "It was painted over another picture, which the text does not hold: it is painted from noise alone."
_LORA_KINDS = {"lora", "lycoris", "locon", "dora"}
_MOST_WEIGHT = 100
_WHOLE = re.compile(r"[0-9]{1,18}")
_WHOLE_WITH_POINT = re.compile(r"\.0++\Z")
_DEFAULT = GenerationRequest(prompt="")
_DEFAULT_HIRES = HiresFix()


class ReadRequest(NamedTuple):
    """A request from an infotext.

    `missing` names the fields that decide the picture and were absent, so that defaults were taken. `notes` are
    sentences about what was not understood. `loras` and `embeddings` are the hashes of files by name. `seedless` is
    whether a random seed must be drawn. `resources` are LoRAs that civitai lists, by name with their weights. `init` is
    what is said of a picture that it was painted over, which the text does not hold.
    """

    request: GenerationRequest
    checkpoint: str
    checkpoint_hash: str
    missing: tuple[str, ...]
    notes: tuple[str, ...]
    vae: str = ""
    vae_hash: str = ""
    loras: Mapping[str, str] = MappingProxyType({})
    embeddings: Mapping[str, str] = MappingProxyType({})
    seedless: bool = False
    resources: Mapping[str, float] = MappingProxyType({})
    init: InitImage | None = None


def read_request(text: str) -> ReadRequest:
    """Read the first infotext in any text, or another program's settings; what is missing or unreadable is a default.

    Nothing but the length can be wrong with it: raises LimitError for more than 64 Ki characters.
    """
    text, *others = find_infotexts(_translated(text))
    raw, hashes, resources, unread = read_spelled(text)
    fields = _Fields(interpreted(raw))
    request = (
        _request(fields) if raw.fields else _DEFAULT.replace(prompt=raw.prompt, negative_prompt=raw.negative_prompt)
    )
    needed = ("Steps", "Sampler", "CFG scale", "Seed", "Size")
    missing = tuple(name for name in needed if name not in raw.fields)
    return ReadRequest(
        request=request,
        checkpoint=raw.fields.get("Model", ""),
        checkpoint_hash=raw.fields.get("Model hash", hashes.get("model", "")),
        missing=missing,
        notes=(
            *_several(len(others) + 1),
            *_program(raw),
            *fields.notes,
            *_ignored(raw, fields),
            *_unknown_resources(resources),
            *_no_hashes(raw),
            *(f"{name} {value[:60]!r} is not understood." for name, value in unread),
        ),
        vae=raw.fields.get("VAE", ""),
        vae_hash=raw.fields.get("VAE hash", hashes.get("vae", "")),
        loras=_of_kind(hashes, "lora:") | _hashes(raw.fields.get("Lora hashes", "")),
        embeddings=_of_kind(hashes, "embed:") | _hashes(raw.fields.get("TI hashes", "")),
        seedless="Seed" in missing or fields.seedless,
        resources=_lora_resources(resources),
        init=read_init(raw.fields),
    )


def _translated(text: str) -> str:
    try:
        return translated_text(as_json(capped(text)), "The text") or text
    except RequestError:  # of a program that says too little
        return text


def _of_kind(hashes: Mapping[str, str], kind: str) -> dict[str, str]:
    return {name.removeprefix(kind): value for name, value in hashes.items() if name.startswith(kind)}


def _lora_resources(resources: Iterable[Mapping[str, object]]) -> dict[str, float]:
    """Return the weights of the LoRAs that civitai lists, by the names of their models."""
    return {_resource_name(each): 1.0 if math.isnan(weight) else weight for each, weight in _weighted(resources)}


def _weighted(resources: Iterable[Mapping[str, object]]) -> Iterator[tuple[Mapping[str, object], float]]:
    """Yield the LoRAs of a list of civitai with their weights, NaN where there can be no such weight."""
    for each in resources:
        if str(each.get("type", "")).lower() in _LORA_KINDS:
            written = each.get("weight")
            weight = 1.0 if written is None else read_float(str(written))
            yield each, weight if abs(weight) < _MOST_WEIGHT else math.nan


def _resource_name(resource: Mapping[str, object]) -> str:
    """Return what civitai calls a resource, which may be no more than the number of its version."""
    names = (str(resource[key]).strip() for key in ("modelName", "name", "air", "modelVersionId") if resource.get(key))
    return next(filter(None, names), "without a name")


def _unknown_resources(resources: Sequence[Mapping[str, object]]) -> Iterator[str]:
    """Return notes on what else civitai lists; the checkpoint is said by its name and hash already."""
    for each in resources:
        kind, name = str(each.get("type") or "resource"), _resource_name(each)
        if kind.lower() not in {*_LORA_KINDS, "checkpoint", "model"}:
            yield f"Civitai lists the {kind[:20]} {name[:60]!r}, which is left out."
    for each, weight in _weighted(resources):
        if math.isnan(weight):
            yield (
                f"Civitai lists the LoRA {_resource_name(each)[:60]!r} with the weight {str(each['weight'])[:40]!r}, "
                f"which is not a number below {_MOST_WEIGHT}; 1 is taken."
            )


def _program(raw: Infotext) -> Iterator[str]:
    if "Made with" in raw.fields:
        yield f"It was made with {raw.fields['Made with'][:40]}, which paints otherwise in many ways."


def _several(count: int) -> Iterator[str]:
    if count > 1:
        yield f"There are {count} infotexts; the first is taken."


def completed(read: ReadRequest, *, random_seed: Callable[[], int]) -> ReadRequest:
    """Return what was read with a random seed where it has none, and with notes on what is absent."""
    request = read.request.replace(seed=random_seed()) if read.seedless else read.request
    notes = ["It does not say Seed; a random one was drawn."] if "Seed" in read.missing else []
    notes += [f"It does not say {name}; the default is taken." for name in read.missing if name != "Seed"]
    return read._replace(request=request, missing=(), seedless=False, notes=(*notes, *read.notes))


def painted_over(read: ReadRequest, content: bytes, mask: bytes | None) -> ReadRequest:
    """Return what was read with the picture that it was painted over, and its mask; both are files' contents.

    Raises RequestError where the infotext is of a picture that was painted from noise alone.
    """
    if read.init is None:
        raise RequestError(
            "This infotext is of a picture that was painted from noise alone: leave out the picture to start from."
        )
    init = replace(read.init, content=content, mask=None, upload=len(content) + len(mask or b""))
    notes = [note for note in read.notes if note != _FROM_NOISE]
    if mask is not None:
        init = replace(init, mask=replace(read.init.mask or Mask(), content=mask))
    elif read.init.mask is not None:
        notes.append("It was painted by a mask, which is not given: all of the picture is painted.")
    return read._replace(request=read.request.replace(init=init), notes=tuple(notes), init=None)


def _hashes(text: str) -> dict[str, str]:
    """Read `name: hash, name: hash`."""
    return {name: value for name, value in _pairs(text) if name and value}


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for part in filter(str.strip, text.split(",")):
        name, _colon, value = part.rpartition(":")
        yield name.strip(), value.strip()


def _no_hashes(raw: Infotext) -> Iterator[str]:
    """Return notes on what is no name with a hash where a list of these should be."""
    for title in ("Lora hashes", "TI hashes"):
        for name, value in _pairs(raw.fields.get(title, "")):
            if not (name and value):
                yield f"{title}: {(name or value)[:60]!r} is not a name with a hash; it is left out."


@dataclass
class _Fields:
    """Parsed fields, read with a default for what is missing or not a number; remembers which fields were read."""

    values: dict[str, Value]
    asked: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    seedless: bool = False

    def text(self, name: str) -> str | None:
        self.asked.add(name)
        return str(self.values[name]) if name in self.values else self.unread(name) or None

    def number(self, name: str, default: float) -> float:
        text = self.text(name)
        if text is None:
            return default
        value = read_float(text)
        if not -1e15 < value < 1e15:  # neither infinite nor NaN
            self.notes.append(f"{name} {text[:40]!r} is not a number; {number_text(default)} is taken.")
            return default
        return value

    def whole(self, name: str, default: int) -> int:
        number = self.number(name, default)
        if number != int(number):
            self.notes.append(f"{name} {number_text(number)} is not a whole number; {int(number)} is taken.")
        return int(number)

    def unread(self, name: str) -> str:
        """Return what a field says that was taken for a size, "" where there is none."""
        return f"{self.values[f'{name}-1']}x{self.values[f'{name}-2']}" if f"{name}-1" in self.values else ""

    def size(self, name: str, width: int, height: int) -> tuple[int, int]:
        """Return (width, height), those that are given where there is none or it is not a size."""
        if name in self.values:
            self.notes.append(f"{name} {str(self.values[name])[:40]!r} is not a size; it is left out.")
        return self.whole(f"{name}-1", width), self.whole(f"{name}-2", height)

    def seed(self) -> int:
        """Return the seed; where there can be no such seed here, a random one is to be drawn."""
        text = read_digits(self.text("Seed") or "")
        if not text:
            return _DEFAULT.seed
        text = _WHOLE_WITH_POINT.sub("", text)
        if _WHOLE.fullmatch(text) and int(text) <= MAX_SEED:
            return int(text)
        self.seedless = True
        if text == "-1":
            self.notes.append("The seed -1 means a random one; one was drawn.")
        else:
            self.notes.append(
                f"The seed {text[:40]} is not a whole number from 0 to {MAX_SEED}; a random one was drawn."
            )
        return _DEFAULT.seed

    def variation_seed(self, name: str) -> int:
        """Return the variation seed, 0 where there can be no such seed here."""
        text = read_digits(self.text(name) or "0")
        if _WHOLE.fullmatch(digits := _WHOLE_WITH_POINT.sub("", text)) and int(digits) <= MAX_SEED:
            return int(digits)
        if self.values.get(f"{name} strength", "0") not in ("0", "0.0"):
            self.notes.append(f"The variation seed {text[:40]} is not a whole number from 0 to {MAX_SEED}; 0 is taken.")
        return 0

    def seed_delta(self, default: int) -> int:
        """Return ENSD, which may be negative; the default where there can be no such number here."""
        delta = self.whole("ENSD", default)
        if abs(delta) <= MAX_SEED:
            return delta
        self.notes.append(f"ENSD {delta} is not a number from -{MAX_SEED} to {MAX_SEED}; {default} is taken.")
        return default


def _request(fields: _Fields) -> GenerationRequest:
    sampler, schedule = _sampler(fields)
    width, height = fields.size("Size", _DEFAULT.width, _DEFAULT.height)
    resized_from = fields.size("Seed resize from", 0, 0)
    return GenerationRequest(
        prompt=fields.text("Prompt") or "",
        negative_prompt=fields.text("Negative prompt") or "",
        width=width,
        height=height,
        seed=fields.seed(),
        steps=fields.whole("Steps", _DEFAULT.steps),
        cfg_scale=fields.number("CFG scale", _DEFAULT.cfg_scale),
        sampler=sampler,
        schedule=schedule,
        hires=_hires(fields, sampler, schedule),
        subseed=fields.variation_seed("Variation seed"),
        subseed_strength=fields.number("Variation seed strength", 0.0),
        seed_resize_width=resized_from[0],
        seed_resize_height=resized_from[1],
        # A sampler that uses ENSD painted without it where the field is absent.
        eta_noise_seed_delta=fields.seed_delta(0 if _draws(fields, sampler) else _DEFAULT.eta_noise_seed_delta),
        noise_source=_noise_source(fields),
        emphasis=_emphasis(fields),
        sampling=_sampling(fields),
    ).replace(**{field.name: _plain(fields, field) for field in PLAIN_FIELDS})


def _draws(fields: _Fields, sampler: str) -> bool:
    """Return whether an infotext would say ENSD; with an Eta of 0 nothing is drawn."""
    return uses_ensd(sampler) and fields.values.get("Eta") not in ("0", "0.0")


def _plain(fields: _Fields, field: PlainField) -> float:
    return fields.whole(field.title, int(field.absent)) if field.whole else fields.number(field.title, field.absent)


def _sampling(fields: _Fields) -> SamplingOptions:
    found: dict[str, Any] = {}  # Any: each option has a type of its own
    for option in SAMPLING_OPTIONS:
        text = fields.text(option.title)
        value = None if text is None else option.read(text)
        # The webui writes 0 for the schedule's own levels where it fills in what an infotext lacks.
        if value is not None:
            found[option.field] = value
        elif text is not None:
            fields.notes.append(f"{option.title} {text[:40]!r} is not understood; {option.usual} is taken.")
    return SamplingOptions(**found)


def _sampler(fields: _Fields) -> tuple[str, str]:
    written, written_schedule = fields.text("Sampler"), fields.text("Schedule type")
    choice, unknown = _choice(written, written_schedule)
    if written in unknown:
        fields.notes.append(f"The sampler {str(written)[:40]!r} is unknown; {choice.sampler} is taken.")
    if written_schedule in unknown:
        fields.notes.append(f"The schedule {str(written_schedule)[:40]!r} is unknown; {choice.schedule} is taken.")
    return choice


def _choice(written: str | None, written_schedule: str | None) -> tuple[SamplerChoice, set[str | None]]:
    """Return the sampler and schedule that are meant, and those of their names that mean none."""
    found = None if written is None else recognised_sampler(written)
    schedule = None if written_schedule is None else recognised_schedule(written_schedule)
    choice = normalise(None if found is None else found.sampler, schedule)
    if found is not None and found.schedule != AUTOMATIC:
        choice = choice._replace(schedule=found.schedule)
    unknown = {name for name, meant in ((written, found), (written_schedule, schedule)) if meant is None}
    return choice, unknown - {None}


def _hires(fields: _Fields, sampler: str, schedule: str) -> HiresFix | None:
    width, height = fields.size("Hires resize", 0, 0)
    if not (width or height or "Hires upscale" in fields.values or "Hires upscaler" in fields.values):
        return None
    own_sampler, own_schedule = _hires_sampler(fields, sampler, schedule)
    cfg_scale = fields.number("Hires CFG Scale", 0)
    return HiresFix(
        width=width,
        height=height,
        scale=fields.number("Hires upscale", _DEFAULT_HIRES.scale),
        steps=fields.whole("Hires steps", 0),
        denoising_strength=fields.number("Denoising strength", _DEFAULT_HIRES.denoising_strength),
        upscaler=fields.text("Hires upscaler") or _DEFAULT_HIRES.upscaler,
        sampler=own_sampler,
        schedule=own_schedule,
        cfg_scale=cfg_scale or None,
        prompt=fields.text("Hires prompt") or None,
        negative_prompt=fields.text("Hires negative prompt") or None,
    )


def _hires_sampler(fields: _Fields, sampler: str, schedule: str) -> tuple[str | None, str | None]:
    """Return the hires pass's sampler and schedule, None where they are the first pass's."""
    written, written_schedule = fields.text("Hires sampler"), fields.text("Hires schedule type")
    choice, unknown = _choice(
        sampler if written in (None, SAME_SAMPLER) else written,
        schedule if written_schedule in (None, SAME_SCHEDULE) else written_schedule,
    )
    if written in unknown:
        fields.notes.append(f"The hires sampler {str(written)[:40]!r} is unknown; {choice.sampler} is taken.")
    if written_schedule in unknown:
        fields.notes.append(f"The hires schedule {str(written_schedule)[:40]!r} is unknown.")
    return (
        choice.sampler if choice.sampler != sampler else None,
        choice.schedule if choice.schedule != schedule else None,
    )


def _noise_source(fields: _Fields) -> str:
    """Return the noise source; a webui's "GPU" was almost always an NVIDIA card, whose numbers are "NV"."""
    source = fields.text("RNG")
    if source not in ("GPU", "NV", "CPU"):
        fields.notes.append(f"The noise source {str(source)[:40]!r} is unknown; NV is taken.")
    return "CPU" if source == "CPU" else "NV"


def _emphasis(fields: _Fields) -> str:
    mode = fields.text("Emphasis")
    if mode is not None and mode not in _EMPHASIS_MODES:
        fields.notes.append(f"The emphasis {mode[:40]!r} is unknown; {_DEFAULT.emphasis} is taken.")
    return mode if mode in _EMPHASIS_MODES else _DEFAULT.emphasis


def _ignored(raw: Infotext, fields: _Fields) -> Iterator[str]:
    """Return notes on the fields that had no influence on the request."""
    known = {name.removesuffix("-1") for name in fields.asked} | _FOR_OTHERS
    if STRENGTH in raw.fields and STRENGTH not in known:
        known |= {STRENGTH, *MASK_FIELDS}
        yield _FROM_NOISE
    for name, value in raw.fields.items():
        if name not in known and not name.startswith("First pass size"):
            yield f"{name} {value[:60]!r} is not understood."
    if fields.values.get("Old prompt editing timelines"):
        yield "This version of the webui counted the steps of prompt editing otherwise in the hires pass."
