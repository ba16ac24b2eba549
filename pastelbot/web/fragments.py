"""Parts of the page as HTML: jobs, pictures. Everything that users wrote is escaped."""

import base64
import html
from collections.abc import Sequence

from pastelbot.i18n.languages import Translate
from pastelbot.records import BeingPainted, InLine, Job, JobStatus
from pastelbot.rules import cost
from pastelbot.rules.hires import hires_size
from pastelbot.service.page.page_jobs import JobView
from pastelbot.service.page.sign_in import Visitor
from pastelbot.store.stored_pictures import StoredPicture

_PROMPT = 300


def header(visitor: Visitor, translate: Translate, locale: str, *, signed_in: bool) -> str:
    """Return the page's head: whose it is, the languages, and the way out."""
    languages = "".join(
        f'<a href="/{code}/" lang="{code}"{" aria-current=true" if code == locale else ""}>{name}</a>'
        for code, name in (("en", "English"), ("ja", "日本語"))
    )
    leave = f'<form method="post" action="/sign-out"><button>{_t(translate, "Sign out")}</button></form>'
    data = f'<button data-view="/my-data">{_t(translate, "Your data")}</button>'
    user = (f"<span>{html.escape(visitor.name)}</span>" if signed_in else "") + data + (leave if signed_in else "")
    return (
        '<img src="/static/avatar.webp" alt="" width="40" height="40"><h1>Pastelbot</h1>'
        f'<div class="user">{user}<nav>{languages}</nav></div>'
    )


def jobs_panel(views: Sequence[tuple[JobView, Sequence[StoredPicture]]], translate: Translate) -> str:
    """Return a user's jobs: those that wait or are painted, and the newest that has ended."""
    if not views:
        return f'<p class="empty">{_t(translate, "Your pictures appear here.")}</p>'
    return "".join(_job(view, pictures, translate) for view, pictures in views)


def _job(view: JobView, pictures: Sequence[StoredPicture], translate: Translate) -> str:
    job = view.job
    if job.status is JobStatus.DONE:
        return _article(job, _result(job, pictures, translate))
    if job.status.ended:
        text = (
            "Cancelled, not charged."
            if job.status is JobStatus.CANCELLED
            else f"This could not be painted: {job.reason}"
        )
        charged = "" if job.status is JobStatus.CANCELLED else f" {translate('Not charged.')}"
        return _article(job, f'<p class="error">{_t(translate, text)}{html.escape(charged)}</p>')
    return _article(job, _underway(view, translate))


def _article(job: Job, content: str) -> str:
    return f'<article class="job" data-job="{job.id}" data-status="{job.status}">{content}</article>'


def _underway(view: JobView, translate: Translate) -> str:
    """Return a bar, what is known, and the button that cancels."""
    job, share, text = view.job, 0.0, "Queued"
    match view.update:
        case BeingPainted():
            share = cost.share_done(job.request, view.update.step, view.update.steps)
            text = f"Painting: {share:.0%}"
        case InLine(interruption=interruption) if interruption:
            text = interruption
        case InLine(paused=True):
            text = "The bot is taking a break: this goes on by itself after it."
        case InLine(position=position) if position:
            text = f"Queued: position {position} in line"
        case _ if job.status is not JobStatus.QUEUED:
            text = "Painting"
    picture = ""
    if view.preview is not None:
        encoded = base64.b64encode(view.preview).decode()
        picture = f'<img class="preview" alt="" src="data:image/jpeg;base64,{encoded}">'
    width, height = _shape(job)
    return (
        f'<div class="easel" style="aspect-ratio:{width}/{height}">{picture}</div>'
        f'<progress max="1" value="{share:.3f}"></progress>'
        f'<p class="row"><span role="status">{_t(translate, text)}</span>'
        f'<button data-post="/jobs/{job.id}/cancel">{_t(translate, "Cancel")}</button></p>'
        f"{_prompt(job)}"
    )


def _result(job: Job, pictures: Sequence[StoredPicture], translate: Translate) -> str:
    """Return a finished job: its pictures and their settings."""
    shown = [picture for picture in pictures if picture.file]
    if not shown:
        return f'<p class="empty">{_t(translate, "The pictures are no longer kept.")}</p>{_prompt(job)}'
    figures = "".join(
        f'<a href="{picture_address(job.id, each.number)}" target="_blank"'
        f' data-view="/jobs/{job.id}/view/{each.number}">'
        f'<img loading="lazy"'
        f' src="{picture_address(job.id, each.number)}" width="{each.width}" height="{each.height}"'
        f' alt="{html.escape(job.request.of_picture(each.number).prompt[:_PROMPT])}"></a>'
        for each in shown
    )
    many = " many" if len(shown) > 1 else ""
    settings = _t(translate, _settings(job, [each.seed for each in shown]))
    return f'<div class="pictures{many}">{figures}</div>{_prompt(job)}<p class="quiet">{settings}</p>'


def picture_address(job_id: str, number: int, *, small: bool = False) -> str:
    """Return the address of a picture."""
    return f"/picture/{job_id}/{number}{'?small=1' if small else ''}"


def thumbnails(pictures: Sequence[tuple[str, int, int, str]], translate: Translate) -> str:
    """Return small pictures, from job, number, seed and prompt; each is opened by a click."""
    if not pictures:
        return f'<p class="empty">{_t(translate, "There are no pictures yet.")}</p>'
    return "".join(_thumbnail(*each) for each in pictures)


def _thumbnail(job_id: str, number: int, seed: int, prompt: str) -> str:
    shown = html.escape(prompt[:_PROMPT])
    return (
        f'<a class="thumb" href="{picture_address(job_id, number)}" target="_blank" title="{shown}"'
        f' data-view="/jobs/{job_id}/view/{number}">'
        f'<img loading="lazy" src="{picture_address(job_id, number, small=True)}" alt="{shown}">'
        f"<small>{seed}</small></a>"
    )


def _prompt(job: Job) -> str:
    """Return the prompt or, below each other, those of several pictures."""
    shown = "<br>".join(html.escape(one.prompt[:_PROMPT]) for one in job.request.with_each_prompt())
    return f'<p class="prompt">{shown}</p>'


def _shape(job: Job) -> tuple[int, int]:
    request = job.request
    if request.grid is not None:
        return 4, 3
    return request.width, request.height


def _settings(job: Job, seeds: Sequence[int]) -> str:
    """Return the settings in one line, in the webui's words."""
    request, hires = job.request, job.request.hires
    size = f"{request.width}x{request.height}"
    if hires is not None:
        width, height = hires_size(request.width, request.height, hires).picture
        size += f" → {width}x{height}"
    sampler = request.sampler if request.schedule == "Automatic" else f"{request.sampler} {request.schedule}"
    parts = [
        f"seed {', '.join(map(str, seeds))}",
        size,
        sampler,
        f"{request.steps} steps",
        f"CFG {request.cfg_scale:g}",
    ]
    if job.seconds is not None:
        parts.append(f"{job.seconds:.1f} s")
    return " · ".join(parts)


def refusal(error: Exception, translate: Translate, *, charged: bool = True) -> str:
    """Return why something was not done, and that it cost nothing where it would have been `charged`."""
    end = f" {_t(translate, 'Not charged.')}" if charged else ""
    return f'<p class="error">{_t(translate, str(error))}{end}</p>'


def question(plan_id: str, pictures: int, price: str, size: str, translate: Translate) -> str:
    """Return what is asked before a plan is painted; `size` is one that fits, where the asked one is far off."""
    lines = [translate(f"That is {pictures} picture{'s' * (pictures > 1)} and costs {price}. Paint them?")]
    answers = [("yes", "Paint"), ("no", "Cancel")]
    if size:
        lines.insert(0, translate(f"This is far from the sizes that the checkpoint was made for; {size} fits it."))
        answers = [("fit", "Paint the size that fits"), ("yes", "Paint as asked"), ("no", "Cancel")]
    buttons = "".join(
        f'<button data-post="/plans/{plan_id}/{answer}">{_t(translate, text)}</button>' for answer, text in answers
    )
    texts = "".join(f"<p>{html.escape(line)}</p>" for line in lines)
    return f'<div class="note question" role="alert">{texts}<p class="row">{buttons}</p></div>'


def note(text: str, translate: Translate) -> str:
    """Return what was done."""
    return f'<p class="note">{_t(translate, text)}</p>'


def notes_list(notes: Sequence[str], translate: Translate) -> str:
    """Return why a picture may look different from the one that its infotext is of."""
    if not notes:
        return f'<p class="note">{_t(translate, "It is queued: the tab that paints shows it.")}</p>'
    lines = "".join(f"<li>{_t(translate, note)}</li>" for note in notes)
    return f'<div class="note">{_t(translate, "It may look different:")}<ul>{lines}</ul></div>'


def drop_zone(purpose: str, text: str, kinds: str = "image/*,.txt") -> str:
    """Return where files are dropped or chosen; `page.js` does with them what the purpose says."""
    return (
        f'<label class="drop"><span>{html.escape(text)}</span><input type="file" data-drop="{purpose}"'
        f' accept="{kinds}" aria-label="{html.escape(text)}"></label><p class="error" data-said="{purpose}"></p>'
    )


def start_picture(translate: Translate) -> str:
    """Return where a picture to start from is chosen, and a mask drawn on it; `page.js` does both."""
    zone = drop_zone("start", translate("Drop a picture to start from, or tap to choose one"), "image/*")
    tools = "".join(
        f'<button type="button" data-tool="{tool}" aria-pressed="false">{_t(translate, text)}</button>'
        for tool, text in (("draw", "Draw"), ("erase", "Erase"), ("undo", "Undo"), ("clear", "Clear"))
    )
    brush = f'<label>{_t(translate, "Brush")} <input type="range" id="brush" min="1" max="30" value="8"></label>'
    hint = _t(translate, "Draw over what is to be painted anew; without a drawing, all of it is.")
    away = f'<button type="button" data-tool="away">{_t(translate, "Remove the picture")}</button>'
    return (
        f'{zone}<div id="start" hidden><p class="note">{hint}</p><div id="drawing"></div>'
        f'<div class="row">{tools}{brush}{away}</div></div>'
    )


def _t(translate: Translate, text: str) -> str:
    return html.escape(translate(text))
