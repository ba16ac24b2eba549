"""Actions of the job buttons: each gets the job, and the index of its picture."""

import contextlib
import io
from collections.abc import Awaitable, Callable, Mapping, Sequence

import discord

from pastelbot.bot.checks import actor_of
from pastelbot.bot.components.direct_messages import actor_for, notify_author
from pastelbot.bot.components.modals import EditModal, SeedModal
from pastelbot.bot.components.queueing import children, paint, submit
from pastelbot.bot.components.tag_suggestions import corrected
from pastelbot.bot.context import Interaction
from pastelbot.bot.responses import defer, is_on_private_message, open_modal
from pastelbot.errors import NotFoundError
from pastelbot.options import GenerationOptions
from pastelbot.records import GenerationRequest, Job
from pastelbot.service.requests.submission import random_seed

Action = Callable[[Interaction, Job, int], Awaitable[str | None]]  # returns what is to be said, if anything

# Actions of a job's owner, and of moderators: these need not see a picture to take it away.
OWN = frozenset({"share", "unshare", "cancel", "delete", "remove"})

# What paints, or opens a form that does.
PAINTING = frozenset(
    {"reroll", "seed", "edit", "corrected", "vary", "subtle", "strong", "hires", "faithful", "creative"}
)

STRENGTHS = {"subtle": 0.1, "strong": 0.3}
_FAITHFUL = 0.35  # denoising strength of a hires pass that keeps faces and shapes

_CONTENT = 2000


async def _reroll(interaction: Interaction, job: Job, _index: int) -> None:
    """Paint the same with a new seed, and no variation of it."""
    await _paint_child(
        interaction, job, job.request.replace(seed=random_seed(), subseed=0, subseed_strength=0.0), "reroll"
    )


async def _ask_seed(interaction: Interaction, job: Job, _index: int) -> None:
    """Ask for a seed."""

    async def paint_it(answer: Interaction, options: GenerationOptions) -> None:
        seed = random_seed() if options.seed == -1 else options.seed
        await _paint_child(answer, job, job.request.replace(seed=seed), "seed")

    await open_modal(interaction, SeedModal(job.request, paint_it))


async def _edit(interaction: Interaction, job: Job, index: int) -> None:
    await ask_edit(interaction, job, index, title="Edit and paint again")


async def ask_edit(interaction: Interaction, job: Job, index: int, *, title: str) -> None:
    """Ask for another prompt and other settings; of several pictures with prompts of their own, for one."""
    base = job.request.alone(index) if job.request.prompts else job.request

    async def paint_it(answer: Interaction, options: GenerationOptions) -> None:
        actor = await actor_for(answer, job)
        changed = await answer.client.services.builder.change(actor, base, options, children(job, "edit"))
        await paint(answer, changed)

    await open_modal(interaction, EditModal(base, paint_it, title=title))


def _vary(strength: float) -> Action:
    """Return the action that paints a variation: the picture's noise, mixed with a little of another seed's."""

    async def paint_it(interaction: Interaction, job: Job, index: int) -> None:
        one = job.request.alone(index)
        await _paint_child(interaction, job, one.replace(subseed=random_seed(), subseed_strength=strength), "vary")

    return paint_it


def _hires(strength: float | None = None) -> Action:
    """Return the action that paints exactly this picture, and then its hires pass, of a strength or the usual one."""

    async def paint_it(interaction: Interaction, job: Job, index: int) -> None:
        actor = await actor_for(interaction, job)
        builder = interaction.client.services.builder
        large = await builder.enlarge(actor, job.request.alone(index), children(job, "hires"), strength=strength)
        await submit(interaction, large)

    return paint_it


async def _correct(interaction: Interaction, job: Job, _index: int) -> None:
    """Paint with the tags that were probably meant; a job that is not painted yet gives way to it, and is refunded."""
    services = interaction.client.services
    actor = await actor_for(interaction, job)
    found = await services.tags.suggestions(job.request.prompt, actor)
    if not found:
        raise NotFoundError("There is nothing to correct now: all tags are known.")
    await _paint_child(interaction, job, corrected(job.request, found), "corrected")
    if job.user_id == interaction.user.id:
        with contextlib.suppress(NotFoundError):  # it is painted
            await services.jobs.cancel(job.id, actor)


async def _paint_child(interaction: Interaction, job: Job, request: GenerationRequest, made_with: str) -> None:
    actor = await actor_for(interaction, job)
    options = children(job, made_with)
    await submit(interaction, await interaction.client.services.checker.check(actor, [request], options))


async def _infotext(interaction: Interaction, job: Job, _index: int) -> None:
    """Show the infotext, to copy it."""
    stored = await interaction.client.services.jobs.pictures(job.id)
    await show_infotexts(interaction, job.id, [picture.infotext for picture, _path in stored])


async def show_infotexts(interaction: Interaction, job_id: str, texts: Sequence[str]) -> None:
    """Show infotexts privately: long ones, and those that would end their block, as a file; raises NotFoundError."""
    if not texts:
        raise NotFoundError("The picture was deleted, and its infotext with it.")
    text = "\n\n".join(texts)
    block = f"```\n{text}\n```"
    if len(block) <= _CONTENT and "```" not in text:
        await interaction.response.send_message(block, ephemeral=True)
    else:
        file = discord.File(io.BytesIO(text.encode()), filename=f"infotext-{job_id}.txt")
        await interaction.response.send_message(file=file, ephemeral=True)


async def _share(interaction: Interaction, job: Job, index: int) -> str:
    """Put the picture into the server's gallery, for its author."""
    services = interaction.client.services
    entry = await services.gallery.share(actor_of(interaction), job.id, index)
    await defer(interaction, thinking=not is_on_private_message(interaction))
    return await interaction.client.posts.post(entry)


async def _unshare(interaction: Interaction, job: Job, index: int) -> str:
    """Take the picture out of the server's gallery again."""
    services = interaction.client.services
    entry_id = (await services.gallery.shared(job.id)).get(index)
    if entry_id is None:
        raise NotFoundError("This picture is no longer in the gallery.")
    await services.gallery.unshare(actor_of(interaction), entry_id)
    interaction.client.posts.wake()
    return "It is no longer in the gallery."


async def _cancel(interaction: Interaction, job: Job, _index: int) -> None:
    """End a job that is not finished; its message then says so."""
    service = interaction.client.services.jobs
    await service.cancel(job.id, actor_of(interaction))
    await interaction.response.defer()


async def _remove(interaction: Interaction, job: Job, _index: int) -> None:
    """Remove the pictures and the message."""
    services = interaction.client.services
    await services.jobs.delete(job.id, actor_of(interaction))
    interaction.client.messages.forget(job.id)
    try:
        await interaction.response.defer()
        await interaction.delete_original_response()
    finally:
        interaction.client.posts.wake()  # deletes what could not be deleted here, after a restart too
    await notify_author(interaction, job, "deleted your picture")


ACTIONS: Mapping[str, Action] = {
    "reroll": _reroll,
    "seed": _ask_seed,
    "edit": _edit,
    "corrected": _correct,
    **{name: _vary(strength) for name, strength in STRENGTHS.items()},
    "hires": _hires(),
    "faithful": _hires(_FAITHFUL),
    "creative": _hires(),
    "infotext": _infotext,
    "share": _share,
    "unshare": _unshare,
    "cancel": _cancel,
    "remove": _remove,
}
