"""Presets: save, find, share, delete."""

import re
from collections.abc import Callable
from datetime import datetime

from pastelbot.choices import nearest_names
from pastelbot.config import Settings
from pastelbot.errors import LimitError, NotAllowedError, NotFoundError, RequestError
from pastelbot.options import GenerationOptions
from pastelbot.options.catalogue import BY_NAME, OPTIONS
from pastelbot.options.recreating import read_settings
from pastelbot.options.shipped_presets import SHIPPED_PRESETS, shipped_preset
from pastelbot.prompt.expansion import escape, unescape
from pastelbot.prompt.styles import PLACE, Style, read_styles, without_styles
from pastelbot.records import Actor, GenerationRequest
from pastelbot.service.access import AccessPolicy
from pastelbot.service.audit import AuditTrail
from pastelbot.store.presets import PERSONAL, Preset, PresetStore

LONGEST_NAME = 40
_NAME = re.compile(r"[^\W_](?:[\w '.+-]*[^\W_]|[^\W_]?)", re.UNICODE)

_NO_NAME = re.compile(r"[^\w '.+-]|_")
_SHARES = 5  # a member shares at most that part of what a server may have


class Presets:
    """Everybody's own presets and those of servers."""

    def __init__(
        self,
        settings: Settings,
        store: PresetStore,
        access: AccessPolicy,
        audit: AuditTrail,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._store = store
        self._access = access
        self._audit = audit
        self._clock = clock

    async def save(self, actor: Actor, name: str, options: GenerationOptions) -> bool:
        """Save options under a name for their user; return whether it replaced another. Raises RequestError."""
        values = {key: value for key, value in options.set_fields().items() if BY_NAME[key].in_presets}
        if not values:
            raise RequestError("There is nothing to save: name at least one setting, or a prompt.")
        preset = Preset(
            owner_id=actor.user_id, guild_id=PERSONAL, name=_checked_name(name), values=values, saved_at=self._clock()
        )
        return await self._store.save(preset, limit=self._settings.limits.max_presets)

    async def usable(self, actor: Actor) -> list[Preset]:
        """Return what the person may use here: their own, then the server's."""
        shared = await self._store.shared(actor.guild_id) if actor.guild_id is not None else []
        return [*await self._store.personal(actor.user_id), *shared]

    async def settings_of(self, actor: Actor, name: str) -> GenerationOptions:
        """Return the settings of a preset that the person may use here, those that every bot has last.

        Raises NotFoundError with the nearest.
        """
        usable = await self.usable(actor)
        wanted = name.strip().casefold()
        found = next((preset for preset in usable if preset.name.casefold() == wanted), None)
        if found is not None:
            return GenerationOptions.of(found.values)
        shipped = shipped_preset(name)
        if shipped is not None:
            return shipped
        names = dict.fromkeys([*(preset.name for preset in usable), *SHIPPED_PRESETS])
        raise NotFoundError(f"There is no preset {name[:60]!r}. {nearest_names(name[:60], list(names))[:500]}")

    async def names(self, actor: Actor) -> list[str]:
        """Return the names of all presets that the person may use here, those that every bot has last."""
        return [*(preset.name for preset in await self.usable(actor)), *SHIPPED_PRESETS]

    async def find(self, actor: Actor, name: str, *, shared: bool | None = None) -> Preset:
        """Return the preset of that name, one's own before the server's; raises NotFoundError with the nearest."""
        usable = [preset for preset in await self.usable(actor) if shared is None or preset.is_shared == shared]
        wanted = name.strip().casefold()
        found = next((preset for preset in usable if preset.name.casefold() == wanted), None)
        if found is not None:
            return found
        if not usable:
            raise NotFoundError(f"There is no preset {name[:60]!r}: you have none yet. Save one with /prompt save.")
        names = list(dict.fromkeys(preset.name for preset in usable))
        raise NotFoundError(f"There is no preset {name[:60]!r}. {nearest_names(name[:60], names)[:500]}")

    async def share(self, actor: Actor, name: str) -> Preset:
        """Let all users of the server use a copy of one's own preset; raises RequestError."""
        if actor.guild_id is None:
            raise RequestError("There is no server here to share it with: do this in a server's channel.")
        await self._access.check_block(actor)
        own = await self.find(actor, name, shared=False)
        for other in await self._store.shared(actor.guild_id):
            if other.name.casefold() == own.name.casefold() and other.owner_id != actor.user_id:
                raise NotAllowedError(
                    f"This server has a preset {own.name!r} of another user already: save yours under another name."
                )
        copy = Preset(
            owner_id=actor.user_id,
            guild_id=actor.guild_id,
            name=own.name,
            values=own.values,
            saved_at=self._clock(),
        )
        most = self._settings.limits.max_presets
        moderates = actor.manages_messages or actor.manages_server
        await self._store.save(copy, limit=most, of_one=None if moderates else max(1, most // _SHARES))
        return copy

    async def import_styles(self, actor: Actor, text: str) -> tuple[list[str], list[str]]:
        """Make presets of the server of a webui's styles.csv; return those made, and the names that had no place.

        Moderators may. A style's name loses the signs that preset's names do not have. Raises RequestError.
        """
        if actor.guild_id is None:
            raise RequestError("There is no server here to share it with: do this in a server's channel.")
        if not (actor.manages_messages or actor.manages_server):
            raise NotAllowedError("Importing styles needs the permission Manage Messages: all of the server gets them.")
        made, left_out = [], []
        for style in read_styles(text):
            name = " ".join(_NO_NAME.sub(" ", style.name).split())[:LONGEST_NAME].strip("_ '.+-")
            preset = Preset(
                owner_id=actor.user_id,
                guild_id=actor.guild_id,
                name=name,
                values=_values_of(style),
                saved_at=self._clock(),
            )
            try:
                await self._store.save(preset, limit=self._settings.limits.max_presets if name else 0)
                made.append(name)
            except LimitError:
                left_out.append(style.name)
        await self._audit.record(actor, "preset", detail=f"styles.csv: {', '.join(made)[:200]}")
        return made, left_out

    async def around(self, actor: Actor, request: GenerationRequest) -> list[str]:
        """Return the server's presets that a request's prompts are inside of, as the webui finds styles."""
        shared = await self._store.shared(actor.guild_id) if actor.guild_id is not None else []
        styles = [Style(preset.name, *map(unescape, _texts_of(preset))) for preset in shared]
        placed = [style for style in styles if PLACE in style.prompt or PLACE in style.negative_prompt]
        return list(without_styles(request.prompt, request.negative_prompt, placed).names)

    async def delete(self, actor: Actor, name: str, *, shared: bool) -> Preset:
        """Remove one's own preset, or a shared one: its owner and moderators may. Raises RequestError."""
        preset = await self.find(actor, name, shared=shared)
        if preset.owner_id != actor.user_id and not (actor.manages_messages or actor.manages_server):
            raise NotAllowedError("This is another user's preset: its owner and moderators can delete it.")
        await self._store.delete(preset)
        if preset.owner_id != actor.user_id:
            await self._audit.record(actor, "preset", target_id=preset.owner_id or None, detail=preset.name)
        return preset


def _values_of(style: Style) -> dict[str, object]:
    """Return a style as a preset's options: what is around a prompt, and around the negative prompt."""
    texts = {"prompt": style.prompt, "avoid": style.negative_prompt}
    placed = {key: text if PLACE in text else f"{PLACE}, {text}" for key, text in texts.items() if text.strip()}
    values: dict[str, object] = {key: escape(text) for key, text in placed.items()}
    if "prompt" in values:  # where the prompt goes is looked for before braces are read
        values["prompt"] = PLACE.join(map(escape, placed["prompt"].split(PLACE)))
    return values


def _texts_of(preset: Preset) -> tuple[str, str]:
    return str(preset.values.get("prompt") or ""), str(preset.values.get("avoid") or "")


def _checked_name(name: str) -> str:
    """Return a preset's name as it is kept; raises RequestError for what is none."""
    word = " ".join(name.split())
    if len(word) > LONGEST_NAME:
        raise LimitError(f"The name has {len(word)} characters; the limit is {LONGEST_NAME}.")
    if _NAME.fullmatch(word) is None:
        raise RequestError(
            f"{word[:60]!r} is not a valid preset name: use letters and digits, with blanks, hyphens, dots, "
            "apostrophes or underscores between them."
        )
    return word


def options_in(infotext: str) -> GenerationOptions:
    """Return the options that an infotext means, with its seed; raises RequestError for what is none."""
    return options_of(read_settings(infotext).request, keep_seed=True)


def options_of(request: GenerationRequest, *, keep_seed: bool) -> GenerationOptions:
    """Return options that give all settings of a finished request again."""
    values = {option.name: option.of_request(request) for option in OPTIONS if option.in_presets}
    return GenerationOptions.of(values if keep_seed else {**values, "seed": None})
