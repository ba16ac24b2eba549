"""Plans: what is asked about before it is queued, and what it would cost."""

from dataclasses import replace

from pastelbot.config import Settings
from pastelbot.options.fitting import fitted, is_far_off
from pastelbot.rules import cost, grids
from pastelbot.service.requests.checking import Checked
from pastelbot.store.confirmations import Plan


def needs_answer(checked: Checked, settings: Settings) -> bool:
    """Return whether a user is asked before these requests are queued."""
    return len(checked.requests) > 1 or is_far_off(checked.requests[0], settings)


def plan_of(checked: Checked) -> Plan:
    """Return the plan of requests that were checked; all of it is checked again when the answer is yes."""
    actor = checked.actor
    return Plan(user_id=actor.user_id, guild_id=actor.guild_id, requests=checked.requests, options=checked.options)


def pictures_in(plan: Plan) -> int:
    """Return how many pictures are painted."""
    return sum(len(grids.pictures_of(request)) * request.count for request in plan.requests)


def price_of(plan: Plan, usual: int) -> str:
    """Return what it costs, in pictures of `usual` work."""
    return cost.in_pictures(sum(map(cost.work, plan.requests)), usual, up=True)


def fitting(plan: Plan, settings: Settings) -> Plan:
    """Return a plan with sizes that fit the checkpoint in place of those far off."""
    requests = (fitted(each, settings) if is_far_off(each, settings) else each for each in plan.requests)
    return replace(plan, requests=tuple(requests))
