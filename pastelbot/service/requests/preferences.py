"""Preferences: the saved defaults of users, channels and servers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pastelbot.config import LimitSettings
from pastelbot.errors import LimitError, NotAllowedError, PromptError, RequestError
from pastelbot.options import GenerationOptions
from pastelbot.options.catalogue import BY_NAME, OPTIONS, SAVED
from pastelbot.prompt import check
from pastelbot.records import Actor
from pastelbot.service.audit import AuditTrail
from pastelbot.store.settings import Scope, SettingsStore, Value

PROMPT_AFFIXES = ("prefix", "suffix")
_LONGEST_AFFIX = 1000
_DRAW = "draw."
_AFFIX = "house."
_TIP = "tip."


@dataclass(frozen=True, kw_only=True)
class EffectiveDefaults:
    """The settings that apply to an actor here, `own` taking precedence, and the server's texts around every prompt."""

    own: GenerationOptions
    channel: GenerationOptions
    server: GenerationOptions
    prefix: str = ""
    suffix: str = ""

    @property
    def merged(self) -> GenerationOptions:
        """Return all levels as one."""
        return self.own.merged_over(self.channel).merged_over(self.server)


def prompt_affixes(server: Mapping[str, Value]) -> tuple[str, str]:
    """Return the texts in front of and behind every prompt of a server."""
    prefix, suffix = (str(server.get(f"{_AFFIX}{name}", "")) for name in PROMPT_AFFIXES)
    return prefix, suffix


class Preferences:
    """Reads and changes them; values are checked by the caller that can build a request of them.

    What is changed for a whole channel or server is recorded in the server's log.
    """

    def __init__(self, store: SettingsStore, audit: AuditTrail) -> None:
        self._store = store
        self._audit = audit

    async def is_first(self, user_id: int, tip: str) -> bool:
        """Return whether a user has not been given a tip yet; they have from now on."""
        name = f"{_TIP}{tip}"
        if name in await self._store.all(Scope.USER, user_id):
            return False
        await self._store.update(Scope.USER, user_id, {name: True})
        return True

    async def effective_defaults(self, actor: Actor) -> EffectiveDefaults:
        """Return what holds for this person here."""
        owners = {Scope.USER: actor.user_id, Scope.CHANNEL: actor.channel_id, Scope.GUILD: actor.guild_id}
        wanted = {scope: [owner_id] for scope, owner_id in owners.items() if owner_id is not None}
        found = await self._store.together(wanted)
        own, channel, server = (found.get(scope, {}).get(owner_id or 0, {}) for scope, owner_id in owners.items())
        prefix, suffix = prompt_affixes(server)
        return EffectiveDefaults(
            own=_options(own),
            channel=_options(channel),
            server=_options(server),
            prefix=prefix,
            suffix=suffix,
        )

    async def change(self, actor: Actor, scope: Scope, options: GenerationOptions, access: Mapping[str, str]) -> None:
        """Set the given options and the server's texts; an empty text removes one. Raises NotAllowedError."""
        changes: dict[str, Value] = {
            f"{_DRAW}{name}": _value(options, name) for name in SAVED if name in options.set_fields()
        }
        for name in options.set_fields():  # what a new value makes meaningless goes
            for superseded in BY_NAME[name].supersedes:
                if superseded in SAVED:
                    changes.setdefault(f"{_DRAW}{superseded}", None)
        changes |= {f"{_AFFIX}{name}": text.strip() or None for name, text in access.items()}
        await self._store.update(scope, owner_of(actor, scope), changes)
        named = {**{name: value for name, value in options.set_fields().items() if name in SAVED}, **access}
        await self._record(actor, scope, ", ".join(f"{name} {value}" for name, value in named.items()))

    async def reset(self, actor: Actor, scope: Scope, names: Sequence[str]) -> None:
        """Forget the named settings, all of them where none is named."""
        wanted = names or (*SAVED, *PROMPT_AFFIXES)
        wanted = (*wanted, *(option.name for option in OPTIONS if option.part_of in wanted))
        keys = [f"{_AFFIX if name in PROMPT_AFFIXES else _DRAW}{name}" for name in wanted]
        await self._store.update(scope, owner_of(actor, scope), dict.fromkeys(keys))
        await self._record(actor, scope, f"reset {', '.join(names)}".strip())

    async def _record(self, actor: Actor, scope: Scope, detail: str) -> None:
        if scope is not Scope.USER:
            await self._audit.record(actor, f"{scope} settings", detail=detail)


def owner_of(actor: Actor, scope: Scope) -> int:
    """Return whose settings are meant; raises NotAllowedError where the person may not change them."""
    if scope is Scope.USER:
        return actor.user_id
    owner = actor.channel_id if scope is Scope.CHANNEL else actor.guild_id
    if actor.guild_id is None or owner is None:
        raise RequestError("There is no server here: this works in a server's channels.")
    if not actor.manages_server:
        raise NotAllowedError("The settings of channels and servers are for those who may manage the server.")
    return owner


def check_affix(name: str, text: str, limits: LimitSettings) -> None:
    """Raise RequestError where a text cannot stand around every prompt."""
    cap = min(_LONGEST_AFFIX, limits.max_prompt // 2)
    if len(text) > cap:
        raise LimitError(f"The {name} has {len(text):,} characters; the limit is {cap:,}. Leave something out.")
    try:
        check(text)
    except PromptError as error:
        raise PromptError(f"The {name} cannot be read: {error}", position=error.position) from error


def _options(stored: Mapping[str, Value]) -> GenerationOptions:
    return GenerationOptions.of({name: stored[f"{_DRAW}{name}"] for name in SAVED if f"{_DRAW}{name}" in stored})


def _value(options: GenerationOptions, name: str) -> Value:
    value: Value = getattr(options, name)
    return value
