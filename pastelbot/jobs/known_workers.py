"""Known workers: what the dispatcher has heard of its workers, and how long one that loads will still take."""

from collections.abc import Callable

import structlog

from pastelbot.jobs.queue.load_time import LoadTime
from pastelbot.records import CheckpointLoaded, Loading, WorkerReady
from pastelbot.rules.timing.device_speed import card_minutes

_NO_GPU = 'install a driver and torch for your GPU, or set checkpoint.path = "bundled"; pastelbot doctor says more'
_LOADING_LOGGED = 30.0  # seconds: how often the log says what a worker loads or downloads

log = structlog.get_logger(__name__)


class KnownWorkers:
    """Notes events of the workers, and says them in the log.

    `checkpoint` is the last one's default checkpoint, `loaded` are the others in memory by their configured names.
    `unloaded` counts the workers that were ended because there was nothing to do.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._loading_logged_at = monotonic() - _LOADING_LOGGED
        self.load_time = LoadTime(monotonic)
        self.checkpoint: WorkerReady | None = None
        self.loaded: dict[str, CheckpointLoaded] = {}
        self.unloaded = 0

    def note_loading(self, event: Loading) -> None:
        """Say in the log what a worker loads, not too often."""
        now = self._monotonic()
        if now - self._loading_logged_at >= _LOADING_LOGGED:
            self._loading_logged_at = now
            log.info("loading", what=event.what)

    def note_ready(self, event: WorkerReady) -> None:
        """Note a worker that paints from now on."""
        log.info("worker ready", device=event.device, checkpoint=event.checkpoint, hash=event.checkpoint_hash)
        if event.flops is not None:
            minutes = max(1, round(card_minutes(event.flops)))
            log.warning("there is no GPU: a picture takes minutes", card_picture_minutes=minutes, cure=_NO_GPU)
        self.load_time.end()
        self.checkpoint = event

    def note_checkpoint(self, event: CheckpointLoaded) -> None:
        """Note another checkpoint in memory."""
        log.info("checkpoint loaded", name=event.name, checkpoint=event.checkpoint, hash=event.checkpoint_hash)
        self.loaded[event.name] = event

    def note_unloaded(self, *, others: int) -> None:
        """Note a worker that was ended; so many others are ready."""
        self.unloaded += 1
        if not others:
            self.load_time.unloaded()

    def note_reloading(self, *, others: int) -> None:
        """Note that one of the unloaded workers is loaded again; so many others are ready."""
        self.unloaded -= 1
        if not others:
            self.load_time.begin()
