"""Submission from the page: the same building, checking, asking and charging as of the bot's commands."""

from pastelbot.errors import NotFoundError
from pastelbot.options import GenerationOptions
from pastelbot.prompt.tags.completion import without_arrows
from pastelbot.records import ON_PAGE, Grid, ReplyTarget
from pastelbot.service.page.sign_in import Visitor
from pastelbot.service.rates import Kind
from pastelbot.service.requests.checking import Checked
from pastelbot.service.requests.plans import fitting, needs_answer, plan_of
from pastelbot.service.services import Services
from pastelbot.store.confirmations import Plan

_GONE = "This was answered already, or too long ago: press Paint again."


async def paint(
    services: Services, visitor: Visitor, options: GenerationOptions, *, locale: str, grid: Grid | None = None
) -> tuple[str, Plan] | None:
    """Queue what was asked for; raises RequestError, and then nothing was charged.

    A grid, several jobs and far too large pictures are asked about first: then return the question's id and the plan.
    """
    services.rates.spend(visitor.actor.user_id, Kind.COMMAND)
    prompt = None if options.prompt is None else without_arrows(options.prompt)
    checked = await services.builder.build(visitor.actor, options.replace(prompt=prompt), grid=grid)
    if grid is None and not needs_answer(checked, services.settings):
        await submit(services, visitor, checked, locale=locale)
        return None
    plan = plan_of(checked)
    return await services.confirmations.add(plan, now=services.clock()), plan


async def answer(services: Services, visitor: Visitor, plan_id: str, *, said: str, locale: str) -> bool:
    """Queue a plan where the user `said` "yes", or "fit" for smaller sizes; return whether anything was queued.

    Time has passed since the question, so all of it is checked again.
    """
    plan = await services.confirmations.take(plan_id, visitor.actor.user_id, now=services.clock())
    if plan is None:
        raise NotFoundError(_GONE)
    if said not in {"yes", "fit"}:
        return False
    try:
        if plan.guild_id != visitor.actor.guild_id:
            raise NotFoundError("This was asked in another server: answer it there.")
        wanted = fitting(plan, services.settings) if said == "fit" else plan
        checked = await services.checker.check(visitor.actor, wanted.requests, wanted.options)
        await submit(services, visitor, checked, locale=locale)
    except Exception:
        await services.confirmations.put_back(plan_id, plan, now=services.clock())
        raise
    return True


async def submit(services: Services, visitor: Visitor, checked: Checked, *, locale: str) -> int:
    """Queue checked requests of a user of the page and return the number of jobs; raises RequestError."""
    target = ReplyTarget(channel_id=ON_PAGE, guild_id=visitor.actor.guild_id)
    shown = checked.shown(locale=locale, home_channel_id=visitor.actor.channel_id)
    queued = await services.jobs.submit(shown, [target] * len(checked.requests))
    services.page_jobs.changed(visitor.actor.user_id)
    return len(queued)
