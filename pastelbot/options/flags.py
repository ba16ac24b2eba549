"""From the flags in a prompt to a wish."""

import re
from collections.abc import Callable

from pastelbot.errors import PromptError, RequestError
from pastelbot.options.generation_options import GenerationOptions
from pastelbot.options.reading import read_aspect, read_hires, read_seed
from pastelbot.prompt.comments import strip_comments
from pastelbot.prompt.flags import Flag, read_flags

Values = dict[str, object]

_WHOLE = re.compile(r"-?[0-9]{1,10}")


def options_from_prompt(text: str) -> GenerationOptions:
    """Return what a typed prompt says, flags and all; raises PromptError with the position of what is wrong.

    Of a flag that is there twice the last one counts; several `--no` add up.
    """
    read = read_flags(strip_comments(text).strip())
    values: Values = {"prompt": read.prompt}
    for flag in read.flags:
        try:
            READERS[flag.name](values, flag.value)
        except RequestError as error:
            raise _at(flag, str(error)) from error
    return GenerationOptions(**values)  # type: ignore[arg-type]  # the readers' own values


def _at(flag: Flag, sentence: str) -> PromptError:
    return PromptError(
        f"The flag --{flag.name} at character {flag.position + 1} cannot be used: {sentence}", position=flag.position
    )


def _text(name: str) -> Callable[[Values, str], None]:
    def read(values: Values, text: str) -> None:
        values[name] = text

    return read


def _whole(name: str, example: int) -> Callable[[Values, str], None]:
    def read(values: Values, text: str) -> None:
        if _WHOLE.fullmatch(text) is None:
            raise RequestError(f"{text[:40]!r} is no whole number, such as {example}.")
        values[name] = int(text)

    return read


def _number(name: str, example: float) -> Callable[[Values, str], None]:
    def read(values: Values, text: str) -> None:
        try:
            number = float(text)
        except ValueError:
            number = float("nan")
        if not abs(number) < 10**9:
            raise RequestError(f"{text[:40]!r} is no number, such as {example:g}.")
        values[name] = number

    return read


def _switch(name: str, *, on: bool) -> Callable[[Values, str], None]:
    def read(values: Values, _text: str) -> None:
        values[name] = on

    return read


def _seed(values: Values, text: str) -> None:
    seed = read_seed(text)
    values["seed"] = -1 if seed is None else seed


def _aspect(values: Values, text: str) -> None:
    read_aspect(text)
    values["aspect"] = text


def _hires(values: Values, text: str) -> None:
    values["hires"], values["hires_scale"] = read_hires(text or "on")


def _no_hires(values: Values, _text: str) -> None:
    values["hires"], values["hires_scale"] = False, None


def _avoid(values: Values, text: str) -> None:
    values["avoid"] = ", ".join(str(each) for each in (values.get("avoid"), text) if each)


READERS: dict[str, Callable[[Values, str], None]] = {
    "seed": _seed,
    "size": _text("size"),
    "ar": _aspect,
    "steps": _whole("steps", 20),
    "cfg": _number("cfg", 7),
    "count": _whole("count", 2),
    "clip-skip": _whole("clip_skip", 2),
    "denoise": _number("denoise", 0.6),
    "strength": _number("denoise", 0.7),
    "sampler": _text("sampler"),
    "schedule": _text("schedule"),
    "lora": _text("lora"),
    "checkpoint": _text("checkpoint"),
    "vae": _text("vae"),
    "preset": _text("preset"),
    "no": _avoid,
    "negative": _text("negative"),
    "hires": _hires,
    "nohires": _no_hires,
    "style": _switch("style", on=True),
    "nostyle": _switch("style", on=False),
    "spoiler": _switch("spoiler", on=True),
    "private": _switch("private", on=True),
}
