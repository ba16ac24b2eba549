"""The VAEs that a request may name instead of the checkpoint's own."""

from collections import OrderedDict
from collections.abc import Callable, Mapping

from pastelbot.choices import nearest_names
from pastelbot.diffusion.networks.vae import NamedVae
from pastelbot.errors import CheckpointError, NotFoundError, PaintingError

_KEPT = 2


class VaeCache:
    """VAEs by name, loaded when they are asked for; the latest ones stay in memory."""

    def __init__(self, references: Mapping[str, str], load: Callable[[str], NamedVae]) -> None:
        """Take files, folders or hub names by name, and what loads one."""
        self._references = references
        self._load = load
        self._kept: OrderedDict[str, NamedVae] = OrderedDict()

    @classmethod
    def empty(cls) -> "VaeCache":
        """Return a shelf with nothing on it."""

        def load(reference: str) -> NamedVae:
            raise NotFoundError(f"There is no VAE {reference!r}.")

        return cls({}, load)

    def get(self, name: str) -> NamedVae:
        """Return a VAE; raises NotFoundError or PaintingError."""
        if name not in self._references:
            near = nearest_names(name[:60], list(self._references)) if self._references else "This bot has none."
            raise NotFoundError(f"There is no VAE {name[:60]!r}. {near}")
        if name not in self._kept:
            while len(self._kept) >= _KEPT:
                self._kept.popitem(last=False)
            try:
                self._kept[name] = self._load(self._references[name])
            except CheckpointError as error:
                raise PaintingError(f"The VAE {name} cannot be loaded: {error}") from error
        self._kept.move_to_end(name)
        return self._kept[name]
