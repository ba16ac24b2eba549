"""The rules of the house: what may be asked by whom, where."""

from dataclasses import dataclass

from pastelbot.config import LimitSettings, Settings
from pastelbot.records import Asker
from pastelbot.store.settings import SettingsStore


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What holds for one person in one place: the tightest of all caps."""

    limits: LimitSettings
    pictures_per_day: int


class House:
    """Reads the rules that apply to whoever asks."""

    def __init__(self, settings: Settings, store: SettingsStore) -> None:
        self._settings = settings
        self._store = store

    async def terms(self, asker: Asker) -> Terms:
        """Return what holds for this person here; raises NotAllowedError where nothing may be asked."""
        del asker
        return Terms(limits=self._settings.limits, pictures_per_day=self._settings.quota.pictures_per_day)
