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
        lines.append(f"- {cost.text(state.reserved)} are reserved for queued pictures; what is not painted comes back.")
    if quota.limited:
        if state.balance.extra:
            lines.append(f"- {cost.text(state.balance.extra)} of it were granted to you, and are used last.")
        lines.append(_refill(quota))
    lines += [f"- {_grant_text(grant)}" for grant in state.grants]
    return "\n".join(lines)


def allowance_text(allowance: Allowance) -> str:
    """Describe a user's daily allowance."""
    return f"{cost.text(allowance.per_day)} a day" if allowance.per_day else "no limit"


def _grant_text(grant: Grant) -> str:
    """Say who granted how much when and why."""
    reason = f": {plain(grant.reason)[:_REASON]}" if grant.reason else ""
    when = f"<t:{int(grant.granted_at.timestamp())}:d>"
    return f"{cost.text(grant.work)} were granted by <@{grant.granted_by}> on {when}{reason}"


def _left(quota: Quota) -> str:
    state = quota.state
    if not quota.limited:
        return f"There is no limit here. Today's pictures come to {cost.text(state.used)}."
    return (
        f"**{cost.text(state.balance.left)}** are left, about {pictures_text(quota.pictures)} "
        f"like the default ({cost.number(quota.default)} each). Today's pictures come to {cost.text(state.used)}."
    )


def pictures_text(number: int) -> str:
    """Write a number of pictures."""
    return f"{number:,} picture{'s' * (number != 1)}"


def _refill(quota: Quota) -> str:
    state = quota.state
    per_day, saved = state.allowance.per_day, state.allowance.saved
    when = f"<t:{int(state.refills_at.timestamp())}:R>"
    if state.balance.rest >= saved > 0:
        return f"- That is as much as can be saved up; what you use comes back at {cost.text(per_day)} a day."
    return f"- {cost.text(per_day)} more come {when}; unused work is saved, up to {cost.text(saved)}."
