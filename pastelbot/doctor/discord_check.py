"""Check of what Discord says about the token: who the bot is, and where."""

from collections.abc import Iterator
from typing import Any

import aiohttp

from pastelbot.doctor.finding import Finding, Level

_SECONDS = 10
_NOT_SEEN = {400, 403, 404}


async def discord_findings(
    token: str, alerts_channel: int | None = None, *, api: str = "https://discord.com/api/v10"
) -> list[Finding]:
    """Return what Discord answers; where it cannot be reached, that nothing was checked."""
    headers, timeout = {"Authorization": f"Bot {token}"}, aiohttp.ClientTimeout(total=_SECONDS)
    try:
        async with aiohttp.ClientSession(headers=headers, timeout=timeout, trust_env=True) as session:
            async with session.get(f"{api}/users/@me") as answer:
                if answer.status == 401:
                    cure = "Discord does not accept it: reset it on the Bot page of the developer portal"
                    return [Finding(level=Level.FAIL, what="token", text=cure)]
                answer.raise_for_status()
                user = await answer.json()
            async with session.get(f"{api}/users/@me/guilds") as answer:
                answer.raise_for_status()
                guilds = await answer.json()
            alerts = None if alerts_channel is None else await _channel(session, f"{api}/channels/{alerts_channel}")
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        text = f"not checked: Discord cannot be reached ({type(error).__name__})"
        return [Finding(level=Level.WARN, what="discord", text=text)]
    return [*_judged(user, guilds), *([] if alerts is None else [alerts])]


async def _channel(session: aiohttp.ClientSession, address: str) -> Finding:
    """Say whether the bot sees the channel of `alerts.channel`."""
    async with session.get(address) as answer:
        if answer.status in _NOT_SEEN:
            text = "the bot does not see it: correct the id, invite the bot there, or give it View Channel"
            return Finding(level=Level.FAIL, what="alerts.channel", text=text)
        answer.raise_for_status()
        found = await answer.json()
    return Finding(
        level=Level.OK, what="alerts.channel", text=f"#{found.get('name')} (may it write there: not checked)"
    )


def _judged(user: dict[str, Any], guilds: list[Any]) -> Iterator[Finding]:  # Any: Discord's JSON
    yield Finding(level=Level.OK, what="discord", text=f"the token is that of {user.get('username')}")
    yield Finding(level=Level.OK, what="intents", text="no privileged intent is needed")
    if guilds:
        yield Finding(level=Level.OK, what="servers", text=f"{len(guilds)}")
    else:
        yield Finding(level=Level.WARN, what="servers", text="none yet: open the invite link")
