"""Options of a picture to start from and of its mask, by name: what `--set` takes beside the options of sampling.

The names are those of infotexts; what the webui does not write has a name of ours.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pastelbot.choices import MASK_FILLINGS
from pastelbot.errors import LimitError, RequestError
from pastelbot.records import GenerationRequest, InitImage, Mask
from pastelbot.rules.number_texts import number_text

_SWITCH = {"True": True, "False": False}


@dataclass(frozen=True, kw_only=True)
class InitOption:
    """An option: the fields that it sets, of the mask or of the picture, and its values.

    `values` are those of a choice; else a number, from 0 to `most`, or any text where that is 0. `together`: others set
    the same fields one by one.
    """

    title: str
    fields: tuple[str, ...]
    of_mask: bool = True
    values: Mapping[str, Any] | None = None  # Any: each option has a type of its own
    most: float = 0.0
    together: bool = False

    @property
    def usual(self) -> str:
        """Return the value that counts where none is given."""
        value = getattr(Mask() if self.of_mask else InitImage(), self.fields[0])
        return f"{number_text(value)}" if isinstance(value, float) else str(value)

    def read(self, text: str) -> object:
        """Return the value that a text means; raises LimitError with what is allowed."""
        text = text.strip()
        if self.values is not None:
            found = [value for name, value in self.values.items() if name.casefold() == text.casefold()]
            if not found:
                raise LimitError(f"{self.title} {text[:40]!r} does not work: ask for {' or '.join(self.values)}.")
            return found[0]
        if not self.most:
            return text[:60]
        try:
            number = float(text)
        except ValueError:
            number = -1.0
        if not 0 <= number <= self.most:
            raise LimitError(f"{self.title} {text[:40]!r} does not work: ask for 0 to {number_text(self.most)}.")
        return int(number) if self.fields == ("padding",) else number

    def typed(self, record: InitImage | Mask) -> str:
        """Return what is typed for a record's value, "" where that is the usual one."""
        value = getattr(record, self.fields[0])
        if value == getattr(type(record)(), self.fields[0]):
            return ""
        names = [name for name, meant in (self.values or {}).items() if meant == value]
        return names[0] if names else f"{value:g}" if isinstance(value, float) else str(value)

    def text(self, record: InitImage | Mask) -> str | None:
        """Return the text that sets a record's value, None where it is the usual one or another option's."""
        value = getattr(record, self.fields[0])
        if self.together or value == getattr(type(record)(), self.fields[0]):
            return None
        names = [name for name, meant in (self.values or {}).items() if meant == value]
        return f"{self.title}: {names[0] if names else value}"


INIT_OPTIONS = (
    InitOption(title="Mask mode", fields=("inverted",), values={"Inpaint masked": False, "Inpaint not masked": True}),
    InitOption(title="Mask blur", fields=("blur_x", "blur_y"), most=64, together=True),
    InitOption(title="Mask blur x", fields=("blur_x",), most=64),
    InitOption(title="Mask blur y", fields=("blur_y",), most=64),
    InitOption(title="Inpaint area", fields=("only_masked",), values={"Whole picture": False, "Only masked": True}),
    InitOption(title="Masked area padding", fields=("padding",), most=256),
    InitOption(title="Masked content", fields=("filling",), values={name: name for name in MASK_FILLINGS}),
    InitOption(title="Soft mask", fields=("rounded",), values={"True": False, "False": True}),
    InitOption(title="Img2img upscaler", fields=("upscaler",), of_mask=False),
    InitOption(title="Exact img2img steps", fields=("exact_steps",), of_mask=False, values=_SWITCH),
    InitOption(title="Color correction", fields=("corrected",), of_mask=False, values=_SWITCH),
)
_BY_TITLE = {option.title.casefold(): option for option in INIT_OPTIONS}


def divided(text: str) -> tuple[str, str]:
    """Return what of a text such as "Eta: 0.5, Mask blur: 8" is about sampling, and what about a picture."""
    parts = [part for part in text.split(",") if part.strip()]
    over = [part for part in parts if _title(part) in _BY_TITLE]
    return ",".join(part for part in parts if part not in over), ",".join(over)


def applicable(text: str, *, picture: bool, mask: bool) -> str | None:
    """Return a text without the options that belong to a picture or a mask that is not there; None is nothing left."""

    def applies(part: str) -> bool:
        option = _BY_TITLE.get(_title(part))
        return option is None or (mask if option.of_mask else picture)

    return ", ".join(part.strip() for part in text.split(",") if part.strip() and applies(part)) or None


def with_init_options(init: InitImage | None, text: str) -> InitImage | None:
    """Return a picture to start from with the options of a text; raises RequestError where it has none of these."""
    for part in filter(str.strip, text.split(",")):
        option = _BY_TITLE[_title(part)]
        if init is None:
            raise RequestError(f"{option.title} belongs to a picture to start from: add one, or leave it out.")
        changes: dict[str, Any] = dict.fromkeys(option.fields, option.read(part.partition(":")[2]))
        if not option.of_mask:
            init = replace(init, **changes)
        elif init.mask is None:
            raise RequestError(f"{option.title} belongs to a mask: add one beside the picture, or leave it out.")
        else:
            init = replace(init, mask=replace(init.mask, **changes))
    return init


def init_text(request: GenerationRequest) -> str | None:
    """Return the text that sets a request's options of its picture to start from, None where they are usual."""
    init = request.init
    if init is None:
        return None
    texts = [
        option.text(record) for option in INIT_OPTIONS if (record := init.mask if option.of_mask else init) is not None
    ]
    return ", ".join(text for text in texts if text is not None) or None


def _title(part: str) -> str:
    return " ".join(part.partition(":")[0].split()).casefold()
