"""`/admin`: commands for moderators."""

from pastelbot.bot.context import PastelClient
from pastelbot.bot.features.admin.cog import AdminGroup
from pastelbot.bot.features.admin.groups import AdultTagsGroup, CapsGroup, ChannelsGroup, GalleryGroup, WordsGroup
from pastelbot.bot.features.admin.quota import QuotaGroup


async def setup(bot: PastelClient) -> None:
    """Add `/admin` with all that is below it."""
    services = bot.services
    admin, group = services.admin, AdminGroup(services.admin)
    for below in (
        ChannelsGroup(admin),
        CapsGroup(admin),
        WordsGroup(admin),
        AdultTagsGroup(admin),
        GalleryGroup(admin, services.gallery, bot.posts),
        QuotaGroup(services.quotas, services.access),
    ):
        group.add_command(below)
    bot.tree.add_command(group)
