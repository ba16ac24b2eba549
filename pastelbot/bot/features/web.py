"""`/web`: a private link that signs its user in on the web page, once."""

from discord import app_commands
from discord.ext import commands

from pastelbot.bot.checks import actor_of
from pastelbot.bot.context import Interaction, PastelClient
from pastelbot.bot.responses import answers_errors, respond_ephemeral
from pastelbot.service.page.sign_in import SignIn, Visitor


class WebCog(commands.Cog):
    """The command that leads to the web page."""

    def __init__(self, sign_in: SignIn, address: str) -> None:
        self._sign_in = sign_in
        self._address = address

    @app_commands.command(name="web")
    @app_commands.allowed_installs(guilds=True, users=False)
    @answers_errors
    async def web(self, interaction: Interaction) -> None:
        """Open the web page, where you paint as here."""
        visitor = Visitor(name=interaction.user.display_name, actor=actor_of(interaction))
        link = f"{self._address}/link/{await self._sign_in.new_link(visitor)}"
        await respond_ephemeral(
            interaction,
            f"This link signs you in once, within ten minutes; keep it to yourself: <{link}>\n"
            "Pictures that you paint there count as painted here, and only you see them.",
        )


async def setup(bot: PastelClient) -> None:
    """Add `/web` where there is a page."""
    services = bot.services
    if services.settings.web.enabled:
        await bot.add_cog(WebCog(services.sign_in, services.settings.web.public_address))
