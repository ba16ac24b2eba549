"""Who does something on the page: the user of a browser's session, or the local user where none must sign in."""

from collections.abc import Mapping

from pastelbot.errors import NotAllowedError
from pastelbot.service.page.sign_in import Visitor
from pastelbot.service.services import Services

COOKIE = "pastelbot_session"


class Visits:
    """Finds the user behind a request's cookies."""

    def __init__(self, services: Services) -> None:
        self._sign_in = services.sign_in
        self._needs_sign_in = services.settings.web.needs_sign_in

    async def find(self, cookies: Mapping[str, str]) -> Visitor | None:
        """Return the user; None where they must sign in."""
        visitor = await self._sign_in.visitor(cookies.get(COOKIE, ""))
        if visitor is None and not self._needs_sign_in:
            return self._sign_in.local_user()
        return visitor

    async def require(self, cookies: Mapping[str, str]) -> Visitor:
        """Return the user; raises NotAllowedError where they must sign in."""
        visitor = await self.find(cookies)
        if visitor is None:
            raise NotAllowedError("You are signed out: open the page anew to sign in. Nothing was charged.")
        return visitor
