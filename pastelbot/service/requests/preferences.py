"""What people, channels and servers have set for drawing: the defaults below what is typed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pastelbot.config import LimitSettings
from pastelbot.errors import LimitError, NotAllowedError, PromptError, RequestError
from pastelbot.options import Wish
from pastelbot.prompt import check
from pastelbot.records import Asker
from pastelbot.service.access import House
from pastelbot.store.settings import Scope, SettingsStore, Value

# What can be set beforehand; the rest belongs to one picture.
DRAWING = (
    "negative",
    "size",
    "steps",
    "cfg",
    "sampler",
    "schedule",
    "clip_skip",
    "hires",
    "hires_scale",
    "denoise",
    "count",
    "checkpoint",
    "vae",
    "style",
    "spoiler",
    "private",
)
HOUSE_TEXTS = ("prefix", "suffix")
LONGEST_HOUSE_TEXT = 1000
_DRAW = "draw."
_HOUSE = "house."


@dataclass(frozen=True, kw_only=True)
class Customs:
    """What was set for whoever asks here, `own` counting most, and the server's texts around every prompt."""

    own: Wish
    channel: Wish
    server: Wish
    prefix: str = ""
    suffix: str = ""

    @property
    def merged(self) -> Wish:
        """Return all levels as one."""
        return self.own.over(self.channel).over(self.server)


class Preferences:
    """Reads and changes them; values are checked by whoever can draft a request of them.

    What is changed for everybody in a channel or a server is written down in the server's log.
    """

    def __init__(self, store: SettingsStore, house: House) -> None:
        self._store = store
        self._house = house

    async def customs(self, asker: Asker) -> Customs:
        """Return what holds for this person here."""
        own = await self._store.all(Scope.USER, asker.user_id)
        channel = await self._store.all(Scope.CHANNEL, asker.channel_id) if asker.channel_id is not None else {}
        server = await self._store.all(Scope.GUILD, asker.guild_id) if asker.guild_id is not None else {}
        return Customs(
            own=_wish(own),
            channel=_wish(channel),
            server=_wish(server),
            prefix=str(server.get(f"{_HOUSE}prefix", "")),
            suffix=str(server.get(f"{_HOUSE}suffix", "")),
        )

    async def change(self, asker: Asker, scope: Scope, wish: Wish, house: Mapping[str, str]) -> None:
        """Set what the wish names, and the house's texts; an empty text removes one. Raises NotAllowedError."""
        changes: dict[str, Value] = {f"{_DRAW}{name}": _value(wish, name) for name in DRAWING if name in wish.known()}
        if wish.hires is not None:
            changes[f"{_DRAW}hires_scale"] = wish.hires_scale
        if wish.sampler is not None and wish.schedule is None:
            changes[f"{_DRAW}schedule"] = None
        changes |= {f"{_HOUSE}{name}": text.strip() or None for name, text in house.items()}
        await self._store.update(scope, owner_of(asker, scope), changes)
        named = {**{name: value for name, value in wish.known().items() if name in DRAWING}, **house}
        await self._write_down(asker, scope, ", ".join(f"{name} {value}" for name, value in named.items()))

    async def reset(self, asker: Asker, scope: Scope, names: Sequence[str]) -> None:
        """Forget the named settings, all of them where none is named."""
        wanted = names or (*DRAWING, *HOUSE_TEXTS)
        if "hires" in wanted:
            wanted = (*wanted, "hires_scale")
        keys = [f"{_HOUSE if name in HOUSE_TEXTS else _DRAW}{name}" for name in wanted]
        await self._store.update(scope, owner_of(asker, scope), dict.fromkeys(keys))
        await self._write_down(asker, scope, f"reset {', '.join(names)}".strip())

    async def _write_down(self, asker: Asker, scope: Scope, detail: str) -> None:
        if scope is not Scope.USER:
            await self._house.write_down(asker, f"{scope} settings", detail=detail)


def owner_of(asker: Asker, scope: Scope) -> int:
    """Return whose settings are meant; raises NotAllowedError where the person may not change them."""
    if scope is Scope.USER:
        return asker.user_id
    owner = asker.channel_id if scope is Scope.CHANNEL else asker.guild_id
    if asker.guild_id is None or owner is None:
        raise RequestError("There is no server here: this works in a server's channels.")
    if not asker.manages_server:
        raise NotAllowedError("The settings of channels and servers are for those who may manage the server.")
    return owner


def check_house_text(name: str, text: str, limits: LimitSettings) -> None:
    """Raise RequestError where a text cannot stand around every prompt."""
    cap = min(LONGEST_HOUSE_TEXT, limits.max_prompt // 2)
    if len(text) > cap:
        raise LimitError(f"The {name} has {len(text):,} characters; the limit is {cap:,}. Leave something out.")
    try:
        check(text)
    except PromptError as error:
        raise PromptError(f"The {name} cannot be read: {error}", position=error.position) from error


def _wish(stored: Mapping[str, Value]) -> Wish:
    return Wish.of({name: stored[f"{_DRAW}{name}"] for name in DRAWING if f"{_DRAW}{name}" in stored})


def _value(wish: Wish, name: str) -> Value:
    value: Value = getattr(wish, name)
    return value
