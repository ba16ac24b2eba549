"""Where no job is given out, in memory for the dispatcher and in the settings for the next start."""

from pastelbot.store.settings import Scope, SettingsStore

EVERYWHERE = 0
_NAME = "drained"


class Pauses:
    """The servers that are drained; EVERYWHERE is one too."""

    def __init__(self, store: SettingsStore) -> None:
        self._store = store
        self._guilds: frozenset[int] = frozenset()

    async def load(self) -> None:
        """Read the pauses that an earlier process recorded."""
        self._guilds = frozenset(await self._store.owners(Scope.GUILD, _NAME))

    async def set(self, guild_id: int, *, drained: bool) -> bool:
        """Drain a server, or resume it; return whether that changed anything."""
        changed = (guild_id in self._guilds) is not drained
        await self._store.update(Scope.GUILD, guild_id, {_NAME: True if drained else None})
        self._guilds = self._guilds | {guild_id} if drained else self._guilds - {guild_id}
        return changed

    def is_paused(self, guild_id: int | None) -> bool:
        """Return whether jobs of this server (None: of direct messages) wait."""
        return EVERYWHERE in self._guilds or guild_id in self._guilds

    @property
    def everywhere(self) -> bool:
        """Return whether the whole bot is drained."""
        return EVERYWHERE in self._guilds

    @property
    def guilds(self) -> frozenset[int]:
        """Return the servers that are drained by themselves."""
        return self._guilds - {EVERYWHERE}
