"""Messages to the operator in the channel of `alerts.channel`."""

from collections.abc import Callable

import aiohttp
import discord
import structlog

from pastelbot.bot.plain_text import plain
from pastelbot.bot.render import shortened
from pastelbot.service.monitoring.alerts import Alert

_MOST = 1800  # characters

log = structlog.get_logger(__name__)


class AlertMessages:
    """Sends alerts to a channel."""

    def __init__(self, client: discord.Client, channel_id: int) -> None:
        self._channel = client.get_partial_messageable(channel_id)

    async def send(self, alert: Alert, nonce: str) -> bool:
        """Send an alert; return whether Discord has it. One with the same nonce is not posted twice."""
        text = f"⚠️ **{alert.title}**\n{shortened(plain(alert.text), _MOST)}"
        try:
            await self._channel.send(text, nonce=nonce, suppress_embeds=True)
        except (discord.DiscordException, aiohttp.ClientError, OSError, TimeoutError) as error:
            log.warning(
                "alert not sent: look at alerts.channel and the bot's permissions there",
                alert=alert.title,
                text=alert.text,
                reason=str(error),
            )
            return False
        log.info("alert sent", alert=alert.title)
        return True


def answers_to(hear: Callable[[int], None]) -> aiohttp.TraceConfig:
    """Return what makes Discord's client pass on the status of each answer of Discord."""
    trace = aiohttp.TraceConfig()

    async def note(_session: object, _context: object, end: aiohttp.TraceRequestEndParams) -> None:
        hear(end.response.status)

    trace.on_request_end.append(note)
    return trace
