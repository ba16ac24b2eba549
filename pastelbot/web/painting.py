"""Submission from the page: the same building, checking and charging as of the bot's commands."""

from pastelbot.options import GenerationOptions
from pastelbot.prompt.tags.completion import without_arrows
from pastelbot.records import ON_PAGE, Grid, ReplyTarget
from pastelbot.service.page.sign_in import Visitor
from pastelbot.service.rates import Kind
from pastelbot.service.requests.checking import Checked
from pastelbot.service.services import Services


async def paint(
    services: Services, visitor: Visitor, options: GenerationOptions, *, locale: str, grid: Grid | None = None
) -> int:
    """Queue what was asked for and return the number of jobs; raises RequestError, and then nothing was charged."""
    services.rates.spend(visitor.actor.user_id, Kind.COMMAND)
    prompt = None if options.prompt is None else without_arrows(options.prompt)
    checked = await services.builder.build(visitor.actor, options.replace(prompt=prompt), grid=grid)
    return await submit(services, visitor, checked, locale=locale)


async def submit(services: Services, visitor: Visitor, checked: Checked, *, locale: str) -> int:
    """Queue checked requests of a user of the page and return the number of jobs; raises RequestError."""
    target = ReplyTarget(channel_id=ON_PAGE, guild_id=visitor.actor.guild_id)
    shown = checked.shown(locale=locale, home_channel_id=visitor.actor.channel_id)
    queued = await services.jobs.submit(shown, [target] * len(checked.requests))
    services.page_jobs.changed(visitor.actor.user_id)
    return len(queued)
