"""What the simulator's page needs so that a bot painting in the background can be watched and used on it."""

from datetime import UTC, datetime
from typing import Any

# The end of the page's function that takes a completion.
_CHOSEN = "renderCompose({ focus: Boolean(next) });"
# Pictures up to here are made ready in place: that takes milliseconds.
_SMALL = 256 * 1024


def tell_the_time(env: Any) -> None:
    """Let the simulator's clock go with the bot's: it stands still otherwise, and "just now" reads "in 47 weeks"."""
    env.backend.clock.now = lambda: datetime.now(UTC)


def correct(env: Any, preview: Any) -> None:
    """Correct a preview that is not served yet."""
    _publish_when_read(env, preview)
    _send_on_enter(preview)
    _show_small_pictures_at_once(preview)


def _publish_when_read(env: Any, preview: Any) -> None:
    """Show the bot's background edits: before a browser reads its page, publish what the bot has said since.

    By itself the simulator publishes only after what a viewer does. It takes a click only from the newest publication,
    so publishing from a timer would refuse the clicks that come between that and the browser's next look.
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

    The page opens it again at once, so Enter would choose the same for ever and never send the command.
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

    The bot's previews follow each other faster than such a process starts on a busy machine: none would be seen.
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
