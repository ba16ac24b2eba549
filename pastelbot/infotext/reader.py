"""Reader: from an infotext to a request that paints the same picture, with notes on what was not understood."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from pastelbot.infotext.fields import Infotext, read_fields
from pastelbot.infotext.finding import find_infotexts
from pastelbot.infotext.webui import SAME_SAMPLER, SAME_SCHEDULE, Value, parse_infotext
from pastelbot.records import GenerationRequest, HiresFix
from pastelbot.rules.plain_fields import PLAIN_FIELDS, PlainField
from pastelbot.rules.samplers import is_known, is_known_schedule, normalise, uses_ensd

_EMPHASIS_MODES = ("Original", "No norm", "None", "Ignore")
# Fields that do not go into the request as they are; the caller that has the files reads them.
_FOR_OTHERS = {"Model", "Model hash", "Version", "VAE", "VAE hash", "Lora hashes", "Lora names", "TI hashes"}
_DEFAULT = GenerationRequest(prompt="")
_DEFAULT_HIRES = HiresFix()


class ReadRequest(NamedTuple):
    """A request from an infotext.

    `missing` names the fields that decide the picture and were absent, so that defaults were taken. `notes` are
    sentences about what was not understood. `loras` and `embeddings` are the hashes of files by name.
    """

    request: GenerationRequest
    checkpoint: str
    checkpoint_hash: str
    missing: tuple[str, ...]
    notes: tuple[str, ...]
    vae: str = ""
    loras: Mapping[str, str] = MappingProxyType({})
    embeddings: Mapping[str, str] = MappingProxyType({})


def read_request(text: str) -> ReadRequest:
    """Read the first infotext in any text; what is missing or unreadable gets its default.

    Nothing but the length can be wrong with it: raises LimitError for more than 64 Ki characters.
    """
    text, *others = find_infotexts(text)
    raw = read_fields(text)
    fields = _Fields(parse_infotext(text))
    request = (
        _request(fields) if raw.fields else _DEFAULT.replace(prompt=raw.prompt, negative_prompt=raw.negative_prompt)
    )
    needed = ("Steps", "Sampler", "CFG scale", "Seed", "Size")
    return ReadRequest(
        request=request,
        checkpoint=raw.fields.get("Model", ""),
        checkpoint_hash=raw.fields.get("Model hash", ""),
        missing=tuple(name for name in needed if name not in raw.fields),
        notes=(*_several(len(others) + 1), *fields.notes, *_ignored(raw, fields)),
        vae=raw.fields.get("VAE", ""),
        loras=_hashes(raw.fields.get("Lora hashes", "")),
        embeddings=_hashes(raw.fields.get("TI hashes", "")),
    )


def _several(count: int) -> Iterator[str]:
    if count > 1:
        yield f"There are {count} infotexts; the first is taken."


def completed(read: ReadRequest, *, random_seed: Callable[[], int]) -> ReadRequest:
    """Return what was read with a random seed where it has none, and with notes on what is absent."""
    seedless = "Seed" in read.missing
    request = read.request.replace(seed=random_seed()) if seedless else read.request
    notes = ["It does not say Seed; a random one was drawn."] if seedless else []
    notes += [f"It does not say {name}; the default is taken." for name in read.missing if name != "Seed"]
    return read._replace(request=request, missing=(), notes=(*notes, *read.notes))


def _hashes(text: str) -> Mapping[str, str]:
    """Read `name: hash, name: hash`."""
    pairs = (part.rpartition(":") for part in text.split(",") if ":" in part)
    return {name.strip(): value.strip() for name, _colon, value in pairs if name.strip() and value.strip()}


@dataclass
class _Fields:
    """Parsed fields, read with a default for what is missing or not a number; remembers which fields were read."""

    values: dict[str, Value]
    asked: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)

    def text(self, name: str) -> str | None:
        self.asked.add(name)
        return str(self.values[name]) if name in self.values else None

    def number(self, name: str, default: float) -> float:
        text = self.text(name)
        if text is None:
            return default
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not -1e15 < value < 1e15:  # neither infinite nor NaN
            self.notes.append(f"{name} {text[:40]!r} is not a number; {default:g} is taken.")
            return default
        return value

    def whole(self, name: str, default: int) -> int:
        return int(self.number(name, default))


def _request(fields: _Fields) -> GenerationRequest:
    sampler, schedule = _sampler(fields)
    return GenerationRequest(
        prompt=fields.text("Prompt") or "",
        negative_prompt=fields.text("Negative prompt") or "",
        width=fields.whole("Size-1", _DEFAULT.width),
        height=fields.whole("Size-2", _DEFAULT.height),
        seed=fields.whole("Seed", _DEFAULT.seed),
        steps=fields.whole("Steps", _DEFAULT.steps),
        cfg_scale=fields.number("CFG scale", _DEFAULT.cfg_scale),
        sampler=sampler,
        schedule=schedule,
        hires=_hires(fields, sampler, schedule),
        subseed=fields.whole("Variation seed", 0),
        subseed_strength=fields.number("Variation seed strength", 0.0),
        seed_resize_width=fields.whole("Seed resize from-1", 0),
        seed_resize_height=fields.whole("Seed resize from-2", 0),
        # A sampler that uses ENSD painted without it where the field is absent.
        eta_noise_seed_delta=fields.whole("ENSD", 0 if uses_ensd(sampler) else _DEFAULT.eta_noise_seed_delta),
        noise_source=_noise_source(fields),
        emphasis=_emphasis(fields),
    ).replace(**{field.name: _plain(fields, field) for field in PLAIN_FIELDS})


def _plain(fields: _Fields, field: PlainField) -> float:
    number = fields.number(field.title, field.absent)
    return int(number) if field.whole else number


def _sampler(fields: _Fields) -> tuple[str, str]:
    written, schedule = fields.text("Sampler"), fields.text("Schedule type")
    choice = normalise(written, schedule)
    if written is not None and not is_known(written):
        fields.notes.append(f"The sampler {written[:40]!r} is unknown; {choice.sampler} is taken.")
    if schedule is not None and not is_known_schedule(schedule):
        fields.notes.append(f"The schedule {schedule[:40]!r} is unknown; {choice.schedule} is taken.")
    return choice


def _hires(fields: _Fields, sampler: str, schedule: str) -> HiresFix | None:
    width, height = fields.whole("Hires resize-1", 0), fields.whole("Hires resize-2", 0)
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
    choice = normalise(
        sampler if written in (None, SAME_SAMPLER) else written,
        schedule if written_schedule in (None, SAME_SCHEDULE) else written_schedule,
    )
    if written is not None and written != SAME_SAMPLER and not is_known(written):
        fields.notes.append(f"The hires sampler {written[:40]!r} is unknown; {choice.sampler} is taken.")
    if not (written_schedule in (None, SAME_SCHEDULE) or is_known_schedule(str(written_schedule))):
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
    if "Denoising strength" in raw.fields and "Denoising strength" not in known:
        known.add("Denoising strength")
        yield "It was painted over another picture, which the text does not hold: it is painted from noise alone."
    for name, value in raw.fields.items():
        if name not in known and not name.startswith("First pass size"):
            yield f"{name} {value[:60]!r} is not understood."
    if fields.values.get("Old prompt editing timelines"):
        yield "This version of the webui counted the steps of prompt editing otherwise in the hires pass."
