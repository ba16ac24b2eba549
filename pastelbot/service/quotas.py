"""Quotas: the allowance of each user, its balance, and what admins set and grant.

What a user gets follows from the access policy; a server's and a role's numbers are settings of them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from pastelbot.config import Settings
from pastelbot.errors import LimitError, NotAllowedError
from pastelbot.options import default_work
from pastelbot.records import Actor
from pastelbot.rules import cost
from pastelbot.service import server_rules
from pastelbot.service.access import AccessPolicy
from pastelbot.service.audit import AuditTrail
from pastelbot.store.quotas import Account, Allowance, Grant, QuotaState, QuotaStore
from pastelbot.store.settings import Scope, SettingsStore

MOST = 10_000_000  # megapixel-steps: beyond, a number is a mistake


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


class Quotas:
    """What users and admins can read of quotas, and set."""

    def __init__(
        self,
        settings: Settings,
        store: QuotaStore,
        servers: SettingsStore,
        access: AccessPolicy,
        audit: AuditTrail,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._audit = audit
        self._store = store
        self._servers = servers
        self._access = access
        self._clock = clock
        self.default = default_work(settings)

    async def state(self, actor: Actor) -> Quota:
        """Return how a person stands where they ask."""
        account = Account(user_id=actor.user_id, guild_id=actor.guild_id)
        allowance = await self._access.allowance(actor)
        return Quota(state=await self._store.state(account, allowance, self._clock()), default=self.default)

    async def set_server(self, by: Actor, work_per_day: float) -> Allowance:
        """Set what each user of a server gets a day; return what that comes to under the operator's cap."""
        _check(work_per_day)
        await self._servers.update(Scope.GUILD, _server(by), {server_rules.QUOTA: work_per_day})
        allowance = server_rules.combined_allowance(self._settings.quota, work_per_day, [])
        await self._audit.record(by, "quota server", detail=f"{work_per_day:g} {cost.UNIT} a day")
        return allowance

    async def set_role(self, by: Actor, role_id: int, work_per_day: float | None) -> Allowance:
        """Set what the users of a role get a day, or None to let the server's number count again."""
        _server(by)
        if work_per_day is not None:
            _check(work_per_day)
        await self._servers.update(Scope.ROLE, role_id, {server_rules.QUOTA: work_per_day})
        detail = "cleared" if work_per_day is None else f"{work_per_day:g} {cost.UNIT} a day"
        await self._audit.record(by, "quota role", target_id=role_id, detail=detail)
        return server_rules.combined_allowance(self._settings.quota, None, [work_per_day])

    async def grant(self, member: Actor, work: float, *, by: Actor, reason: str | None = None) -> Quota:
        """Give a person extra work in a server, once; it is used after the allowance."""
        server = _server(member)
        if work <= 0:
            raise LimitError(f"A grant of {work:g} is not possible: it must be more than 0.")
        _check(work)
        allowance = await self._access.allowance(member)
        given = Grant(
            work=cost.pixel_steps(work),
            granted_by=by.user_id,
            granted_at=self._clock(),
            reason=(reason or "").strip()[: server_rules.LONGEST_REASON] or None,
        )
        account = Account(user_id=member.user_id, guild_id=server)
        await self._store.grant(account, given, most_extra=allowance.most_extra)
        detail = cost.text(given.work) + (f": {given.reason}" if given.reason else "")
        await self._audit.record(by, "quota grant", target_id=member.user_id, detail=detail)
        return await self.state(member)


def _server(actor: Actor) -> int:
    if actor.guild_id is None:
        raise NotAllowedError("Quotas are set and granted in a server, and only there.")
    return actor.guild_id


def _check(work: float) -> None:
    if not 0 <= work <= MOST:
        raise LimitError(f"{work:g} is not a valid amount of work: it must be 0 to {MOST:,} {cost.UNIT}.")
