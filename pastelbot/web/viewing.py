"""The viewer and the gallery as HTML. Everything that users wrote is escaped."""

import html
from collections.abc import Sequence
from urllib.parse import urlencode

from pastelbot.i18n.languages import Translate
from pastelbot.records import Job
from pastelbot.service.gallery import Page, Shown
from pastelbot.service.models.lora_cards import LoraCard
from pastelbot.service.page.sign_in import Visitor
from pastelbot.store.gallery import View
from pastelbot.store.stored_pictures import StoredPicture
from pastelbot.web.fragments import picture_address

_VIEWS = {View.NEWEST: "Newest", View.WEEK: "Best of the week", View.TOP: "Best of all", View.MINE: "My pictures"}
_PROMPT = 200
_ALL = "This is all that the bot keeps about you: jobs, pictures, presets, settings, quotas and what moderators did."
_FORGET = (
    "Deleting it removes your pictures and prompts, what you have shared, your votes, presets and settings for good, "
    "and cancels what is queued."
)
_DISCORD = "It counts for Discord as well: the bot deletes its messages there within an hour or so."
_KEPT = (
    "Kept are your quota and blocks, so that deleting gives no fresh allowance and ends no block, and the log, which "
    "has no prompts and no pictures."
)


def viewer(job: Job, picture: StoredPicture, translate: Translate, *, entry_id: int | None) -> str:
    """Return one of a user's own pictures with its infotext, and what can be done with it."""
    address = picture_address(job.id, picture.number)
    share = f"/shared/{entry_id}/unshare" if entry_id is not None else f"/jobs/{job.id}/share/{picture.number}"
    buttons = _post(
        share, translate("Share" if entry_id is None else "Take it out of the gallery"), reload="#gallery"
    ) + _post(f"/jobs/{job.id}/delete", translate("Delete"), reload="#history", ask=translate("Delete this picture?"))
    return _viewed(address, picture.infotext, buttons, translate)


def shared_viewer(shown: Shown, picture: StoredPicture, translate: Translate) -> str:
    """Return a picture of the gallery with its infotext."""
    return _viewed(_shared_address(shown.entry.id), picture.infotext, "", translate)


def my_data(parts: int, translate: Translate, *, local: bool) -> str:
    """Return what a user can do with all that is kept about them."""
    links = "".join(
        f'<a class="button" href="/my-data/{number}" download>{_t(translate, "Download")}'
        f"{f' {number} / {parts}' if parts > 1 else ''}</a>"
        for number in range(1, parts + 1)
    )
    account = "Your account here is deleted, too." if local else _DISCORD
    ask = translate("Delete all of your data, for good?")
    forget = _post("/my-data/forget", translate("Delete all of it"), ask=ask)
    paragraphs = "".join(f"<p>{_t(translate, text)}</p>" for text in (_FORGET, account, _KEPT))
    return (
        f'<p class="title">{_t(translate, "Your data")}</p><p>{_t(translate, _ALL)}</p><p class="row">{links}</p>'
        f'{paragraphs}<div class="row">{forget}<button data-close>✕</button></div>'
    )


def gallery(page: Page, visitor: Visitor, view: View, text: str, translate: Translate) -> str:
    """Return a page of the gallery with its views, its search and its pages."""
    views = "".join(
        f'<button data-load="{_search(each, text)}" aria-pressed="{str(each is view).lower()}">'
        f"{_t(translate, name)}</button>"
        for each, name in _VIEWS.items()
    )
    search = (
        f'<form data-search="/gallery?view={view}"><input name="text" type="search" maxlength="100"'
        f' value="{html.escape(text)}" placeholder="{_t(translate, "Words or tags")}"></form>'
    )
    cards = "".join(_card(each, visitor, translate) for each in page.shown)
    if not cards:
        cards = f'<p class="empty">{_t(translate, "No pictures here: share one of yours from the history.")}</p>'
    return f'<div class="row">{views}{search}</div>{cards}{_pages(page, view, text, translate)}'


def loras(cards: Sequence[LoraCard], text: str, more: int, translate: Translate) -> str:
    """Return the LoRAs that were found; a click puts one into the prompt. `more` is the next number of pages, or 0."""
    search = (
        f'<form data-search="/loras?pages=1"><input name="text" type="search" maxlength="100"'
        f' value="{html.escape(text)}" placeholder="{_t(translate, "Name, trigger word or base model")}"></form>'
    )
    shown = "".join(_lora(card, translate) for card in cards)
    if not cards:
        none = "There is no such LoRA here." if text.strip() else "There are no LoRAs here yet."
        shown = f'<p class="empty">{_t(translate, none)}</p>'
    address = html.escape(f"/loras?{urlencode({'pages': more, 'text': text})}")
    button = f'<button data-load="{address}">{_t(translate, "Show more")}</button>' if more else ""
    return f'<div class="row">{search}</div>{shown}{button}'


def _lora(card: LoraCard, translate: Translate) -> str:
    words = html.escape(", ".join(card.words)[:_PROMPT])
    details = " · ".join(filter(None, (card.base, card.title if card.title != card.name else "")))
    tag, name = html.escape(f"<lora:{card.name}:1>"), html.escape(card.name)
    button = f'<button data-insert="{tag}">{_t(translate, "Use")}</button>'
    return (
        f'<article class="card"><p class="prompt">{name}</p><p class="quiet">{html.escape(details)}</p>'
        f'<p class="quiet">{words}</p><p class="row">{button}</p></article>'
    )


def _card(shown: Shown, visitor: Visitor, translate: Translate) -> str:
    entry = shown.entry
    prompt, spoiler = html.escape(entry.prompt[:_PROMPT]), " spoiler" if entry.spoiler else ""
    own = entry.user_id == visitor.actor.user_id
    votes = f"♥ {entry.votes}"
    button = f"<span>{votes}</span>" if own else _post(f"/shared/{entry.id}/vote", votes, reload="#gallery")
    out = _post(f"/shared/{entry.id}/unshare", translate("Take out"), reload="#gallery") if own else ""
    return (
        f'<article class="card"><a class="thumb{spoiler}" href="{_shared_address(entry.id)}" target="_blank"'
        f' data-view="/shared/{entry.id}/view"><img loading="lazy" alt="{prompt}"'
        f' src="{_shared_address(entry.id)}?small=1"></a><p class="quiet">{prompt}</p>'
        f'<p class="row">{button}{out}</p></article>'
    )


def _pages(page: Page, view: View, text: str, translate: Translate) -> str:
    if page.pages < 2:
        return ""
    back = f'<button data-load="{_search(view, text, page.number - 1, page.upto)}">{_t(translate, "Back")}</button>'
    more = f'<button data-load="{_search(view, text, page.number + 1, page.upto)}">{_t(translate, "Next")}</button>'
    number = f"<span>{page.number + 1} / {page.pages}</span>"
    return (
        f'<div class="row">{back if page.number else "<span></span>"}{number}'
        f"{more if page.number + 1 < page.pages else '<span></span>'}</div>"
    )


def _search(view: View, text: str, number: int = 0, upto: int | None = None) -> str:
    asked = {"view": str(view), "text": text, "page": number, **({} if upto is None else {"upto": upto})}
    return html.escape(f"/gallery?{urlencode(asked)}")


def _viewed(address: str, infotext: str, buttons: str, translate: Translate) -> str:
    over = f'<button data-over="{address}">{_t(translate, "Paint over this picture")}</button>'
    return (
        f'<a href="{address}" target="_blank"><img src="{address}" alt=""></a>'
        f'<textarea readonly rows="6" class="infotext">{html.escape(infotext)}</textarea>'
        f'<div class="row">{_use(translate)}{over}{buttons}<button data-close>✕</button></div>'
    )


def _use(translate: Translate) -> str:
    return f"<button data-use>{_t(translate, 'Use these settings')}</button>"


def _post(path: str, text: str, *, reload: str = "", ask: str = "") -> str:
    asked = f' data-ask="{html.escape(ask)}"' if ask else ""
    return f'<button data-post="{path}" data-reload="{reload}"{asked}>{html.escape(text)}</button>'


def _shared_address(entry_id: int) -> str:
    return f"/shared/{entry_id}/picture"


def _t(translate: Translate, text: str) -> str:
    return html.escape(translate(text))
