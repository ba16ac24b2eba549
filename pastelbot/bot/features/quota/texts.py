"""Texts about quotas, as pure functions."""

from pastelbot.bot.plain_text import plain
from pastelbot.rules import cost
from pastelbot.service.quotas import Quota
from pastelbot.store.quotas import Allowance, Grant

_REASON = 100


def quota_text(quota: Quota) -> str:
    """Describe a user's quota: what is left, what is reserved, and when it renews."""
    state = quota.state
    lines = [_left(quota)]
    if state.reserved:
        reserved = cost.in_pictures(state.reserved, quota.default)
        lines.append(f"- Reserved for queued pictures: {reserved}; what is not painted comes back.")
    if quota.limited:
        if state.balance.extra:
            granted = cost.in_pictures(state.balance.extra, quota.default)
            lines.append(f"- Granted to you, and used last: {granted}.")
        lines.append(_refill(quota))
    lines += [f"- {_grant_text(grant, quota.default)}" for grant in state.grants]
    lines.append(_details(quota))
    return "\n".join(lines)


def allowance_text(allowance: Allowance) -> str:
    """Describe a user's daily allowance."""
    return f"{cost.text(allowance.per_day)} a day" if allowance.per_day else "no limit"


def _grant_text(grant: Grant, usual: int) -> str:
    """Say who granted how much when and why."""
    reason = f": {plain(grant.reason)[:_REASON]}" if grant.reason else ""
    when = f"<t:{int(grant.granted_at.timestamp())}:d>"
    return f"Granted by <@{grant.granted_by}> on {when}: {cost.in_pictures(grant.work, usual)}{reason}"


def _left(quota: Quota) -> str:
    used = cost.in_pictures(quota.state.used, quota.default)
    if not quota.limited:
        return f"There is no limit here. Used today: {used}."
    left = cost.in_pictures(quota.state.balance.left, quota.default)
    return f"You have **{left}** left. Used today: {used}."


def _details(quota: Quota) -> str:
    """Say in one small line what a usual picture is, and what is left in the unit that admins grant."""
    one, state = cost.text(quota.default), quota.state
    if not quota.limited:
        return f"-# A usual picture is one of the defaults: {one} (pixels times steps, in millions)."
    left = cost.text(state.balance.left)
    return f"-# A usual picture is one of the defaults: {one} (pixels times steps, in millions). Left: {left}."


def pictures_text(number: int) -> str:
    """Write a number of pictures."""
    return f"{number:,} picture{'s' * (number != 1)}"


def _refill(quota: Quota) -> str:
    state = quota.state
    a_day, saved = (cost.in_pictures(work, quota.default) for work in (state.allowance.per_day, state.allowance.saved))
    when = f"<t:{int(state.refills_at.timestamp())}:R>"
    if state.balance.rest >= state.allowance.saved > 0:
        return f"- That is as much as can be saved up; what you use comes back at {a_day} a day."
    return f"- You get {a_day} more {when}; what is not used is saved, up to {saved}."
