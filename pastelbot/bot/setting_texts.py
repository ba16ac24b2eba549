"""What people read about settings and presets, as pure functions."""

from collections.abc import Mapping, Sequence

from discord.utils import escape_markdown, escape_mentions

from pastelbot.config import Settings
from pastelbot.drafting import Wish
from pastelbot.service.preferences import Customs
from pastelbot.store.presets import Preset

_CONTENT = 1900
_VALUE = 160


def settings_text(customs: Customs, settings: Settings) -> str:
    """List what is used where nothing is typed, and who set it."""
    levels = (("you", customs.own), ("this channel", customs.channel), ("this server", customs.server))
    merged = customs.merged.known()
    rows = []
    for name, usual in _usual(settings).items():
        if name not in merged or (name == "hires" and "hires_scale" in merged):
            scale = merged.get("hires_scale") if name == "hires" and merged.get("hires") else None
            value: object = usual if scale is None else f"{scale}x"
            setter = _setter("hires_scale", levels) if scale is not None else None
            if name == "hires" and merged.get("hires") is False:
                value, setter = False, _setter("hires", levels)
        else:
            value, setter = merged[name], _setter(name, levels)
        rows.append(f"- `{name}` {_shown(value)}" + (f" — set by {setter}" if setter else ""))
    rows += house_rows(customs)
    return "**Where you type nothing:**\n" + "\n".join(rows)[:_CONTENT]


def house_rows(customs: Customs) -> list[str]:
    """List what the server puts around prompts."""
    texts = (("prefix", customs.prefix), ("suffix", customs.suffix))
    return [f"- `{name}` {_shown(text)} — set by this server" for name, text in texts if text]


def house_text(customs: Customs) -> str:
    """Say what the server puts around prompts now."""
    rows = house_rows(customs)
    return "Around every prompt here:\n" + "\n".join(rows) if rows else "Nothing goes around prompts here any more."


def presets_text(presets: Sequence[Preset]) -> str:
    """List presets with what they say, the person's own first."""
    if not presets:
        return "You have no presets yet: save one with /prompt save, or with Apps > Save prompt on a picture."
    lines = []
    for preset in presets:
        whose = " — this server's" if preset.is_shared else ""
        lines.append(f"- **{_safe(preset.name)}**{whose}: {values_text(preset.values)}")
    shown, length = [], 0
    for line in lines:
        length += len(line) + 1
        if length > _CONTENT - 30:
            break
        shown.append(line)
    if len(shown) < len(lines):
        shown.append(f"… and {len(lines) - len(shown)} more")
    return "\n".join(shown)


def values_text(values: Mapping[str, object]) -> str:
    """Write a preset's values in one line."""
    prompt = [_shown(values["prompt"])] if "prompt" in values else []
    others = [f"`{name}` {_shown(value, 40)}" for name, value in values.items() if name != "prompt"]
    return " · ".join([*prompt, *others])


def _usual(settings: Settings) -> dict[str, object]:
    usual = settings.defaults
    return {
        "negative": usual.negative_prompt,
        "size": usual.size,
        "steps": usual.steps,
        "cfg": usual.cfg,
        "sampler": usual.sampler,
        "schedule": "the sampler's own",
        "clip_skip": usual.clip_skip,
        "hires": usual.hires,
        "denoise": usual.denoising_strength,
        "count": 1,
        "checkpoint": "the usual one",
        "vae": "the checkpoint's own",
        "style": False,
        "spoiler": False,
        "private": False,
    }


def _setter(name: str, levels: Sequence[tuple[str, Wish]]) -> str | None:
    return next((who for who, wish in levels if name in wish.known()), None)


def _shown(value: object, length: int = _VALUE) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    text = _safe(f"{value:g}" if isinstance(value, float) else str(value))
    return text if len(text) <= length else f"{text[: length - 1].rstrip(chr(92))}…"


def _safe(text: str) -> str:
    return escape_mentions(escape_markdown(" ".join(text.split())))
