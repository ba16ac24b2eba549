"""The connection between discord.py and the fake Discord, where everything that a network does can be made to happen.

It stands in the place of aiohttp's session, so all of discord.py is real: its retries, its waits and its errors.
"""

import asyncio
import json
import re
from types import MappingProxyType

import aiohttp
from simulation.fake_discord import APPLICATION, ApiError, member, user

_API = re.compile(r"https://discord\.com/api/v\d+")


class _Response:
    """An answer as discord.py reads it."""

    def __init__(self, status, body, headers=MappingProxyType({})):
        self.status = status
        self.reason = "simulated"
        self.headers = {"content-type": "application/json", "Via": "simulated", **headers}
        self._body = body

    async def text(self, encoding="utf-8"):  # noqa: ARG002 - aiohttp's signature
        return json.dumps(self._body)


class _Exchange:
    """One request, as the context manager that a session returns."""

    def __init__(self, work):
        self._work = work

    async def __aenter__(self):
        return await self._work

    async def __aexit__(self, *_error):
        return None


class FakeSession:
    """What stands for `aiohttp.ClientSession`; `network` says what becomes of each request."""

    def __init__(self, discord, network):
        self.discord = discord
        self.network = network
        self.closed = False

    def request(self, method, url, **options):
        return _Exchange(self._request(method, url, options))

    async def close(self):
        self.closed = True

    async def _request(self, method, url, options):
        path = _API.sub("", str(url)).partition("?")[0]
        body, files = await _content(options.get("data"))
        self.network.on_sent(method, path, files=bool(files))
        fate = self.network.fate(asyncio.get_running_loop().time(), files=bool(files))
        await asyncio.sleep(self.network.latency())
        self.network.check_alive()
        if fate.before is not None:
            return await self._fail(fate.before)
        limits = {}
        if self.network.edit_limit is not None:
            taken = self.network.edit_limit.take(method, path, asyncio.get_running_loop().time())
            if taken is not None and taken[0] < 0:
                return await self._fail(taken[1])
            limits = _limits(*taken) if taken is not None else {}
        response = self._answer(method, path, body, files, options.get("params") or {})
        response.headers |= limits
        self.network.note(method, path, response)
        await asyncio.sleep(self.network.latency())
        self.network.check_alive()
        if fate.after is not None:
            return await self._fail(fate.after)
        return response

    async def _fail(self, kind):
        if isinstance(kind, float):  # Discord's limit: come again in so many seconds
            return _Response(429, {"message": "You are being rate limited.", "retry_after": kind, "global": False})
        if isinstance(kind, int):
            return _Response(kind, {"message": "simulated", "code": 0})
        if kind == "hang":
            await asyncio.sleep(300)
            raise TimeoutError
        if kind == "disconnected":
            raise aiohttp.ServerDisconnectedError
        raise aiohttp.ClientOSError(104, "Connection reset by peer")

    def _answer(self, method, path, body, files, params):
        try:
            return _Response(*route(self.discord, method, path, body, files, params))
        except ApiError as error:
            return _Response(error.status, {"code": error.code, "message": error.text})


def _limits(left, seconds):
    return {
        "X-Ratelimit-Bucket": "edits",
        "X-Ratelimit-Limit": "5",
        "X-Ratelimit-Remaining": str(left),
        "X-Ratelimit-Reset-After": f"{seconds:.3f}",
    }


async def _content(data):
    """Return the body of a request, and its files by their numbers."""
    if data is None:
        return {}, {}
    if isinstance(data, str | bytes):
        return json.loads(data), {}
    body, files = {}, {}
    for part, _encoding, _transfer in data():
        name = _disposition(part.headers)
        if name == "payload_json":
            body = json.loads(_bytes(part))
        else:
            files[re.sub(r"\D", "", name)] = _bytes(part)
    return body, files


def _disposition(headers):
    return re.search(r'name="([^"]*)"', headers["Content-Disposition"])[1]


def _bytes(part):
    return part.decode("latin-1").encode("latin-1")


def route(discord, method, path, body, files, params):  # noqa: C901, PLR0911, PLR0912 - one line a route
    """Return the status and the body of an answer; raises ApiError."""
    match [method, *path.strip("/").split("/")]:
        case ["GET", "users", "@me"]:
            return 200, user(APPLICATION, bot=True)
        case ["GET", "oauth2", "applications", "@me"] | ["GET", "applications", "@me"]:
            return 200, application()
        case ["GET", "applications", _, *_, "commands"]:
            return 200, discord.commands
        case ["PUT", "applications", _, *_, "commands"]:
            discord.commands = [registered(number, each) for number, each in enumerate(body, 1)]
            return 200, discord.commands
        case ["POST", "users", "@me", "channels"]:
            number = int(body["recipient_id"])
            return 200, {"id": str(number * 10), "type": 1, "recipients": [user(number)]}
        case ["GET", "guilds", _, "members", number]:
            return 200, member(int(number))
        case ["POST", "channels", channel, "messages"]:
            return 200, discord.payload(discord.create(int(channel), body, files))
        case ["GET", "channels", channel, "messages"]:
            return 200, history(discord, int(channel), params)
        case ["GET", "channels", channel, "messages", number]:
            return 200, discord.payload(discord.message(int(channel), int(number)))
        case ["PATCH", "channels", channel, "messages", number]:
            message = discord.message(int(channel), int(number))
            discord.change(message, body, files)
            return 200, discord.payload(message)
        case ["DELETE", "channels", channel, "messages", number]:
            delete(discord, discord.message(int(channel), int(number)))
            return 204, ""
        case ["POST", "interactions", number, _token, "callback"]:
            return 200, callback(discord, int(number), body, files)
        case ["POST", "webhooks", _, token]:
            return 200, discord.payload(discord.follow_up(token, body, files))
        case [_, "webhooks", _, token, "messages", "@original"]:
            return on_original(discord, method, token, body, files)
    raise ApiError(404, 0, f"no such route: {method} {path}")


def delete(discord, message):
    """Take a message away; where its user asked for that, its job no longer needs one."""
    message.deleted = True
    if message.job_id in discord.to_delete:
        discord.deleted.add(message.job_id)


def on_original(discord, method, token, body, files):
    message = discord.original(token)
    if method == "DELETE":
        delete(discord, message)
        return 204, ""
    if method == "PATCH":
        discord.change(message, body, files)
    return 200, discord.payload(message)


def history(discord, channel_id, params):
    """Return the messages of a channel, the newest first, as the parameters choose them."""
    discord.check_channel(channel_id)
    there = [each for each in discord.visible() if each.channel_id == channel_id]
    limit = int(params.get("limit", 50))
    if "before" in params:
        there = [each for each in there if each.id < int(params["before"])]
    if "after" in params:
        there = [each for each in there if each.id > int(params["after"])][:limit]
    return [discord.payload(each) for each in reversed(there[-limit:])]


def callback(discord, number, body, files):
    message = discord.respond(number, body, files)
    shown = {"type": body["type"], "message": discord.payload(message)} if message is not None else None
    return {
        "interaction": {
            "id": str(number),
            "type": 2,
            "response_message_id": str(message.id) if message is not None else None,
            "response_message_ephemeral": message is not None and message.ephemeral,
        },
        **({"resource": shown} if shown is not None else {}),
    }


def application():
    return {
        "id": str(APPLICATION),
        "name": "bot",
        "description": "",
        "icon": None,
        "summary": "",
        "bot_public": True,
        "bot_require_code_grant": False,
        "verify_key": "",
        "flags": 0,
        "owner": user(1),
        "team": None,
        "rpc_origins": [],
    }


def registered(number, command):
    return {"id": str(900 + number), "application_id": str(APPLICATION), "version": "1", "description": "", **command}
