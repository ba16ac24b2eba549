"""The page's web server, in the event loop of the services that it uses."""

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable, Iterator

import uvicorn
from fastapi import FastAPI

from pastelbot.errors import StartupError
from pastelbot.i18n.languages import Languages
from pastelbot.jobs.background import spawn
from pastelbot.service.services import Services
from pastelbot.web.application import application

_LOOK_SECONDS = 0.02


class _Server(uvicorn.Server):
    """A server that leaves signals to the program around it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


class PageServer:
    """Serves the page from `start` to `close`."""

    def __init__(
        self,
        services: Services,
        languages: Languages,
        *,
        build: Callable[[Services, Languages], FastAPI] = application,
    ) -> None:
        self._build = build
        self._services = services
        self._languages = languages
        self._server: _Server | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> str:
        """Begin to serve and return the page's address; raises StartupError where the port is taken."""
        bound = _bound(self._services.settings.web.host, self._services.settings.web.port)
        app = await asyncio.to_thread(self._build, self._services, self._languages)
        config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=1, lifespan="on")
        self._server = _Server(config)
        self._task = spawn(self._server.serve(sockets=[bound]))
        while not self._server.started:
            if self._task.done():
                raise StartupError("The web page did not start: the log says why.")
            await asyncio.sleep(_LOOK_SECONDS)
        host, port = bound.getsockname()[:2]
        return f"http://{f'[{host}]' if ':' in host else host}:{port}/"

    async def close(self) -> None:
        """End the connections and the server."""
        if self._server is None or self._task is None:
            return
        self._server.should_exit = True
        await asyncio.wait([self._task])


def _bound(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise StartupError(
            f"The web page cannot be served on {host}, port {port}: {os.strerror(error.errno or 0)}. "
            "Choose another port or host under [web]."
        ) from error
