"""Patches of the simulator's page that make a bot painting in the background visible and usable."""

from datetime import UTC, datetime
from typing import Any

# The end of the page's function that takes a completion.
_CHOSEN = "renderCompose({ focus: Boolean(next) });"
# Pictures up to this size are decoded in place: that takes milliseconds.
_SMALL = 256 * 1024


def tell_the_time(env: Any) -> None:
    """Run the simulator's clock with the bot's; it stands still otherwise, and "just now" reads "in 47 weeks"."""
    env.backend.clock.now = lambda: datetime.now(UTC)


def correct(env: Any, preview: Any) -> None:
    """Correct a preview that is not served yet."""
    _publish_when_read(env, preview)
    _send_on_enter(preview)
    _show_small_pictures_at_once(preview)


def _publish_when_read(env: Any, preview: Any) -> None:
    """Show the bot's background edits: publish them before a browser reads its page.

    The simulator publishes only after a viewer's action, and accepts clicks only on the newest publication, so a timer
    that publishes would reject clicks made before the browser's next poll.
    """
    read = preview._page_payload
    seen: dict[str, int] = {}

    def read_fresh(page: Any) -> Any:
        spoken = len(env.backend.http_requests)
        if spoken != seen.get(page.id) and env._operation_task is None:
            preview._advance_presentation_time()
            preview._publish(page, reason="refresh")
            seen[page.id] = spoken
        return read(page)

    preview._page_payload = read_fresh


def _send_on_enter(preview: Any) -> None:
    """Close the list of completions once one is chosen, as Discord does.

    The page reopens it at once, so Enter would choose the same completion for ever and never send the command.
    """
    static = preview._server._static

    async def corrected(request: Any) -> Any:
        response = await static(request)
        if request.path == "/commands.js":
            response.text = response.text.replace(_CHOSEN, f"{_CHOSEN} if (!next) clearPopup();")
        return response

    preview._server._static = corrected


def _show_small_pictures_at_once(preview: Any) -> None:
    """Decode small pictures in place instead of in a new process each.

    The bot's previews follow each other faster than such a process starts on a busy machine, so none would show.
    """
    from simcord.preview import _media

    worker: Any = _media.MediaWorker()
    decode = worker._decode

    async def decode_small(key: str, blob: bytes, media_time: float | None) -> Any:
        if len(blob) <= _SMALL:
            return _media._process_media(blob, media_time)
        return await decode(key, blob, media_time)

    worker._decode = decode_small
    preview._media_worker = worker
