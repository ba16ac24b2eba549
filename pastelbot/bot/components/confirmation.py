"""Confirmation before several jobs, before sizes far from what the checkpoint paints well, and of mistyped tags.

What is asked about lies in the database, so the buttons work after a restart, for as long as the question counts.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import discord

from pastelbot.bot import render
from pastelbot.bot.checks import is_outside, is_shared, reply_target
from pastelbot.bot.components import direct_messages
from pastelbot.bot.components.lasting_button import LastingButton
from pastelbot.bot.components.submitting import submit_jobs
from pastelbot.bot.components.tag_suggestions import certain_suggestions, corrected, suggestion_lines
from pastelbot.bot.context import Interaction
from pastelbot.bot.localisation import language_of
from pastelbot.bot.responses import answers_errors, defer, is_queued, replace_response, respond_ephemeral
from pastelbot.options.fitting import fitted, is_far_off
from pastelbot.records import Actor, GenerationRequest, JobOptions, ReplyTarget
from pastelbot.rules import cost
from pastelbot.service.requests.checking import Checked
from pastelbot.service.requests.plans import fitting, pictures_in, plan_of, price_of
from pastelbot.service.services import Services
from pastelbot.service.tags.dictionary import Suggestion
from pastelbot.store.confirmations import Plan

_SHOWN = 8
_TAG = 60  # characters of a tag on a button
_ANSWERS = {
    "yes": ("Paint", discord.ButtonStyle.success),
    "fit": ("Paint the size that fits", discord.ButtonStyle.success),
    "meant": ("Paint corrected", discord.ButtonStyle.success),
    "asked": ("Paint as asked", discord.ButtonStyle.secondary),
    "no": ("Cancel", discord.ButtonStyle.secondary),
}
_GONE = "This was answered already, or too long ago: type it again."


async def ask(interaction: Interaction, checked: Checked, mistyped: Sequence[Suggestion] = ()) -> None:
    """Ask whether all of it shall be painted; it is queued in one go when the answer is yes.

    `mistyped` are the tags that were probably meant.
    """
    services = interaction.client.services
    if not checked.options.private and not is_outside(interaction):
        reply_target(interaction)  # what the bot lacks here is said before anything is asked
    plan = plan_of(checked)
    number = await services.confirmations.add(plan, now=services.clock())
    far_off = [each for each in plan.requests if is_far_off(each, services.settings)]
    view = discord.ui.View(timeout=None)
    for answer in _answers(far_off=bool(far_off), mistyped=bool(mistyped)):
        view.add_item(PlanButton(answer, number, mistyped[0].meant if len(mistyped) == 1 else ""))
    lines = _size_question(services, far_off[0]) if far_off else suggestion_lines(mistyped)
    await respond_ephemeral(interaction, "\n".join([*lines, *_question(plan, services.quotas.default)]), view=view)


def _answers(*, far_off: bool, mistyped: bool) -> tuple[str, ...]:
    if far_off:
        return "fit", "asked", "no"
    return ("meant", "asked", "no") if mistyped else ("yes", "no")


def _size_question(services: Services, request: GenerationRequest) -> list[str]:
    """Say which size the checkpoint was made for and, where it is known, how long the requested one takes."""
    fit = fitted(request, services.settings)
    warning = (
        f"⚠️ **{request.width}x{request.height}** is far from the sizes that this checkpoint was made for, "
        f"so shapes come out wrong. **{fit.width}x{fit.height}** fits it."
    )
    seconds = services.dispatcher.seconds_for(cost.work(request))
    if seconds is None:
        return [warning]
    ready_at = discord.utils.format_dt(services.clock() + timedelta(seconds=seconds), "R")
    return [warning, f"-# As asked, it would be ready {ready_at} at the earliest."]


def _question(plan: Plan, usual: int) -> list[str]:
    """Say how many jobs there would be, how many pictures of `usual` work they cost, and how the prompts begin."""
    pictures, price = pictures_in(plan), price_of(plan, usual)
    jobs = f"{len(plan.requests)} job{'s' * (len(plan.requests) > 1)}"
    lines = [f"That is **{jobs}** with {pictures} picture{'s' * (pictures > 1)}, and costs {price}. Paint them?"]
    lines += [render.quote_of(request, 150) for request in plan.requests[:_SHOWN]]
    if len(plan.requests) > _SHOWN:
        lines.append(f"-# … and {len(plan.requests) - _SHOWN} more")
    return lines


class PlanButton(LastingButton, template=r"pb(?::|-)plan:(?P<answer>yes|no|fit|meant|asked):(?P<plan_id>[0-9a-f]{12})"):
    """An answer to a plan: yes (also `asked`), no, or yes in sizes that fit the checkpoint or with the tags meant."""

    def __init__(self, answer: str, plan_id: str, meant: str = "") -> None:
        label, style = _ANSWERS[answer]
        if answer == "meant" and meant:
            label = f'Paint as "{meant[:_TAG]}"'
        super().__init__(f"plan:{answer}:{plan_id}", label, style=style)
        self.answer = answer
        self.paints = True
        self.plan_id = plan_id

    @answers_errors
    async def callback(self, interaction: Interaction) -> None:
        """Queue the plan, or drop it; a second click finds it gone."""
        services = interaction.client.services
        plan = await services.confirmations.take(self.plan_id, interaction.user.id, now=services.clock())
        if plan is None:
            await replace_response(interaction, _GONE)
        elif self.answer == "no":
            await replace_response(interaction, "Nothing is painted, and nothing was charged.")
        else:
            await self._carry_out(interaction, plan)

    async def _carry_out(self, interaction: Interaction, plan: Plan) -> None:
        services = interaction.client.services
        wanted = plan
        if self.answer == "fit":
            wanted = fitting(plan, services.settings)
        elif self.answer == "meant":
            wanted = await _meant(interaction, plan)
        try:
            await defer(interaction, thinking=False)
            await _queue(interaction, wanted)
        except Exception:
            if not is_queued(interaction):
                await services.confirmations.put_back(self.plan_id, plan, now=services.clock())
            raise
        await replace_response(interaction, f"✅ {len(plan.requests)} queued.")


async def _meant(interaction: Interaction, plan: Plan) -> Plan:
    """Return a plan with the tags that were certainly meant."""
    found = await certain_suggestions(interaction, plan.requests[0].prompt)
    return replace(plan, requests=tuple(corrected(each, found) for each in plan.requests))


async def _queue(interaction: Interaction, plan: Plan) -> None:
    """Queue all of a plan's requests or, where one is refused, none; each gets a message of its own.

    Time has passed since the question, so all of it is checked again.
    """
    services, options = interaction.client.services, plan.options
    actor = await direct_messages.actor_at(interaction, plan.guild_id, options.home_channel_id)
    if is_shared(interaction):
        options = replace(options, home_channel_id=actor.channel_id if options.private else None)
    options = replace(options, locale=language_of(interaction, public=not options.private))
    if options.private:
        actor = services.access.in_messages(actor)
    checked = await services.checker.check(actor, plan.requests, options)
    targets: list[ReplyTarget] = []
    try:
        for _request in checked.requests:
            targets.append(await _target(interaction, actor, options))  # noqa: PERF401 - those sent are withdrawn
    except BaseException:
        for target in targets:
            await direct_messages.withdraw_message(interaction, target)
        raise
    queued = await submit_jobs(interaction, checked, targets)
    for each in queued:
        await interaction.client.messages.introduce(each, interaction)


async def _target(interaction: Interaction, actor: Actor, options: JobOptions) -> ReplyTarget:
    if options.private and is_shared(interaction):
        return await direct_messages.begin_message(interaction, actor)
    return await direct_messages.reply_target_for(interaction, actor)
