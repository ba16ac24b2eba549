"""Personal data: export all of a user's data, and delete it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from pastelbot.errors import NotFoundError, RequestError
from pastelbot.records import JobStatus
from pastelbot.service.personal_data.exporting import Item, listed, packed, room_for, text_item, zipped
from pastelbot.store.personal_data import PersonalPicture, PersonalStore, StartPicture
from pastelbot.store.picture_files import PictureFiles

_ARCHIVES = 4  # files that one answer brings

_README = """This is all that Pastelbot keeps about you.

*.json            the tables of its database: your jobs with their prompts, shared pictures, votes, presets, settings,
                  quotas, and what moderators did
pictures/         your pictures, each with its infotext
started-from/     the pictures that you gave it to start from
"""


@dataclass(frozen=True, kw_only=True)
class Export:
    """A part of an export: `archives` are zip files. `expired` pictures were deleted before, `too_large` do not fit."""

    archives: tuple[bytes, ...]
    part: int
    parts: int
    pictures: int
    expired: int
    too_large: int


class EndsJobs(Protocol):
    """What cancels jobs: the dispatcher, or the database alone where no bot runs."""

    async def end(self, job_id: str, status: JobStatus) -> object:
        """Cancel a job and refund it."""


class PersonalData:
    """Export and forget."""

    def __init__(
        self,
        store: PersonalStore,
        dispatcher: EndsJobs,
        files: PictureFiles,
    ) -> None:
        self._store = store
        self._dispatcher = dispatcher
        self._files = files
        self._exporting: set[int] = set()

    async def parts(self, user_id: int, *, limit: int, archives: int = _ARCHIVES) -> int:
        """Return how many parts an export has."""
        return -(-len(packed(await self._items(user_id), limit=limit)) // archives)

    async def export(self, user_id: int, *, part: int, limit: int, archives: int = _ARCHIVES) -> Export:
        """Return one part of all that is kept about a person, in so many archives of at most `limit` bytes."""
        if user_id in self._exporting:
            raise RequestError("Your data is being put together already: wait for it.")
        self._exporting.add(user_id)
        try:
            return await self._export(user_id, part, limit, archives)
        finally:
            self._exporting.discard(user_id)

    async def forget(self, user_id: int) -> list[str]:
        """Delete what is kept about a person, cancelling what is queued; return the jobs that were cancelled."""
        active = await self._store.active_jobs(user_id)
        for job_id in active:
            await self._dispatcher.end(job_id, JobStatus.CANCELLED)
        await self._files.drop(await self._store.forget(user_id))
        return active

    async def _export(self, user_id: int, part: int, limit: int, at_once: int) -> Export:
        pictures = await self._store.pictures(user_id)
        items = await self._items(user_id)
        archives = packed(items, limit=limit)
        parts = -(-len(archives) // at_once)
        if not 1 <= part <= parts:
            raise NotFoundError(f"There is no part {part}: your data has {parts} part{'s' * (parts > 1)}.")
        chosen = archives[(part - 1) * at_once : part * at_once]
        return Export(
            archives=tuple([await self._zipped(archive) for archive in chosen]),
            part=part,
            parts=parts,
            pictures=len(pictures),
            expired=sum(picture.file is None for picture in pictures),
            too_large=sum(room_for(item) > limit for item in items),
        )

    async def _items(self, user_id: int) -> list[Item]:
        tables = await self._store.rows(user_id)
        items = [text_item("README.txt", _README), *await asyncio.to_thread(lambda: list(listed(tables)))]
        items += [item for picture in await self._store.pictures(user_id) for item in self._picture_items(picture)]
        return [*items, *(self._start_item(each) for each in await self._store.start_pictures(user_id))]

    def _picture_items(self, picture: PersonalPicture) -> list[Item]:
        name = f"pictures/{picture.job_id}-{picture.number + 1}-{picture.seed}"
        items = [text_item(f"{name}.txt", picture.infotext)]
        if picture.file is not None:
            items.append(Item(name=f"{name}.png", size=picture.size, path=self._files.folder / picture.file))
        return items

    def _start_item(self, start: StartPicture) -> Item:
        path = self._files.folder / start.file
        return Item(name=f"started-from/{start.job_id}{path.suffix}", size=start.size, path=path)

    async def _zipped(self, items: Sequence[Item]) -> bytes:
        return await asyncio.to_thread(zipped, items)
