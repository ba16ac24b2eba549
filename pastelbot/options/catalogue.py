"""The table of options: one row for each field of GenerationOptions, and everything about it.

Flags, the options of slash commands and of the command line, saved settings, presets and their texts derive from it.
"""

from collections.abc import Mapping
from typing import Any

from pastelbot.choices import RESIZE_MODES, UPSCALERS
from pastelbot.config import Settings
from pastelbot.options.option import (
    Completion,
    Fields,
    Option,
    flag,
    number_flag,
    switch_flag,
    text_flag,
    whole_flag,
)
from pastelbot.options.reading import read_aspect, read_hires, read_seed
from pastelbot.prompt import expansion
from pastelbot.prompt.flags import Takes
from pastelbot.records import GenerationRequest
from pastelbot.rules.samplers import SCHEDULES, menu
from pastelbot.rules.sampling.init_options import init_text
from pastelbot.rules.sampling.options import sampling_text

# The choices of a command: Discord takes at most 25.
SAMPLER_CHOICES = menu()
HIRES_CHOICES = ("off", "on", "1.25x", "1.5x", "1.75x", "2x")


def _seed(text: str) -> int:
    seed = read_seed(text)
    return -1 if seed is None else seed


def _aspect(text: str) -> str:
    read_aspect(text)
    return text


def _hires(text: str) -> Fields:
    large, scale = read_hires(text)
    return {"hires": large, "hires_scale": scale}


def _off(_settings: Settings) -> bool:
    return False


def _settings_text(request: GenerationRequest) -> str | None:
    return ", ".join(filter(None, (sampling_text(request), init_text(request)))) or None


def _hires_size(request: GenerationRequest) -> str | None:
    fix = request.hires
    return f"{fix.width}x{fix.height}" if fix is not None and fix.width and fix.height else None


def _hires_scale(request: GenerationRequest) -> float | None:
    return request.hires.scale if request.hires is not None and _hires_size(request) is None else None


# Any: each row has a type of its own. The order is that of /imagine.
OPTIONS: tuple[Option[Any], ...] = (
    Option(
        name="prompt",
        value_type=str,
        slash=False,  # each command has a prompt of its own
        command_line=False,
        from_request=lambda request: expansion.escape(request.prompt),
    ),
    Option(
        name="negative",
        value_type=str,
        describe="What to avoid; left out, the usual list",
        describe_kept="What to avoid; none for nothing",
        flags=(text_flag("negative", Takes.TEXT, example="lowres, blurry", others=("neg",)),),
        saved=True,
        default=lambda settings: settings.defaults.negative_prompt,
        from_request=lambda request: expansion.escape(request.negative_prompt) or "none",
    ),
    Option(
        name="avoid",
        value_type=str,
        flags=(text_flag("no", Takes.TEXT, example="bad hands"),),
        join=lambda first, second: f"{first}, {second}",
        slash=False,
        command_line=False,
    ),
    Option(
        name="size",
        value_type=str,
        describe="portrait, landscape, square, or pixels such as 448x640",
        flags=(text_flag("size", Takes.WORD, example="portrait"),),
        complete=Completion.SIZE,
        saved=True,
        supersedes=("aspect", "hires_size"),
        beside_init=False,
        default=lambda settings: settings.defaults.size,
        from_request=lambda request: f"{request.width}x{request.height}",
    ),
    Option(
        name="aspect",
        value_type=str,
        flags=(flag("ar", Takes.WORD, example="3:2", read=_aspect, others=("aspect",)),),
        slash=False,
        command_line=False,
        supersedes=("hires_size",),
        beside_init=False,
    ),
    Option(
        name="seed",
        value_type=int,
        describe="The same seed and settings give the same picture; left out, a random one",
        flags=(flag("seed", Takes.WORD, example="5", read=_seed, others=("s",)),),
        from_request=lambda request: request.seed,
    ),
    Option(
        name="steps",
        value_type=int,
        describe="Sampling steps",
        flags=(whole_flag("steps", 30),),
        saved=True,
        default=lambda settings: settings.defaults.steps,
        request_field="steps",
        cap=lambda limits: limits.max_steps,
    ),
    Option(
        name="cfg",
        value_type=float,
        describe="CFG scale: how closely to follow the prompt",
        flags=(number_flag("cfg", 7, others=("cfg-scale", "scale")),),
        saved=True,
        default=lambda settings: settings.defaults.cfg,
        request_field="cfg_scale",
        cap=lambda limits: limits.max_cfg,
    ),
    Option(
        name="sampler",
        value_type=str,
        describe="How the noise is removed",
        flags=(text_flag("sampler", Takes.NAME, example="Euler a"),),
        choices=SAMPLER_CHOICES,
        saved=True,
        supersedes=("schedule",),
        default=lambda settings: settings.defaults.sampler,
        from_request=lambda request: request.sampler,
    ),
    Option(
        name="schedule",
        value_type=str,
        describe="How the noise is spread over the steps; left out, the sampler's own",
        describe_kept="How the noise is spread over the steps",
        flags=(text_flag("schedule", Takes.NAME, example="Karras"),),
        choices=SCHEDULES,
        saved=True,
        left_out="`schedule` the sampler's own",
        from_request=lambda request: request.schedule,
    ),
    Option(
        name="clip_skip",
        value_type=int,
        describe="Layers of the text encoder to leave out: 1 is none, 2 is usual",
        flags=(whole_flag("clip-skip", 2, others=("clipskip",)),),
        saved=True,
        default=lambda settings: settings.defaults.clip_skip,
        request_field="clip_skip",
    ),
    Option(
        name="sampling",
        value_type=str,
        describe="Options of sampling and masks by the webui's names, such as Eta: 0.5, Mask blur: 8",
        flags=(text_flag("set", Takes.TEXT, example="Eta: 0.5"),),
        join=lambda first, second: f"{first}, {second}",
        slash=False,
        from_request=_settings_text,
    ),
    Option(
        name="hires",
        value_type=str,
        describe="Paint it large in a second pass",
        flags=(
            flag("hires", Takes.MAYBE, example="1.5x", read=lambda text: text or "on"),
            flag("nohires", Takes.NOTHING, read=lambda _text: "off"),
        ),
        spread=_hires,
        choices=HIRES_CHOICES,
        saved=True,
        supersedes=("hires_scale", "hires_size"),
        beside_init=False,
        default=lambda settings: settings.defaults.hires,
        from_request=lambda request: request.hires is not None,
    ),
    Option(
        name="hires_scale",
        value_type=float,
        slash=False,
        command_line=False,
        saved=True,
        supersedes=("hires_size",),
        part_of="hires",
        beside_init=False,
        from_request=_hires_scale,
    ),
    Option(
        name="hires_size",
        value_type=str,
        describe="Pixels after the second pass",
        slash=False,
        beside_init=False,
        from_request=_hires_size,
    ),
    Option(
        name="hires_steps",
        value_type=int,
        describe="Steps of the second pass",
        slash=False,
        beside_init=False,
        from_request=lambda request: request.hires.steps if request.hires is not None else None,
    ),
    Option(
        name="hires_upscaler",
        value_type=str,
        describe="What enlarges the picture for the second pass",
        choices=UPSCALERS,
        slash=False,
        beside_init=False,
        from_request=lambda request: request.hires.upscaler if request.hires is not None else None,
    ),
    Option(
        name="denoise",
        value_type=float,
        describe="How much the second pass may change: 0.01 to 1",
        flags=(number_flag("denoise", 0.6), number_flag("strength", 0.7)),
        saved=True,
        beside_init=False,
        default=lambda settings: settings.defaults.denoising_strength,
        from_request=lambda request: request.hires.denoising_strength if request.hires is not None else None,
    ),
    Option(
        name="init",
        value_type=bytes,
        slash=False,  # a file: the commands read it
        command_line=False,
        in_presets=False,
        supersedes=("aspect", "hires_size"),
    ),
    Option(
        name="mask",
        value_type=bytes,
        slash=False,
        command_line=False,
        in_presets=False,
    ),
    Option(
        name="resize_mode",
        value_type=str,
        describe="What makes a picture to start from fit the size",
        choices=RESIZE_MODES,
        slash=False,
        in_presets=False,
    ),
    Option(
        name="count",
        value_type=int,
        describe="How many pictures",
        flags=(whole_flag("count", 2, others=("n",)),),
        saved=True,
        default=lambda _settings: 1,
        request_field="count",
        cap=lambda limits: limits.max_count,
    ),
    Option(
        name="lora",
        value_type=str,
        describe="A LoRA to add; name:0.8 sets its weight",
        flags=(text_flag("lora", Takes.NAME, example="name"),),
        complete=Completion.LORA,
        command_line=False,
    ),
    Option(
        name="checkpoint",
        value_type=str,
        describe="What paints; left out, the usual checkpoint",
        describe_kept="What paints",
        flags=(text_flag("checkpoint", Takes.NAME, example="name"),),
        complete=Completion.CHECKPOINT,
        saved=True,
        left_out="`checkpoint` the usual one",
        request_field="checkpoint",
    ),
    Option(
        name="vae",
        value_type=str,
        describe="Another VAE: what turns the result into colours",
        flags=(text_flag("vae", Takes.NAME, example="name"),),
        complete=Completion.VAE,
        saved=True,
        left_out="`vae` the checkpoint's own",
        request_field="vae",
    ),
    Option(
        name="style",
        value_type=bool,
        describe="Ask for the style that the checkpoint was trained on",
        flags=(switch_flag("style", on=True), switch_flag("nostyle", on=False)),
        command_line=False,
        saved=True,
        default=_off,
    ),
    Option(
        name="preset",
        value_type=str,
        describe="Saved settings for what is left out",
        flags=(text_flag("preset", Takes.NAME, example="name"),),
        complete=Completion.PRESET,
        command_line=False,
        in_presets=False,
    ),
    Option(
        name="spoiler",
        value_type=bool,
        describe="Hide the picture until it is clicked on",
        flags=(switch_flag("spoiler", on=True),),
        command_line=False,
        page=False,  # it is about messages in Discord
        saved=True,
        default=_off,
    ),
    Option(
        name="private",
        value_type=bool,
        describe="Send the picture to you alone, as a direct message",
        describe_kept="Send pictures as direct messages",
        flags=(switch_flag("private", on=True),),
        command_line=False,
        page=False,  # it is about messages in Discord
        saved=True,
        default=_off,
    ),
)

BY_NAME: Mapping[str, Option[Any]] = {option.name: option for option in OPTIONS}
IN_SLASH_COMMANDS = tuple(option.name for option in OPTIONS if option.slash)
# The settings of users, channels and servers, by their names in the database.
SAVED = tuple(option.name for option in OPTIONS if option.saved)
# Those that users name; what is part of another one is set with it.
SETTINGS = tuple(option.name for option in OPTIONS if option.saved and option.part_of is None)
