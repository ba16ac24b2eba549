"""Memberships: the servers that the bot is in, over all shards."""

from collections.abc import Callable, Iterable
from typing import Protocol


class Server(Protocol):
    """A server as discord.py keeps it; `discord.Guild` is one."""

    @property
    def id(self) -> int:
        """Return its id."""

    @property
    def shard_id(self) -> int:
        """Return the shard that hears of it."""


class Memberships:
    """Knows which of the client's servers are left ones.

    discord.py keeps a server that the bot was put out of while its shard was away: only the next READY shows it, by not
    having it. READY makes new objects of all that it has, so what is the same object as before was not in it.
    """

    def __init__(self, servers: Callable[[], Iterable[Server]]) -> None:
        self._servers = servers
        self._before: dict[int, Server] = {}
        self._left: set[int] = set()

    def shard_lost(self, shard_id: int) -> None:
        """Remember the servers of a shard that is away from now on."""
        self._before |= {server.id: server for server in self._servers() if server.shard_id == shard_id}

    def shard_connected(self, shard_id: int) -> None:
        """Compare the servers of a shard whose new session has begun with those before."""
        for server in [one for one in self._servers() if one.shard_id == shard_id]:
            if self._before.pop(server.id, None) is server:
                self._left.add(server.id)
            else:
                self._left.discard(server.id)

    def joined(self, server_id: int) -> None:
        """Note that the bot is in a server."""
        self._left.discard(server_id)

    def ids(self) -> set[int]:
        """Return the ids of the servers; complete once all shards are ready."""
        return {server.id for server in self._servers()} - self._left
