"""Services for tests, put together from a database as `pastelbot.app` does."""

from pastelbot.config import TagSettings
from pastelbot.service.access import AccessPolicy
from pastelbot.service.audit import AuditTrail
from pastelbot.service.tags.dictionary import Tags
from pastelbot.store.moderation.audit import AuditLog
from pastelbot.store.moderation.blocks import BlockStore
from pastelbot.store.moderation.pauses import Pauses
from pastelbot.store.settings import SettingsStore
from pastelbot.store.tags.search import TagStore
from pastelbot.store.tags.sets import TagSets


async def open_access(settings, database, clock):
    servers = SettingsStore(database)
    pauses = Pauses(servers)
    await pauses.load()
    return AccessPolicy(settings, servers, BlockStore(database), pauses, clock=clock)


def audit_trail(database, clock):
    return AuditTrail(AuditLog(database), clock=clock)


def tag_dictionary(database, clock, settings=None, access=None):
    sets = TagSets(database, clock=lambda: clock().timestamp())
    return Tags(TagStore(database), sets, settings or TagSettings(), access)
