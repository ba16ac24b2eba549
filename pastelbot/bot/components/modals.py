"""Modals behind the Seed and Edit buttons."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import discord

from pastelbot.bot.context import EDITABLE, Draft, Interaction
from pastelbot.bot.responses import answers_errors
from pastelbot.options import HIRES_CHOICES, SAMPLER_CHOICES, GenerationOptions, read_seed
from pastelbot.options.flags import written_flags
from pastelbot.options.reading import read_hires
from pastelbot.prompt import expansion
from pastelbot.prompt.flags import escape_flags
from pastelbot.records import GenerationRequest
from pastelbot.rules.hires import hires_size
from pastelbot.rules.samplers import AUTOMATIC

Paint = Callable[[Interaction, GenerationOptions], Awaitable[None]]

WITH_THIS_PROMPT = "Paint with this prompt"  # title of a form whose picture was not painted here, or is another's

_TEXT = 4000
_AS_IT_IS = "as it is"


class OptionsModal(discord.ui.Modal):
    """A form that ends in generation options, which `paint` takes."""

    paints = True

    def __init__(self, title: str, paint: Paint) -> None:
        super().__init__(title=title)
        self._paint = paint

    def text_field(  # one text field with its label
        self,
        name: str,
        custom_id: str,
        default: str = "",
        *,
        long: bool = False,
        required: bool = False,
        hint: str | None = None,
    ) -> discord.ui.TextInput[Any]:
        """Add a text field."""
        style = discord.TextStyle.paragraph if long else discord.TextStyle.short
        limit = _TEXT if long else 40
        field: discord.ui.TextInput[Any] = discord.ui.TextInput(
            custom_id=custom_id, style=style, default=default[:limit], required=required, max_length=limit
        )
        self.add_item(discord.ui.Label(text=name, component=field, description=hint))
        return field

    def keep_draft(self, interaction: Interaction, prompt: str, negative: str, **typed: object) -> None:
        """Let what was typed be changed where it is refused; `typed` are other options by their names."""

        async def repeat(answer: Interaction, now: Mapping[str, str]) -> None:
            options = GenerationOptions(prompt=now["prompt"], negative=self.negative_of(now["negative"]))
            await self._paint(answer, options)

        flags, _left = written_flags(typed)
        interaction.extras[EDITABLE] = Draft(prompt=prompt, negative=negative, flags=flags, repeat=repeat)

    def negative_of(self, text: str) -> str | None:
        """Return what a typed negative prompt means; None is the usual one."""
        return text

    def choice_field(
        self, name: str, custom_id: str, choices: Sequence[tuple[str, str]], default: str
    ) -> discord.ui.Select[Any]:
        """Add a list of (label, value) pairs of which one is chosen already."""
        options = [discord.SelectOption(label=label, value=value, default=value == default) for label, value in choices]
        field: discord.ui.Select[Any] = discord.ui.Select(custom_id=custom_id, options=options, required=False)
        self.add_item(discord.ui.Label(text=name, component=field))
        return field


class SeedModal(OptionsModal):
    """Asks for a seed; everything else stays."""

    def __init__(self, request: GenerationRequest, paint: Paint) -> None:
        super().__init__("Paint with this seed", paint)
        self.seed = self.text_field("Seed (empty: a random one)", "seed", str(request.seed))

    @answers_errors
    async def on_submit(self, interaction: Interaction) -> None:
        """Paint with the typed seed."""
        await self._paint(interaction, GenerationOptions(seed=_seed(self.seed.value)))


class EditModal(OptionsModal):
    """Asks for prompt, negative prompt, seed, sampler and hires."""

    def __init__(self, request: GenerationRequest, paint: Paint, *, title: str = "Edit and paint again") -> None:
        super().__init__(title, paint)
        self._sampler_now = _sampler_name(request)
        samplers = list(dict.fromkeys((self._sampler_now, *SAMPLER_CHOICES)))[:25]
        now = f"As it is: {_hires_now(request)}"
        hires = [(now, _AS_IT_IS), *((_hires_label(choice), choice) for choice in HIRES_CHOICES)]
        self.prompt = self.text_field("Prompt", "prompt", typed_again(request.prompt), long=True, required=True)
        self.negative = self.text_field(
            "Negative prompt", "negative", typed_again(request.negative_prompt, flags=False), long=True
        )
        self.seed = self.text_field("Seed (empty: a random one)", "seed", str(request.seed))
        self.sampler = self.choice_field(
            "Sampler", "sampler", [(name[:100], name[:100]) for name in samplers], self._sampler_now[:100]
        )
        self.hires = self.choice_field("Hires: paint it large in a second pass", "hires", hires, _AS_IT_IS)

    @answers_errors
    async def on_submit(self, interaction: Interaction) -> None:
        """Paint what was typed."""
        sampler = next(iter(self.sampler.values), self._sampler_now)
        hires = next(iter(self.hires.values), _AS_IT_IS)
        changed = {
            "sampler": None if sampler == self._sampler_now[:100] else sampler,
            "hires": None if hires == _AS_IT_IS else hires,
        }
        seed = self.seed.value.strip() or "-1"
        self.keep_draft(interaction, self.prompt.value, self.negative.value, seed=seed, **changed)
        options = GenerationOptions(prompt=self.prompt.value, negative=self.negative.value, seed=_seed(self.seed.value))
        if sampler != self._sampler_now[:100]:
            options = options.replace(sampler=sampler)
        if hires != _AS_IT_IS:
            on, scale = read_hires(hires)
            options = options.replace(hires=on, hires_scale=scale)
        await self._paint(interaction, options)


def typed_again(prompt: str, *, flags: bool = True) -> str:
    """Return a finished prompt as it must be typed to be painted as it is; one too long for a form stays as it is."""
    if len(prompt) > _TEXT:
        return prompt
    escaped = expansion.escape(prompt)
    escaped = escape_flags(escaped) if flags else escaped
    return escaped if len(escaped) <= _TEXT else prompt


def _sampler_name(request: GenerationRequest) -> str:
    """Return the sampler as the menu has it: with its schedule at the end, where it has one."""
    return request.sampler if request.schedule == AUTOMATIC else f"{request.sampler} {request.schedule}"


def _hires_now(request: GenerationRequest) -> str:
    fix = request.hires
    if fix is None:
        return "off"
    width, height = hires_size(request.width, request.height, fix).picture
    return f"{width}x{height}"


def _hires_label(choice: str) -> str:
    return {"off": "Off", "on": "On, as large as usual"}.get(choice, f"{choice} as large")


def _seed(text: str) -> int:
    seed = read_seed(text)
    return -1 if seed is None else seed
