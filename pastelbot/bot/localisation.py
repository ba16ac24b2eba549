"""Where the bot's words become another language."""

from typing import Any

import discord
from discord import app_commands

from pastelbot.languages import Languages


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


def in_their_words(interaction: discord.Interaction[Any], text: str) -> str:
    """Return a text in the language of whoever asks."""
    languages: Languages = interaction.client.languages
    return languages.translate(text, str(interaction.locale))
