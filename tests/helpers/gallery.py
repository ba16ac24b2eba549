"""The gallery of a studio: short ways to share, to look, and to read a page."""

from pastelbot.store.settings import Scope, SettingsStore


class Gallery:
    """A studio with a gallery's channel, and short ways to share and look."""

    def __init__(self, studio):
        self.studio = studio
        self.channel = studio.guild.create_text_channel("gallery")

    async def set(self, **changes):
        store = SettingsStore(self.studio.bot.services.database)
        await store.update(Scope.GUILD, self.studio.guild.id, changes)

    async def painted(self, prompt="1girl, red hair", *, by=None, **options):
        await self.studio.imagine(prompt, by=by, **options)
        return await self.studio.finish()

    async def shared(self, prompt="1girl, red hair", *, by=None, **options):
        """Paint and share a picture; return its message."""
        by = by or self.studio.hana
        message = await self.painted(prompt, by=by, **options)
        await self.studio.more(by, message, "Share")
        return message

    async def look(self, by=None, **options):
        """Open /gallery; return its message."""
        by = by or self.studio.kenji
        result = await by.slash(self.studio.channel, "gallery", **options)
        return result.response

    @property
    def posts(self):
        return [post for post in self.channel.history(viewer=self.studio.mod) if not post.flags.ephemeral]


def parts(message):
    """Yield all components of a message."""

    def walk(components):
        for component in components:
            yield component
            yield from walk(component.get("components") or [])
            if component.get("accessory"):
                yield component["accessory"]

    raw = message.components
    yield from walk([part if isinstance(part, dict) else part.to_dict() for part in raw])


def text_of(message):
    return "\n".join(part["content"] for part in parts(message) if part["type"] == 10)


def button(message, label):
    """Return the custom id of the first button whose label begins so."""
    return next(part["custom_id"] for part in parts(message) if part["type"] == 2 and part["label"].startswith(label))
