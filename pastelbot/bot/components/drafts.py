"""Drafts: what users typed that was refused, kept for a while so that they can change it instead of typing it again.

They are kept in memory. After a restart, or when many others came since, the button says that it is too late.
"""

import secrets
from collections import OrderedDict
from collections.abc import Mapping

import discord

from pastelbot.bot.components.lasting_button import LastingButton
from pastelbot.bot.components.modals import OptionsModal
from pastelbot.bot.context import EDITABLE, Draft, Interaction
from pastelbot.bot.responses import answers_errors, open_modal
from pastelbot.errors import NotFoundError
from pastelbot.options import GenerationOptions
from pastelbot.options.flags import written_flags

_KEPT = 1000
_GONE = "This was answered already, or too long ago: type it again."


class Drafts:
    """The last drafts of all users."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, int], Draft] = OrderedDict()

    def view(self, interaction: Interaction) -> discord.ui.View | None:
        """Keep what an interaction's user typed, and return the button that opens it; None where it was no prompt."""
        draft = interaction.extras.get(EDITABLE) or _of_command(interaction)
        if draft is None:
            return None
        number = secrets.token_hex(6)
        self._kept[number, interaction.user.id] = draft
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        view = discord.ui.View(timeout=None)
        view.add_item(DraftButton(number))
        return view

    def get(self, number: str, user_id: int) -> Draft:
        """Return a user's draft; raises NotFoundError."""
        draft = self._kept.get((number, user_id))
        if draft is None:
            raise NotFoundError(_GONE)
        return draft


def _of_command(interaction: Interaction) -> Draft | None:
    """Return the draft of a command that can be repeated; None for others, and for buttons."""
    command = interaction.command
    if not isinstance(command, discord.app_commands.Command) or not command.extras.get(EDITABLE):
        return None
    typed = dict(vars(interaction.namespace))
    prompt, negative = str(typed.pop("prompt", "")), str(typed.pop("negative", ""))
    flags, kept = written_flags(typed)
    fixed = {choice.name for choice in command.parameters if choice.choices}
    texts = {name: value for name, value in kept.items() if isinstance(value, str) and name not in fixed}

    async def repeat(answer: Interaction, now: Mapping[str, str]) -> None:
        needed = {each.name for each in command.parameters if each.required}
        values = {name: value for name, value in {**kept, **now}.items() if value or name in needed}
        # The callback of a command takes its cog where it has one, which discord.py's type of it does not say.
        await command.callback(command.binding, answer, **values)  # type: ignore[arg-type]

    return Draft(prompt=prompt, negative=negative, flags=flags, texts=texts, repeat=repeat)


class DraftButton(LastingButton, template=r"pb:edit-typed:(?P<number>[0-9a-f]{12})"):
    """Opens a form with what was typed."""

    def __init__(self, number: str) -> None:
        super().__init__(f"edit-typed:{number}", "Edit", emoji="✏️", style=discord.ButtonStyle.primary)
        self.number = number
        self.paints = True

    @answers_errors
    async def callback(self, interaction: Interaction) -> None:
        """Open the form."""
        draft = interaction.client.drafts.get(self.number, interaction.user.id)
        await open_modal(interaction, _DraftModal(draft))


class _DraftModal(OptionsModal):
    """Shows all that was typed, to be changed."""

    def __init__(self, draft: Draft) -> None:
        super().__init__("Edit and paint again", _nothing)
        self._draft = draft
        self.prompt = self.text_field("Prompt", "prompt", draft.prompt, long=True, required=True)
        self.negative = self.text_field("Negative prompt", "negative", draft.negative, long=True)
        self.flags = self.text_field(
            "Settings", "flags", draft.flags, long=True, hint="As flags: --size landscape --no hat --count 4"
        )
        self.texts = {name: self.text_field(name, name, text, long=True) for name, text in [*draft.texts.items()][:2]}

    @answers_errors
    async def on_submit(self, interaction: Interaction) -> None:
        """Do again what was asked for, with the texts as they are now."""
        texts = {name: text_field.value for name, text_field in self.texts.items()}
        interaction.extras[EDITABLE] = Draft(
            prompt=self.prompt.value,
            negative=self.negative.value,
            flags=self.flags.value,
            texts=texts,
            repeat=self._draft.repeat,
        )
        prompt = f"{self.prompt.value} {self.flags.value}".strip()
        await self._draft.repeat(interaction, {**texts, "prompt": prompt, "negative": self.negative.value})


async def _nothing(_interaction: Interaction, _options: GenerationOptions) -> None:
    """Paint nothing: a draft is repeated by what it came from."""
