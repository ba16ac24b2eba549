"""The demo's web server, on loopback: one page, what it shows as a stream of events, and what is done on it."""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Mapping
from importlib import resources
from typing import Any

from aiohttp import web

from pastelbot.demo import interactions
from pastelbot.demo.interactions import Place, Upload
from pastelbot.demo.world import ENGLISH, Member, World
from pastelbot.errors import RequestError, StartupError

_HOST = "127.0.0.1"
_LOOK_SECONDS = 0.1
_ALIVE_SECONDS = 15.0
_LARGEST_UPLOAD = 26 * 1024 * 1024  # Discord's own cap is 25 MiB a file in a server without boosts
LANGUAGES = {"en": ENGLISH, "ja": "ja"}
_POLICY = (
    "default-src 'none'; img-src 'self' data: blob:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_IMAGES = {".png": "image/png", ".webp": "image/webp", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def serve(world: World, port: int) -> tuple[web.AppRunner, str]:
    """Serve the page and return the server with its address; raises StartupError where the port is taken."""
    runner = web.AppRunner(application(world), shutdown_timeout=0.5)
    await runner.setup()
    try:
        await web.TCPSite(runner, _HOST, port).start()
    except OSError as error:
        await runner.cleanup()
        raise StartupError(f"Port {port} cannot be used: {error.strerror}. Choose another --port.") from error
    return runner, f"http://{_HOST}:{runner.addresses[0][1]}/"


def application(world: World) -> web.Application:
    """Return the web application of a simulated Discord."""
    pages = _Pages(world)
    app = web.Application(middlewares=[_from_this_machine, _errors_as_text], client_max_size=_LARGEST_UPLOAD)
    app.add_routes(
        [
            web.get("/", pages.index),
            web.get("/avatar/{name}", pages.avatar),
            web.get("/file", pages.file),
            web.get("/world", pages.world),
            web.get("/events", pages.events),
            web.post("/command", pages.command),
            web.post("/complete", pages.complete),
            web.post("/menu", pages.menu),
            web.post("/component", pages.component),
            web.post("/modal", pages.modal),
            web.post("/message", pages.message),
            web.post("/delete", pages.delete),
        ]
    )
    return app


@web.middleware
async def _from_this_machine(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse other names of this address and requests from other pages: any page could send them."""
    host, origin = request.host.partition(":")[0], request.headers.get("Origin")
    if host not in {_HOST, "localhost"} or origin not in {None, f"http://{request.host}"}:
        raise web.HTTPForbidden(text="This page is for this machine alone.")
    response = await handler(request)
    if not response.prepared:
        response.headers["Content-Security-Policy"] = _POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"
    return response


@web.middleware
async def _errors_as_text(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer requests that cannot be done with a sentence."""
    try:
        return await handler(request)
    except RequestError as error:
        return web.json_response({"error": str(error)}, status=400)
    except (KeyError, ValueError) as error:  # not sent by the page itself
        return web.json_response({"error": f"This request is not understood: {error!r}"}, status=400)


class _Pages:
    """Everything that the server answers."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def index(self, _request: web.Request) -> web.Response:
        return web.Response(text=_data("index.html").decode(), content_type="text/html", charset="utf-8")

    async def avatar(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in {"pastelbot", *self._world.members}:
            raise web.HTTPNotFound
        return web.Response(body=_data(f"{name}.webp"), content_type="image/webp")

    async def file(self, request: web.Request) -> web.Response:
        url = request.query["url"]
        content = self._world.file(url)
        if content is None:
            raise web.HTTPNotFound
        kind = next((each for end, each in _IMAGES.items() if url.lower().endswith(end)), "application/octet-stream")
        name = url.rpartition("/")[2].replace('"', "")
        disposition = "inline" if kind.startswith("image/") else "attachment"
        headers = {"Content-Disposition": f'{disposition}; filename="{name}"', "Cache-Control": "max-age=86400"}
        return web.Response(body=content, content_type=kind, headers=headers)

    async def world(self, request: web.Request) -> web.Response:
        """Return what the page needs besides messages."""
        world, place = self._world, self._place(request.query)
        return web.json_response(
            {
                "server": world.guild.name,
                "me": _person(place.member),
                "bot": str(world.env.backend.bot_user.id),
                "members": [_person(each) for each in world.members.values()],
                "channels": world.channels(place.member, place.language),
                "roles": [{"id": str(role.id), "name": role.name} for role in self._roles()],
                "commands": world.commands(place.member, place.channel_id, place.language),
                "elsewhere": world.elsewhere(place.member, place.channel_id, place.language),
                "menus": world.menus(place.member, place.channel_id, place.language),
            }
        )

    def _roles(self) -> list[Any]:
        return list(self._world.env.backend.guilds[self._world.guild.id].roles.values())

    async def events(self, request: web.Request) -> web.StreamResponse:
        """Send a channel's messages, and from then on whatever changes."""
        place = self._place(request.query)
        headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        stream = web.StreamResponse(headers=headers)
        await stream.prepare(request)
        with contextlib.suppress(ConnectionResetError):  # the page was closed
            await self._follow(place, stream)
        return stream

    async def _follow(self, place: Place, stream: web.StreamResponse) -> None:
        """Write what changes until the connection ends."""
        sent: dict[str, str] = {}
        version, silent = -1, 0.0
        while True:
            if version != self._world.version:
                version, silent = self._world.version, 0.0
                await stream.write(f"data: {json.dumps(self._changes(place, sent))}\n\n".encode())
            elif silent >= _ALIVE_SECONDS:
                silent = 0.0
                await stream.write(b": alive\n\n")
            await asyncio.sleep(_LOOK_SECONDS)
            silent += _LOOK_SECONDS

    def _changes(self, place: Place, sent: dict[str, str]) -> dict[str, Any]:
        """Return the order of messages and those that were not sent as they are now."""
        world, changed, order = self._world, [], []
        for message in world.messages(place.member, place.channel_id):
            payload = world.shown(message, place.language)
            payload["deletable"] = world.may_delete(place.member, message)
            text = json.dumps(payload, default=str)
            order.append(str(message.id))
            if sent.get(order[-1]) != text:
                sent[order[-1]] = text
                changed.append(json.loads(text))
        return {"order": order, "changed": changed, "channels": world.channels(place.member, place.language)}

    async def command(self, request: web.Request) -> web.Response:
        sent, place = await self._sent(request)
        return web.json_response(await interactions.use_command(place, sent["name"], sent["options"]))

    async def complete(self, request: web.Request) -> web.Response:
        sent, place = await self._sent(request)
        return web.json_response(await interactions.complete(place, sent["name"], sent["option"], sent["options"]))

    async def menu(self, request: web.Request) -> web.Response:
        sent, place = await self._sent(request)
        return web.json_response(await interactions.use_menu(place, sent["name"], int(sent["message"])))

    async def component(self, request: web.Request) -> web.Response:
        sent, place = await self._sent(request)
        message, custom_id = int(sent["message"]), sent["custom_id"]
        return web.json_response(await interactions.use_component(place, message, custom_id, sent.get("values")))

    async def modal(self, request: web.Request) -> web.Response:
        sent, place = await self._sent(request)
        return web.json_response(await interactions.submit_modal(place, int(sent["interaction"]), sent["values"]))

    async def message(self, request: web.Request) -> web.Response:
        """Post a member's own message."""
        sent, place = await self._sent(request)
        if not self._world.sees_channel(place.member, place.channel_id):
            raise RequestError("You cannot write here.")
        backend = self._world.env.backend
        files = backend.store_attachments(place.channel_id, list(place.uploads.values()))
        backend.create_message(place.channel_id, place.member.id, str(sent["content"])[:2000], attachments=files)
        return web.json_response({})

    async def delete(self, request: web.Request) -> web.Response:
        sent, place = await self._sent(request)
        message = self._world.message(place.member, place.channel_id, int(sent["message"]))
        if not self._world.may_delete(place.member, message):
            raise RequestError("You may not delete this message.")
        self._world.env.backend.delete_message(place.channel_id, message.id)
        return web.json_response({})

    async def _sent(self, request: web.Request) -> tuple[dict[str, Any], Place]:
        """Return what the page sent: a form of one JSON text, `data`, and files by the names of what they are for."""
        form = await request.post()
        sent: dict[str, Any] = json.loads(str(form["data"]))
        uploads = {
            key: (each.filename, each.file.read()) for key, each in form.items() if isinstance(each, web.FileField)
        }
        return sent, self._place(sent, uploads)

    def _place(self, said: Mapping[str, str], uploads: Mapping[str, Upload] | None = None) -> Place:
        member = self._world.member(said["as"])
        language = LANGUAGES.get(said.get("language", "en"), ENGLISH)
        channel = int(said.get("channel") or self._world.channels(member, language)[0]["id"])
        return Place(world=self._world, member=member, channel_id=channel, language=language, uploads=uploads or {})


def _person(member: Member) -> dict[str, str]:
    return {"id": str(member.id), "name": member.name, "shown": member.name.capitalize()}


def _data(name: str) -> bytes:
    return resources.files("pastelbot.data").joinpath(f"demo/{name}").read_bytes()
