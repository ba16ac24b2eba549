"""Texts about settings and presets, as pure functions."""

from collections.abc import Mapping, Sequence

from pastelbot.bot import render
from pastelbot.bot.plain_text import plain_line
from pastelbot.config import Settings
from pastelbot.options import GenerationOptions
from pastelbot.options.catalogue import BY_NAME, SETTINGS
from pastelbot.service.requests.preferences import EffectiveDefaults
from pastelbot.store.presets import Preset

_CONTENT = 1900
_VALUE = 160


def settings_text(defaults: EffectiveDefaults, settings: Settings) -> str:
    """List what is used where nothing is typed, and who set it."""
    levels = (("you", defaults.own), ("this channel", defaults.channel), ("this server", defaults.server))
    rows = []
    for name in SETTINGS:
        setter, options = next(
            ((who, options) for who, options in levels if name in options.set_fields()), (None, None)
        )
        row = _row(name, BY_NAME[name].default(settings) if options is None else _value(options, name))
        rows.append(f"- {row} — set by {setter}" if setter else f"- {row}")
    rows += _affix_rows(defaults)
    return "**Where you type nothing:**\n" + "\n".join(rows)[:_CONTENT]


def _affix_rows(defaults: EffectiveDefaults) -> list[str]:
    """List what the server puts around prompts."""
    texts = (("prefix", defaults.prefix), ("suffix", defaults.suffix))
    return [f"- {_row(name, text)} — set by this server" for name, text in texts if text]


def affixes_text(defaults: EffectiveDefaults) -> str:
    """Say what the server puts around prompts now."""
    rows = _affix_rows(defaults)
    return "Around every prompt here:\n" + "\n".join(rows) if rows else "Nothing goes around prompts here now."


def presets_text(presets: Sequence[Preset]) -> str:
    """List presets with what they say, the person's own first."""
    if not presets:
        return "You have no presets yet: save one with /prompt save, or with Apps > Save prompt on a picture."
    lines = []
    for preset in presets:
        name, values = plain_line(preset.name), values_text(preset.values)
        lines.append(
            f"- **{name}** (this server's): {values}" if preset.is_shared else f"- **{name}** (yours): {values}"
        )
    return render.fitted(lines)


def values_text(values: Mapping[str, object]) -> str:
    """Write a preset's values in one line."""
    prompt = [_shown(values["prompt"])] if "prompt" in values else []
    others = [f"`{name}` {_shown(value, 40)}" for name, value in values.items() if name != "prompt"]
    return " · ".join([*prompt, *others])


def _row(name: str, value: object) -> str:
    if value is None:
        return BY_NAME[name].left_out
    if isinstance(value, bool):
        return f"`{name}` on" if value else f"`{name}` off"
    return f"`{name}` {_shown(value)}"


def _value(options: GenerationOptions, name: str) -> object:
    """Return a setting as it is chosen: the hires fix with its scale."""
    if name == "hires" and options.hires and options.hires_scale is not None:
        return f"{options.hires_scale:g}x"
    return getattr(options, name)


def _shown(value: object, length: int = _VALUE) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return render.shortened(plain_line(f"{value:g}" if isinstance(value, float) else str(value)), length)
