"""Use cases about quotas: what somebody may paint, what is left of it, and what admins set and grant.

A server's and a role's allowance is the setting `quota` of that server or role: a number of megapixel-steps a day, 0
for no limit.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from pastelbot.config import QuotaSettings, Settings
from pastelbot.errors import LimitError, NotAllowedError
from pastelbot.options import default_request
from pastelbot.records import Actor
from pastelbot.rules import cost
from pastelbot.store.audit import AuditEntry, AuditLog
from pastelbot.store.quotas import Account, Allowance, Grant, QuotaState, QuotaStore
from pastelbot.store.settings import Scope, SettingsStore, Value

QUOTA = "quota"
MOST = 10_000_000  # megapixel-steps: beyond, a number is a mistake
LONGEST_REASON = 200


@dataclass(frozen=True, kw_only=True)
class Quota:
    """How a person stands in a server, and the work of one usual picture there."""

    state: QuotaState
    default: int

    @property
    def limited(self) -> bool:
        """Return whether there is a limit."""
        return self.state.allowance.per_day > 0

    @property
    def pictures(self) -> int:
        """Return about how many usual pictures are left."""
        return self.state.balance.left // self.default


def combined(quota: QuotaSettings, server: Value, roles: list[Value]) -> Allowance:
    """Return the allowance that follows from what the operator, a server and somebody's roles say.

    Where the person's roles say something, the most generous of them counts, otherwise what the server says, otherwise
    the operator's number. The operator's cap holds in any case.
    """
    said = [number for value in roles if (number := _number(value)) is not None]
    own = _number(server)
    per_day = _most(said) if said else quota.work_per_day if own is None else own
    cap = quota.max_work_per_day
    if cap:
        per_day = min(per_day or cap, cap)
    day = cost.pixel_steps(per_day)
    return Allowance(
        per_day=day, saved=int(day * quota.saved_days), most_extra=int(cost.pixel_steps(cap) * quota.saved_days)
    )


async def allowance(quota: QuotaSettings, values: SettingsStore, actor: Actor) -> Allowance:
    """Return the allowance of a person where they ask."""
    if actor.guild_id is None:
        return combined(quota, None, [])
    roles = await values.each(Scope.ROLE, actor.role_ids) if actor.role_ids else {}
    server = await values.all(Scope.GUILD, actor.guild_id)
    return combined(quota, server.get(QUOTA), [settings.get(QUOTA) for settings in roles.values()])


class Quotas:
    """What people and admins can ask about quotas, and set."""

    def __init__(
        self,
        settings: Settings,
        store: QuotaStore,
        values: SettingsStore,
        audit: AuditLog,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._audit = audit
        self._store = store
        self._values = values
        self._clock = clock
        self.default = default_work(settings)

    async def state(self, actor: Actor) -> Quota:
        """Return how a person stands where they ask."""
        account = Account(user_id=actor.user_id, guild_id=actor.guild_id)
        effective = await allowance(self._settings.quota, self._values, actor)
        return Quota(state=await self._store.state(account, effective, self._clock()), default=self.default)

    async def set_server(self, by: Actor, work_per_day: float) -> Allowance:
        """Set what everybody in a server gets a day; return what that comes to under the operator's cap."""
        _check(work_per_day)
        await self._values.update(Scope.GUILD, _server(by), {QUOTA: work_per_day})
        allowance = combined(self._settings.quota, work_per_day, [])
        await self._record(by, "quota server", None, f"{work_per_day:g} {cost.UNIT} a day")
        return allowance

    async def set_role(self, by: Actor, role_id: int, work_per_day: float | None) -> Allowance:
        """Set what the people of a role get a day, or None to let the server's number count again."""
        _server(by)
        if work_per_day is not None:
            _check(work_per_day)
        await self._values.update(Scope.ROLE, role_id, {QUOTA: work_per_day})
        detail = "cleared" if work_per_day is None else f"{work_per_day:g} {cost.UNIT} a day"
        await self._record(by, "quota role", role_id, detail)
        return combined(self._settings.quota, None, [work_per_day])

    async def grant(self, member: Actor, work: float, *, by: Actor, reason: str | None = None) -> Quota:
        """Give a person extra work in a server, once; it is used after the allowance."""
        server = _server(member)
        if work <= 0:
            raise LimitError(f"A grant of {work:g} is not possible: it must be more than 0.")
        _check(work)
        effective = await allowance(self._settings.quota, self._values, member)
        given = Grant(
            work=cost.pixel_steps(work),
            granted_by=by.user_id,
            granted_at=self._clock(),
            reason=(reason or "").strip()[:LONGEST_REASON] or None,
        )
        account = Account(user_id=member.user_id, guild_id=server)
        await self._store.grant(account, given, most_extra=effective.most_extra)
        detail = cost.text(given.work) + (f": {given.reason}" if given.reason else "")
        await self._record(by, "quota grant", member.user_id, detail)
        return await self.state(member)

    async def _record(self, by: Actor, action: str, target_id: int | None, detail: str) -> None:
        entry = AuditEntry(
            at=self._clock(),
            guild_id=by.guild_id,
            user_id=by.user_id,
            action=action,
            target_id=target_id,
            detail=detail,
        )
        await self._audit.record(entry)


def default_work(settings: Settings) -> int:
    """Return the work of a picture of nothing but the operator's defaults."""
    return cost.work(default_request(settings, seed=0))


def _server(actor: Actor) -> int:
    if actor.guild_id is None:
        raise NotAllowedError("Quotas are set and granted in a server, and only there.")
    return actor.guild_id


def _check(work: float) -> None:
    if not 0 <= work <= MOST:
        raise LimitError(f"{work:g} is no amount of work: it must be 0 to {MOST:,} {cost.UNIT}.")


def _most(said: list[float]) -> float:
    """Return the most generous number; 0 is no limit."""
    return 0.0 if 0 in said else max(said)


def _number(value: Value) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        return None
    return float(value)
