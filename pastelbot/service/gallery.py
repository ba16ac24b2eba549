"""Gallery: share, unshare, vote, browse, and the ancestry of pictures."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from pastelbot.errors import NotAllowedError, NotFoundError, RequestError
from pastelbot.prompt.tags.names import tag_key, tags_in
from pastelbot.records import Actor, Job, JobStatus
from pastelbot.rules.visibility import may_see_shared, sees_channel
from pastelbot.service import server_rules
from pastelbot.service.access import AccessPolicy
from pastelbot.service.audit import AuditTrail
from pastelbot.service.requests.submission import JobService
from pastelbot.service.visibility import Visibility
from pastelbot.store.gallery import Ancestor, GalleryEntry, GalleryStore, PendingDeletion, Search, View
from pastelbot.store.jobs.store import JobStore
from pastelbot.store.picture_files import PictureFiles
from pastelbot.store.settings import Scope, SettingsStore
from pastelbot.store.stored_pictures import StoredPicture

_PAGE = 4

# Tells whether a picture belongs into age-restricted channels alone; raises NotAllowedError where it is withheld.
AdultCheck = Callable[[Job, StoredPicture], Awaitable[bool]]


@dataclass(frozen=True, kw_only=True)
class Credit:
    """One picture that another was made from; `user_id` and `link` are None where they are private."""

    user_id: int | None
    link: str | None


@dataclass(frozen=True, kw_only=True)
class Shown:
    """An entry as it is shown: with its file, and what it was made from, the nearest first."""

    entry: GalleryEntry
    path: Path
    credits: tuple[Credit, ...]


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page of the gallery; `number` 0 is the first, `upto` the newest entry that counts in all of its pages."""

    shown: tuple[Shown, ...]
    number: int
    pages: int
    total: int
    upto: int = 0


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Who made the pictures of a message, and what from."""

    job: Job
    pictures: tuple[StoredPicture, ...]
    credits: tuple[Credit, ...]


class Gallery:
    """Share, unshare, vote, browse; never across servers."""

    def __init__(
        self,
        store: GalleryStore,
        jobs: JobStore,
        service: JobService,
        access: AccessPolicy,
        audit: AuditTrail,
        files: PictureFiles,
        settings: SettingsStore,
        visibility: Visibility,
        *,
        adult: AdultCheck,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._jobs = jobs
        self._service = service
        self._access = access
        self._audit = audit
        self._files = files
        self._settings = settings
        self._visibility = visibility
        self._adult = adult
        self._clock = clock

    async def share(self, actor: Actor, job_id: str, index: int) -> GalleryEntry:
        """Put one of the actor's own pictures into the server's gallery."""
        guild_id = _server(actor)
        job = await self._service.job(job_id)
        job = replace(job, request=job.request.of_picture(index))
        _check_shareable(job, actor)
        await self._access.check_block(actor)
        picture = await self._picture(job, index)
        adult = await self._adult(job, picture)
        tags = dict.fromkeys(tag_key(tag) for tag in tags_in(job.request.prompt))
        entry_id = await self._store.share(job, index, guild_id=guild_id, adult=adult, tags=tags, now=self._clock())
        if entry_id is None:
            await self._picture(job, index)  # it may have been deleted at this moment
            raise RequestError("This picture is in the gallery already: /gallery shows it.")
        return await self._entry(replace(actor, age_restricted=True), entry_id)

    async def shared(self, job_id: str) -> dict[int, int]:
        """Return the numbers of a job's pictures that are in a gallery, counted from 0, with their entries."""
        return await self._store.shared(job_id)

    async def set_post(self, entry_id: int, channel_id: int, message_id: int) -> bool:
        """Remember the message that shows an entry; False where the entry is gone, and the message should go."""
        return await self._store.set_post(entry_id, channel_id, message_id)

    async def set_copies(self, shown: Sequence[Shown], guild_id: int, channel_id: int, message_id: int) -> None:
        """Record a public message that shows these entries: it is deleted when one of them is removed."""
        ids = [each.entry.id for each in shown]
        await self._store.set_copies(ids, message_id=message_id, channel_id=channel_id, guild_id=guild_id)

    async def unshare(self, actor: Actor, entry_id: int) -> Job:
        """Take a picture out of the gallery: its author or a moderator does. Return its job."""
        entry = await self._entry(replace(actor, age_restricted=True), entry_id)
        if entry.user_id != actor.user_id and not actor.manages_messages:
            raise NotAllowedError("This is another user's picture: its author and moderators can take it out.")
        await self._store.unshare(entry_id)
        if entry.user_id != actor.user_id:
            await self._audit.record(actor, "gallery", target_id=entry.user_id, detail=f"#{entry_id}")
        return await self._service.job(entry.job_id)

    async def vote(self, actor: Actor, entry_id: int) -> bool:
        """Vote for a picture, or take the vote back; return whether there is one now."""
        entry = await self._entry(actor, entry_id)
        await self._access.check_block(actor)
        if entry.user_id == actor.user_id:
            raise NotAllowedError("This is your own picture: others vote for it.")
        return await self._store.toggle_vote(entry_id, actor.user_id, now=self._clock())

    async def job_of(self, actor: Actor, entry_id: int) -> Job:
        """Return the job of an entry, as if it had painted this picture alone."""
        entry = await self._entry(actor, entry_id)
        job = await self._service.job(entry.job_id)
        return _alone(job, entry.number)

    async def page(
        self, actor: Actor, view: View, number: int, *, tag: str = "", text: str = "", upto: int | None = None
    ) -> Page:
        """Return a page of this server's gallery, the last one where `number` is too large.

        What was shared after the entry `upto` is left out; None is the newest one.
        """
        search = _search(actor, view, tag, text)
        upto = await self._store.newest(search.guild_id) if upto is None else upto
        search = replace(search, upto=upto)
        entries, total = await self._store.find(search, offset=number * _PAGE, limit=_PAGE, now=self._clock())
        if not actor.age_restricted and await self._restrict(entries):
            return await self.page(actor, view, number, tag=tag, text=text, upto=upto)
        pages = max(1, -(-total // _PAGE))
        if number >= pages:
            return await self.page(actor, view, pages - 1, tag=tag, text=text, upto=upto)
        return Page(shown=await self.show(entries), number=number, pages=pages, total=total, upto=upto)

    async def shown(self, actor: Actor, entry_ids: Sequence[int]) -> tuple[Shown, ...]:
        """Return these entries as they are now; those that are gone are missing."""
        entries = [await self._store.get(entry_id) for entry_id in entry_ids]
        return await self.show([entry for entry in entries if entry is not None and _visible(entry, actor)])

    async def best(
        self, guild_id: int, *, since: datetime, until: datetime, adult: bool, limit: int
    ) -> tuple[Shown, ...]:
        """Return the pictures shared in that time with the most votes."""
        best = await self._store.best(guild_id, since=since, until=until, adult=adult, limit=limit)
        if not adult and await self._restrict(best):
            return await self.best(guild_id, since=since, until=until, adult=adult, limit=limit)
        return await self.show(best)

    async def channel(self, guild_id: int) -> int | None:
        """Return the channel where a server's gallery is shown, or None."""
        return server_rules.whole((await self._settings.all(Scope.GUILD, guild_id)).get(server_rules.GALLERY_CHANNEL))

    async def best_of_channels(self) -> dict[int, int]:
        """Return the servers that want their week's best posted, and where: True is the gallery's channel."""
        found = {}
        for guild_id, value in (await self._settings.owners(Scope.GUILD, server_rules.BEST_OF)).items():
            channel_id = await self.channel(guild_id) if value is True else server_rules.whole(value)
            if channel_id is not None:
                found[guild_id] = channel_id
        return found

    async def erasures(self, limit: int) -> list[PendingDeletion]:
        """Return messages that are to be deleted in Discord, of pictures that left the gallery."""
        return await self._store.erasures(limit=limit)

    async def erased(self, message_id: int) -> None:
        """Take note that a message is gone."""
        await self._store.erased(message_id)

    async def complete_tag(self, actor: Actor, typed: str) -> list[str]:
        """Return tags of this server's gallery that begin as typed, the most used first."""
        return await self._store.common_tags(_search(actor, View.NEWEST, "", ""), tag_key(typed), limit=25)

    async def who_made(self, actor: Actor, message_id: int) -> Provenance:
        """Return who made the pictures of a message, and from what; raises NotFoundError, and NotAllowedError."""
        entry = await self._store.by_message(message_id)
        job = await self._visibility.shown_in(actor, message_id)
        if job is None:
            raise NotFoundError("This message shows no known picture: choose a message of this bot with a picture.")
        pictures = await self._jobs.pictures(job.id)
        if entry is not None:
            job, pictures = (
                _alone(job, entry.number),
                [picture for picture in pictures if picture.number == entry.number],
            )
        credits_ = await self._credits(job.id, job.reply.guild_id if job.reply else None, actor)
        return Provenance(job=job, pictures=tuple(pictures), credits=credits_)

    async def message_deleted(self, message_id: int) -> None:
        """Delete what a deleted message showed: its pictures, or the gallery's entry where it was only a copy."""
        entry = await self._store.by_message(message_id)
        if entry is not None:
            await self._store.unshare(entry.id)
        await self._store.erased(message_id)
        job = await self._jobs.by_message(message_id)
        if job is not None and job.status.ended:
            await self._files.drop(await self._jobs.forget_pictures(job.id))
            await self._jobs.erase_ready_message(job.id)

    async def channel_deleted(self, channel_id: int) -> None:
        """Delete the pictures that a deleted channel or thread showed; those shared from elsewhere stay."""
        await self._store.forget_posts(channel_id)
        await self._files.forget_channel(channel_id)

    async def _picture(self, job: Job, index: int, *, expired: bool = False) -> StoredPicture:
        """Return a picture of a job, one whose file was swept away only where that is asked for."""
        pictures = await self._jobs.pictures(job.id)
        picture = next((picture for picture in pictures if picture.number == index), None)
        if picture is None:
            raise NotFoundError("The picture was deleted: paint it again with Reroll, then share that.")
        if not expired and not self._files.path(picture).is_file():
            raise NotFoundError("The picture's file is no longer kept: paint it again with Seed, then share that.")
        return picture

    async def _entry(self, actor: Actor, entry_id: int) -> GalleryEntry:
        entry = await self._store.get(entry_id)
        if entry is None or entry.guild_id != actor.guild_id:
            raise NotFoundError("This picture is no longer in the gallery.")
        if not _visible(entry, actor) or (not actor.age_restricted and await self._restrict([entry])):
            raise NotAllowedError("This picture is for age-restricted channels: look at it there.")
        return entry

    async def _restrict(self, entries: Sequence[GalleryEntry]) -> bool:
        """Keep to age-restricted channels what has become adult since it was shared, by tags that the server added."""
        late = [entry for entry in entries if not entry.adult and await self._has_become_adult(entry)]
        if late:
            await self._store.restrict([entry.id for entry in late])
        return bool(late)

    async def _has_become_adult(self, entry: GalleryEntry) -> bool:
        job = await self._service.job(entry.job_id)
        return await self._adult(job, await self._picture(job, entry.number, expired=True))

    async def show(self, entries: Sequence[GalleryEntry]) -> tuple[Shown, ...]:
        """Return the entries with their files and credits."""
        folder = self._files.folder
        return tuple(
            [
                Shown(
                    entry=entry,
                    path=folder / (entry.file or "swept-away.png"),
                    credits=await self._credits(entry.job_id, entry.guild_id),
                )
                for entry in entries
            ]
        )

    async def _credits(self, job_id: str, guild_id: int | None, actor: Actor | None = None) -> tuple[Credit, ...]:
        """Return what a picture was made from, for one user or for everybody in the server."""
        return tuple(_credit(ancestor, guild_id, actor) for ancestor in await self._store.ancestors(job_id))


def _check_shareable(job: Job, actor: Actor) -> None:
    if job.user_id != actor.user_id:
        raise NotAllowedError("This is another user's picture: only its author can share it.")
    if job.options.private:
        raise NotAllowedError("This picture is private: paint it again without `private`, then share that.")
    if job.reply is None or job.reply.guild_id != actor.guild_id:
        raise NotAllowedError("This picture was painted elsewhere: share it there.")
    if job.status is not JobStatus.DONE:
        raise RequestError("This picture is not finished: share it when it is.")


def _server(actor: Actor) -> int:
    if actor.guild_id is None:
        raise RequestError("There is no gallery in direct messages: ask in a server.")
    return actor.guild_id


def _search(actor: Actor, view: View, tag: str, text: str) -> Search:
    guild_id = _server(actor)
    adult = actor.age_restricted
    return Search(guild_id=guild_id, user_id=actor.user_id, adult=adult, view=view, tag=tag_key(tag), text=text)


def _visible(entry: GalleryEntry, actor: Actor) -> bool:
    return may_see_shared(actor, guild_id=entry.guild_id, adult=entry.adult)


def _alone(job: Job, index: int) -> Job:
    return replace(job, request=job.request.alone(index))


def _credit(ancestor: Ancestor, guild_id: int | None, actor: Actor | None) -> Credit:
    """Say nothing of private pictures, of those made elsewhere, and of those in channels that the user cannot read."""
    hidden = actor is not None and not sees_channel(actor, ancestor.channel_id or 0)
    if ancestor.user_id is None or ancestor.private or ancestor.guild_id != guild_id or hidden:
        return Credit(user_id=None, link=None)
    link = None
    if ancestor.message_id is not None:
        place = guild_id or "@me"
        link = f"https://discord.com/channels/{place}/{ancestor.channel_id}/{ancestor.message_id}"
    return Credit(user_id=ancestor.user_id, link=link)
