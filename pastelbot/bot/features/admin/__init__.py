"""`/admin`: commands for moderators."""

from pastelbot.bot.context import PastelClient
from pastelbot.bot.features.admin.cog import AdminGroup
from pastelbot.bot.features.admin.groups import CapsGroup, ChannelsGroup, GalleryGroup, WordsGroup
from pastelbot.bot.features.admin.quota import QuotaGroup
from pastelbot.service import server_rules


async def setup(bot: PastelClient) -> None:
    """Add `/admin` with all that is below it."""
    services = bot.services
    admin, group = services.admin, AdminGroup(services.admin)
    for below in (
        ChannelsGroup(admin),
        CapsGroup(admin),
        WordsGroup(admin, "words", server_rules.WORDS, "Words that are not painted here"),
        WordsGroup(admin, "adult_tags", server_rules.ADULT_TAGS, "Own tags for age-restricted channels only"),
        GalleryGroup(admin, services.gallery, bot.posts),
        QuotaGroup(services.quotas, services.access),
    ):
        group.add_command(below)
    bot.tree.add_command(group)
