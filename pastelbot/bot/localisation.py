"""Localisation: translation of everything that the bot sends.

Private answers and forms are in the user's language; public messages are in the server's. A job keeps the language of
its message, because what is written later answers no interaction.
"""

from typing import Any, TypeVar

import discord
from discord import app_commands, ui

from pastelbot.bot.context import Interaction
from pastelbot.i18n.languages import Languages, Translate

Shown = TypeVar("Shown", bound=ui.View | ui.LayoutView | ui.Modal)


class CommandTranslator(app_commands.Translator):
    """Translates the names and descriptions of commands, options and choices for Discord's menus."""

    def __init__(self, languages: Languages) -> None:
        self._languages = languages

    async def translate(
        self, string: app_commands.locale_str, locale: discord.Locale, _context: app_commands.TranslationContextTypes
    ) -> str | None:
        """Return the text in that language; None: as it is in English."""
        catalogue = self._languages.catalogue(str(locale))
        if catalogue is None:
            return None
        return catalogue.word(string.message) or catalogue.phrase(string.message)


def language_of(interaction: Interaction, *, public: bool = False) -> str:
    """Return Discord's name of the language to answer in: the user's, or in public the server's."""
    return str(interaction.guild_locale or interaction.locale) if public else str(interaction.locale)


def language_of_guild(client: discord.Client, guild_id: int | None) -> str:
    """Return the language of a server, as far as the server is known; "" is English."""
    guild = client.get_guild(guild_id or 0)
    return str(guild.preferred_locale) if guild is not None else ""


def translator(interaction: Interaction, *, public: bool = False) -> Translate:
    """Return what puts texts into the language to answer in."""
    languages: Languages = interaction.client.languages
    return languages.translator(language_of(interaction, public=public))


def localised(interaction: Interaction, text: str) -> str:
    """Return a text in the user's language."""
    return translator(interaction)(text)


def translated(shown: Shown, translate: Translate) -> Shown:
    """Put everything that can be read of buttons, lists, forms and layouts into another language, and return it."""
    if isinstance(shown, ui.Modal):
        shown.title = translate(shown.title)
    for item in shown.walk_children():
        _translate_item(item.item if isinstance(item, ui.DynamicItem) else item, translate)
    return shown


def _translate_item(item: ui.Item[Any], translate: Translate) -> None:
    match item:
        case ui.Button() if item.label:
            item.label = _label(item.label, translate)
        case ui.Select():
            item.placeholder = item.placeholder and translate(item.placeholder)
            for option in item.options:
                option.label = translate(option.label)
        case ui.TextDisplay():
            item.content = translate(item.content)
        case ui.Label():
            item.text = translate(item.text)
            item.description = item.description and translate(item.description)
            _translate_item(item.component, translate)


def _label(label: str, translate: Translate) -> str:
    """Translate a button's label: its words, and the number of a picture stays behind them."""
    words, _, number = label.rpartition(" ")
    return f"{translate(words)} {number}" if words and number.isdigit() else translate(label)
