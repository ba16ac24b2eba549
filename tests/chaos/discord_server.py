"""The simulation's Discord behind real sockets: its HTTP interface, and a gateway that speaks to one bot or several."""

import asyncio
import json
import re
import time

from aiohttp import web
from simulation.fake_discord import APPLICATION, GUILD, ApiError, FakeDiscord, guild, user
from simulation.fake_http import route

_HELLO, _IDENTIFY, _HEARTBEAT, _ACK, _RESUME, _INVALID = 10, 2, 1, 11, 6, 9


class DiscordServer:
    """A Discord that outlives the bots; `connections` counts those that have identified themselves."""

    def __init__(self):
        self.discord = FakeDiscord(time.time)
        self.connections = 0
        self.port = 0
        self._sockets = {}
        self._tasks = set()
        self._runner = None

    async def start(self):
        app = web.Application(client_max_size=2**26)
        app.router.add_get("/gateway", self._gateway)
        app.router.add_route("*", "/api/{path:.*}", self._request)
        self._runner = web.AppRunner(app, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def close(self):
        for socket in list(self._sockets):
            await socket.close()
        await self._runner.cleanup()

    def send(self, event, data):
        """Send an event to the bots that are connected."""
        for socket in list(self._sockets):
            task = asyncio.ensure_future(self._dispatch(socket, event, data))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _dispatch(self, socket, event, data):
        number = self._sockets.get(socket, 0) + 1
        self._sockets[socket] = number
        try:
            await socket.send_str(json.dumps({"op": 0, "t": event, "s": number, "d": data}))
        except ConnectionError:
            self._sockets.pop(socket, None)

    async def _gateway(self, request):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str(json.dumps({"op": _HELLO, "d": {"heartbeat_interval": 41250}}))
        try:
            async for message in socket:
                await self._hear(socket, json.loads(message.data))
        finally:
            self._sockets.pop(socket, None)
        return socket

    async def _hear(self, socket, message):
        if message["op"] == _HEARTBEAT:
            await socket.send_str(json.dumps({"op": _ACK}))
        elif message["op"] == _RESUME:
            await socket.send_str(json.dumps({"op": _INVALID, "d": False}))
        elif message["op"] == _IDENTIFY:
            self._sockets[socket] = 0
            await self._dispatch(socket, "READY", self._ready())
            await self._dispatch(socket, "GUILD_CREATE", guild())
            self.connections += 1

    def _ready(self):
        return {
            "v": 10,
            "user": user(APPLICATION, bot=True),
            "guilds": [{"id": str(GUILD), "unavailable": True}],
            "session_id": "a",
            "resume_gateway_url": f"ws://127.0.0.1:{self.port}/gateway",
            "application": {"id": str(APPLICATION), "flags": 0},
            "shard": [0, 1],
        }

    def _gateways(self, path):
        """Answer where the gateway is; None to other questions."""
        limit = {"total": 1000, "remaining": 999, "reset_after": 0, "max_concurrency": 1}
        about = {"url": f"ws://127.0.0.1:{self.port}/gateway", "shards": 1, "session_start_limit": limit}
        return (200, about) if path == "/gateway/bot" else None

    async def _request(self, request):
        path = re.sub(r"^/api/v\d+", "", request.path)
        body, files = await _content(request)
        try:
            status, answer = self._gateways(path) or route(
                self.discord, request.method, path, body, files, dict(request.query)
            )
        except ApiError as error:
            status, answer = error.status, {"code": error.code, "message": error.text}
        content = b"" if answer == "" else json.dumps(answer).encode()
        return web.Response(status=status, body=content, headers={"Content-Type": "application/json"})


async def _content(request):
    """Return the body of a request, and its files by their numbers."""
    if not request.can_read_body:
        return {}, {}
    if not request.content_type.startswith("multipart/"):
        return await request.json(), {}
    body, files = {}, {}
    async for part in await request.multipart():
        if part.name == "payload_json":
            body = await part.json()
        else:
            files[re.sub(r"\D", "", part.name)] = bytes(await part.read())
    return body, files
