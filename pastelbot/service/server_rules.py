"""Server rules: moderators' settings as plain records, and how they combine."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pastelbot.config import LimitSettings, QuotaSettings
from pastelbot.rules import cost
from pastelbot.store.quotas import Allowance
from pastelbot.store.settings import Value

CHANNELS = "channels"
WORDS = "words"
ADULT_TAGS = "adult_tags"
MOD_CHANNEL = "mod_channel"
ADMIN_ROLE = "admin_role"
GALLERY_CHANNEL = "gallery_channel"
BEST_OF = "best_of"
QUOTA = "quota"  # megapixel-steps a day, of a server or a role; 0 is no limit

LONGEST_REASON = 200  # characters, of what a moderator says about a block or a grant

# What can be capped, by the operator's limit that it lowers.
CAPS = {"size": "max_side", "steps": "max_steps", "count": "max_count", "hires": "max_hires_side"}
NO_HIRES = 0


@dataclass(frozen=True, kw_only=True)
class Caps:
    """The most that may be asked for; None is no cap here. Sizes are pixels a side; `hires` 0 is no hires fix."""

    size: int | None = None
    steps: int | None = None
    count: int | None = None
    hires: int | None = None

    @classmethod
    def of(cls, settings: Mapping[str, Value]) -> "Caps":
        """Read the caps among the settings of a server, channel or role."""
        return cls(**{name: whole(settings.get(f"cap_{name}")) for name in CAPS})

    def changes(self) -> dict[str, Value]:
        """Return the settings that hold these caps."""
        return {f"cap_{name}": value for name, value in self.named().items()}

    def named(self) -> dict[str, int | None]:
        """Return the caps by name."""
        return {name: getattr(self, name) for name in CAPS}


def combined(server: Caps, roles: Iterable[Caps], places: Iterable[Caps], limits: LimitSettings) -> LimitSettings:
    """Return the limits of one person in one place.

    Of the caps of the person's roles the most generous one counts, in place of the server's. The tightest of that, the
    caps of the place and the operator's limits holds; nothing is ever above the operator's.
    """
    roles, places = list(roles), list(places)
    changed = {}
    for name, limit in CAPS.items():
        own = [cap for role in roles if (cap := getattr(role, name)) is not None]
        person = max(own) if own else getattr(server, name)
        here = [getattr(place, name) for place in places]
        changed[limit] = min(cap for cap in (person, *here, getattr(limits, limit)) if cap is not None)
    return limits.model_copy(update=changed)


def combined_allowance(quota: QuotaSettings, server: Value, roles: Iterable[Value]) -> Allowance:
    """Return the allowance that follows from what the operator, a server and a user's roles say.

    Where the user's roles say something, the most generous of them counts, otherwise what the server says, otherwise
    the operator's number. The operator's cap holds in any case.
    """
    said = [number for value in roles if (number := _work(value)) is not None]
    own = _work(server)
    per_day = _most(said) if said else quota.work_per_day if own is None else own
    cap = quota.max_work_per_day
    if cap:
        per_day = min(per_day or cap, cap)
    day = cost.pixel_steps(per_day)
    return Allowance(
        per_day=day, saved=int(day * quota.saved_days), most_extra=int(cost.pixel_steps(cap) * quota.saved_days)
    )


def answers_in(channels: Value, places: Iterable[int]) -> bool:
    """Return whether the bot answers in a place.

    `channels` is what was said about channels, categories and threads by id: "allow" or "deny". The nearest that
    anything was said about decides; elsewhere the bot answers unless something is allowed, which makes a list of it.
    """
    rules = channels if isinstance(channels, dict) else {}
    said = next((rules[str(place)] for place in places if str(place) in rules), None)
    return said == "allow" if said is not None else "allow" not in rules.values()


def allowed_places(channels: Value) -> list[int]:
    """Return the places that are allowed by name."""
    rules = channels if isinstance(channels, dict) else {}
    return [int(place) for place, said in rules.items() if said == "allow"]


def texts(value: Value) -> list[str]:
    """Return a setting that is a list of texts."""
    return [str(entry) for entry in value] if isinstance(value, list) else []


def whole(value: Value) -> int | None:
    """Return a setting that is a number, if it is one."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _most(said: list[float]) -> float:
    """Return the most generous number; 0 is no limit."""
    return 0.0 if 0 in said else max(said)


def _work(value: Value) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        return None
    return float(value)
