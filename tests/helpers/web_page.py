"""The web page's routes on a real server, over services whose worker is a fake."""

import contextlib
import json

import aiohttp

from pastelbot import app
from pastelbot.i18n.languages import Languages


class WebPage:
    """Services, their page, and browsers."""

    def __init__(self, services, server, address):
        self.services = services
        self.server = server
        self.address = address.rstrip("/")

    @contextlib.asynccontextmanager
    async def browser(self, **headers):
        """Open a browser of its own, with cookies."""
        jar = aiohttp.CookieJar(unsafe=True)  # which takes those of an address without a name
        async with aiohttp.ClientSession(self.address, cookie_jar=jar, headers=headers) as session:
            yield Browser(session)


class Browser:
    """Asks, and reads each answer to its end."""

    def __init__(self, session):
        self.session = session

    async def get(self, path, **details):
        return await self.ask("GET", path, **details)

    async def post(self, path, **details):
        return await self.ask("POST", path, **details)

    async def ask(self, method, path, **details):
        details.setdefault("allow_redirects", False)
        async with self.session.request(method, path, **details) as response:
            await response.read()
        return response

    def stream(self, path):
        return self.session.get(path)


@contextlib.asynccontextmanager
async def web_page(settings, clock, executor, *, build):
    """Serve the page on any free port."""
    from pastelbot.web.server import PageServer

    services = await app.open_services(settings, executor=executor, clock=clock)
    await services.dispatcher.start(services.page_jobs.publish)
    server = PageServer(services, Languages.shipped(), build=build)
    try:
        yield WebPage(services, server, await server.start())
    finally:
        await server.close()
        await services.dispatcher.close()
        await services.page_jobs.close()
        await services.database.close()


async def next_event(response):
    """Return the next event of a stream."""
    while True:
        line = (await response.content.readline()).decode()
        if line.startswith("data: "):
            return json.loads(line.removeprefix("data: "))
