"""Rendering of a job's message as text, as pure functions."""

import itertools
import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pastelbot.bot.plain_text import neutral, plain, plain_line, plain_sentence
from pastelbot.jobs.queue.scheduler import MOST_SHOWN_EXACTLY
from pastelbot.jobs.waiting_jobs import Overview
from pastelbot.records import Actor, Axis, BeingPainted, Ended, GenerationRequest, Grid, InLine, Job, JobStatus
from pastelbot.rules import cost, grids
from pastelbot.rules.hires import hires_size
from pastelbot.rules.visibility import may_see
from pastelbot.service.requests.submission import Queued
from pastelbot.service.services import Services

_CONTENT = 2000
_PROMPT = 350  # columns of a prompt in a message that has a picture or will have one, so that a phone shows both
_NUMBERED = 18  # columns that each of several prompts leaves free, as every one begins a row
_ROW = 30
_BAR = 12
_AVOIDED = 120
_VALUES = 120  # of a grid's axes, which the picture names whole
_NEARLY = 30  # seconds


_MADE_WITH = {
    "reroll": "reroll",
    "seed": "another seed",
    "edit": "edited",
    "corrected": "corrected",
    "vary": "variation",
    "hires": "hires",
    "remix": "remix",
}


@dataclass(frozen=True, kw_only=True)
class Usual:
    """What pictures are compared with: the negative prompt of the defaults, and the work of a picture of them."""

    negative: str
    work: int


def usual_of(services: Services) -> Usual:
    """Return what pictures are compared with in this bot."""
    return Usual(negative=services.settings.defaults.negative_prompt, work=services.quotas.default)


def announcement(queued: Queued, usual: Usual) -> str:
    """Say that a job was queued."""
    return _waiting_text(queued.job, queued.position, queued.ready_at, usual=usual, interruption=queued.interruption)


def _waiting_text(
    job: Job,
    position: int,
    ready_at: datetime | None = None,
    *,
    usual: Usual,
    paused: bool = False,
    interruption: str = "",
) -> str:
    """Say that the job waits, where, until when, and what it costs. A place over 10 is a rounded one.

    `interruption` says why nothing is painted now.
    """
    parts = []
    if position > 0:
        place = _ordinal(position)
        parts.append(f"about {place} in line" if position > MOST_SHOWN_EXACTLY else f"{place} in line")
    if paused:
        parts.append("and the bot is taking a break here")
    elif ready_at is not None:
        parts.append(f"ready <t:{math.ceil(ready_at.timestamp())}:R>")
    price = _price(job.request, usual)
    head = f"⏳ **Queued**, {', '.join(parts)}" if parts else "⏳ **Queued**"
    if interruption:
        head = f"{head}\n{interruption}\nIt goes on by itself when this is mended."
    return f"{head}\n{quote_of(job.request)}\n-# costs {price}"


def _price(request: GenerationRequest, usual: Usual) -> str:
    return cost.in_pictures(cost.work(request), usual.work, up=True)


def status_text(update: InLine | BeingPainted | Ended, usual: Usual) -> str:
    """Say how an unfinished job stands, or why it ended."""
    match update:
        case InLine():
            return _waiting_text(
                update.job,
                update.position,
                update.ready_at,
                usual=usual,
                paused=update.paused,
                interruption=update.interruption,
            )
        case BeingPainted():
            share = cost.share_done(update.job.request, update.step, update.steps)
            return f"{_progress_text(share)}\n{quote_of(update.job.request)}{_time_left(update.seconds_left)}"
        case Ended():
            return f"{_ending(update.job)}\n{quote_of(update.job.request)}"


def _time_left(seconds: float | None) -> str:
    """Say in minutes how long it still takes; the last half minute needs no number."""
    if seconds is None or seconds < _NEARLY:
        return ""
    return f"\n-# about {max(1, round(seconds / 60))} min left"


def _progress_text(share: float) -> str:
    """Draw a bar and a percentage of the work."""
    full = round(share * _BAR)
    return f"🎨 **Painting** `{'█' * full}{'░' * (_BAR - full)}` {share:.0%}"


def result_text(job: Job, seeds: Sequence[int], usual: Usual) -> str:
    """Say of what a picture is, whose and made how, and its settings; what it avoids, where that is not as usual."""
    settings = settings_line(job.request, seeds, job.seconds, usual=usual)
    prompt = _title(job.request)
    made_with = _MADE_WITH.get(job.options.made_with)
    title = f"**{prompt}** · <@{job.user_id}> ({made_with})" if made_with else f"**{prompt}** · <@{job.user_id}>"
    return f"{title}\n-# {settings}"[:_CONTENT]


def _title(request: GenerationRequest) -> str:
    """Return the prompt over a picture or, numbered below each other, those of several, to be shown in bold."""
    if not request.prompts:
        return _narrowed(plain_line(request.prompt), _PROMPT) or "…"
    lines = _each_prompt(request, _PROMPT)
    return "**\n**".join(f"{number}. {line}" for number, line in enumerate(lines, start=1))


def settings_line(
    request: GenerationRequest,
    seeds: Sequence[int],
    seconds: float | None = None,
    *,
    usual: Usual,
) -> str:
    """Write the settings in one small line: `seed 123 - 448x640 -> 960x1280 - DPM++ 2M Karras - ...`.

    What is avoided is there where it is not as usual.
    """
    size, steps = f"{request.width}x{request.height}", f"{request.steps}"
    hires = request.hires
    if hires is not None:
        width, height = hires_size(request.width, request.height, hires).picture
        size += f" → {width}x{height}"
        steps += f"+{hires.steps or request.steps}"
    parts = [
        f"seed{'s' * (len(seeds) > 1)} {', '.join(map(str, seeds))}",
        size,
        request.sampler if request.schedule == "Automatic" else f"{request.sampler} {request.schedule}",
        f"{steps} steps",
        f"CFG {request.cfg_scale:g}",
        f"clip skip {request.clip_skip}",
    ]
    if request.subseed_strength:
        parts.append(f"variation {request.subseed_strength:g} of seed {request.subseed}")
    if request.init is not None:
        parts.append(f"strength {request.init.denoising_strength:g}")
    parts += [plain(name) for name in (request.checkpoint, request.vae) if name]
    avoided = (_avoided(one.negative_prompt, usual.negative) for one in request.with_each_prompt())
    parts += dict.fromkeys(itertools.chain.from_iterable(avoided))
    if request.grid is not None:
        parts += _axes(request.grid)
    if seconds is not None:
        parts += [f"{seconds:.1f} s", f"cost {_price(request, usual)}"]
    return " · ".join(parts)


def _avoided(negative: str, usual: str) -> list[str]:
    """Say what is avoided where that is not as usual: only what was added, where the usual list follows it."""
    if negative == usual:
        return []
    added = negative.removesuffix(usual).rstrip(", ") if usual and negative.endswith(f", {usual}") else ""
    text = _narrowed(plain_line(added or negative), _AVOIDED)
    if not text:
        return ["avoids nothing"]
    return [f"without {text}" if added else f"avoids {text}"]


def _axes(grid: Grid) -> list[str]:
    """Say how large a grid is, and what changes in it."""
    rows = len(grid.y.values) if grid.y is not None else 1
    size = f"grid {len(grid.x.values)}x{rows}"
    if grid.y is None:
        return [size, f"columns: {_axis(grid.x, _VALUES)}"]
    return [size, f"columns: {_axis(grid.x, _VALUES // 2)}", f"rows: {_axis(grid.y, _VALUES // 2)}"]


def _axis(axis: Axis, columns: int) -> str:
    return f"{grids.KINDS[axis.kind].title} {_narrowed(plain_line(', '.join(axis.values)), columns)}"


def alt_text(request: GenerationRequest, seed: int) -> str:
    """Describe a picture for people who cannot see it; Discord allows 1,024 characters."""
    prompt = shortened(neutral(" ".join(request.prompt.split())), 970)
    return f"Painted picture of: {prompt} (seed {seed})"


def queue_text(overview: Overview, actor: Actor) -> str:
    """List the running and queued jobs; other users' jobs elsewhere stay anonymous."""
    running, queue = overview.running, overview.queue
    if not running and not queue and overview.unloaded:
        return "The queue is empty: your picture would be next, once the model is loaded again."
    if not running and not queue:
        return "The queue is empty: your picture would be next."
    rows = [_row("🎨", job, actor) for job in running]
    rows += [_row(f"`{place}.`", job, actor) for place, job in enumerate(queue, start=len(running) + 1)]
    shown = rows[:15]
    more = len(running) + overview.waiting - len(shown)
    if more > 0:
        shown.append(f"... and {more:,} more")
    return "\n".join(shown)[:_CONTENT]


def _ordinal(number: int) -> str:
    """Write 1st, 2nd, 3rd, 4th, 11th, 21st."""
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if number % 100 in (11, 12, 13) else ending}"


def quote(prompt: str, length: int = _PROMPT) -> str:
    """Quote a prompt on one line, so that nothing in it is markdown or a mention."""
    return f"> {_narrowed(plain_line(prompt), length)}"


def quote_of(request: GenerationRequest, length: int = _PROMPT) -> str:
    """Quote a request's prompt or, numbered below each other, those of its pictures."""
    if not request.prompts:
        return quote(request.prompt, length)
    lines = _each_prompt(request, length)
    return "\n".join(f"> **{number}** {line}" for number, line in enumerate(lines, start=1))


def _each_prompt(request: GenerationRequest, columns: int) -> list[str]:
    """Return the prompts of a request's pictures, each with its share of columns."""
    each = max(_ROW, columns // len(request.prompts) - _NUMBERED)
    return [_narrowed(plain_line(one.prompt), each) for one in request.prompts]


def _narrowed(text: str, columns: int) -> str:
    """Cut an escaped text to a width, with an ellipsis at its end; Japanese letters are two columns wide."""
    widths = itertools.accumulate(1 + (unicodedata.east_asian_width(letter) in "WF") for letter in text)
    return shortened(text, max(1, sum(width <= columns for width in widths)))


def _ending(job: Job) -> str:
    if job.status is JobStatus.CANCELLED:
        return "🚫 **Cancelled**, not charged."
    reason = plain_sentence(shortened(job.reason or "unknown reason", 600))
    return f"⚠️ **This could not be painted:** {reason}\nNot charged."


def _row(mark: str, job: Job, actor: Actor) -> str:
    place = job.reply.guild_id if job.reply is not None else None
    if job.user_id != actor.user_id and (place is None or place != actor.guild_id):
        return f"{mark} *a user elsewhere*"
    if job.options.private:
        return f"{mark} <@{job.user_id}> *private*"
    if not may_see(job, actor):
        return f"{mark} <@{job.user_id}> *in a channel that you cannot read*"
    if job.options.adult_allowed and place is not None and not actor.age_restricted:
        return f"{mark} <@{job.user_id}> *in an age-restricted channel*"
    return f"{mark} <@{job.user_id}> {shortened(plain_line(job.request.prompt), 80)}"


def shortened(text: str, length: int) -> str:
    """Cut an escaped text to a length, with an ellipsis at its end."""
    return text if len(text) <= length else f"{text[: length - 1].rstrip(chr(92))}…"


def fitted(lines: Sequence[str], length: int = 1900) -> str:
    """Join lines as far as a message takes them, and say how many are left."""
    shown: list[str] = []
    for number, line in enumerate(lines):
        if sum(map(len, shown)) + len(shown) + len(line) > length:
            return "\n".join([*shown, f"... and {len(lines) - number} more lines"])
        shown.append(line)
    return "\n".join(shown)
