"""Endpoint: a small web server for `/healthz` and `/metrics`, on loopback unless the operator says otherwise."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict

import structlog
from aiohttp import web

from pastelbot.service.monitoring.health import HealthReport

_UNHEALTHY = 503
_TEXT = "text/plain; version=0.0.4; charset=utf-8"  # Prometheus's text format

log = structlog.get_logger(__name__)


class Endpoint:
    """Serves what it is given. A port that is taken is logged, and the bot runs without the endpoint."""

    def __init__(
        self,
        *,
        host: str,
        port: int,
        report: Callable[[], Awaitable[HealthReport]],
        metrics: Callable[[], bytes],
    ) -> None:
        self._host = host
        self._port = port
        self._report = report
        self._metrics = metrics
        self._runner: web.AppRunner | None = None
        self.address = ""

    async def start(self) -> None:
        """Listen."""
        application = web.Application()
        application.add_routes([web.get("/healthz", self._healthz), web.get("/metrics", self._serve_metrics)])
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        try:
            await web.TCPSite(runner, self._host, self._port).start()
        except OSError as error:
            await runner.cleanup()
            log.warning("no /healthz and /metrics", host=self._host, port=self._port, reason=error.strerror)
            return
        self._runner = runner
        self.address = f"http://{self._host}:{runner.addresses[0][1]}"

    async def close(self) -> None:
        """Listen no longer."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _healthz(self, _request: web.Request) -> web.Response:
        report = await self._report()
        status = "ok" if report.is_healthy else "failing"
        return web.json_response({"status": status, **asdict(report)}, status=200 if report.is_healthy else _UNHEALTHY)

    async def _serve_metrics(self, _request: web.Request) -> web.Response:
        return web.Response(body=await asyncio.to_thread(self._metrics), headers={"Content-Type": _TEXT})
