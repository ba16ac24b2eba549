"""Administration of a server: authorised and audited use cases."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pastelbot.config import Settings
from pastelbot.errors import LimitError, NotAllowedError, NotFoundError, RequestError, quoted
from pastelbot.jobs.dispatcher import Dispatcher
from pastelbot.prompt.word_list import phrase_of
from pastelbot.records import Actor, GenerationRequest, Job, JobStatus
from pastelbot.rules.content_filter import refusals
from pastelbot.rules.timing.durations import read_duration
from pastelbot.service import server_rules
from pastelbot.service.access import AccessPolicy
from pastelbot.service.audit import AuditTrail
from pastelbot.service.gallery import Gallery
from pastelbot.service.requests.preferences import prompt_affixes
from pastelbot.store.jobs.store import JobStore
from pastelbot.store.moderation.audit import AuditEntry
from pastelbot.store.moderation.blocks import Block, BlockStore
from pastelbot.store.moderation.pauses import EVERYWHERE
from pastelbot.store.quotas import Allowance
from pastelbot.store.settings import Scope, SettingsStore, Value
from pastelbot.store.stats import Figures, StatsStore

_MOST_WORDS = 500
_LONGEST_WORD = 100
_PAGE = 10


@dataclass(frozen=True, kw_only=True)
class Stats:
    """How a server and the machine stand: `spans` are figures by the name of a span of time."""

    spans: Mapping[str, Figures]
    waiting: int
    painting: int
    drained: bool
    checkpoint: str
    pictures_bytes: int
    database_bytes: int
    free_bytes: int


@dataclass(frozen=True, kw_only=True)
class Overview:
    """Everything that holds in a server: `limits` are the operator's, `quota` is that of everyone without a role's."""

    server: Mapping[str, Value]
    places: Mapping[int, server_rules.Caps]
    roles: Mapping[int, server_rules.Caps]
    blocks: tuple[Block, ...]
    drained: bool
    drained_everywhere: bool
    limits: server_rules.Caps
    quota: Allowance
    role_quotas: Mapping[int, Allowance]
    affixes: tuple[str, str] = ("", "")


class Admin:
    """What `/admin` does. `actor` is always the admin; every method raises NotAllowedError for other users."""

    def __init__(
        self,
        settings: Settings,
        servers: SettingsStore,
        blocks: BlockStore,
        access: AccessPolicy,
        jobs: JobStore,
        dispatcher: Dispatcher,
        audit: AuditTrail,
        stats: StatsStore,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._servers = servers
        self._blocks = blocks
        self._access = access
        self._jobs = jobs
        self._dispatcher = dispatcher
        self._audit = audit
        self._stats = stats
        self._clock = clock

    async def set_place(self, actor: Actor, place_id: int, rule: str | None) -> None:
        """Allow or deny the bot in a channel, category or thread; None forgets what was said about it."""
        guild_id = await self._admin(actor)
        said = (await self._servers.all(Scope.GUILD, guild_id)).get(server_rules.CHANNELS)
        channels: dict[str, Value] = dict(said) if isinstance(said, dict) else {}
        if rule is None and channels.pop(str(place_id), None) is None:
            raise NotFoundError(f"There is no rule for <#{place_id}>.")
        if rule is not None:
            channels[str(place_id)] = rule
        await self._set(actor, {server_rules.CHANNELS: channels or None}, f"{rule or 'forget'} <#{place_id}>")

    async def set_caps(self, actor: Actor, scope: Scope, owner_id: int, caps: server_rules.Caps) -> server_rules.Caps:
        """Change those caps of a server, channel or role that are not None; return what is set then."""
        await self._admin(actor)
        given = {name: value for name, value in caps.named().items() if value is not None}
        if not given:
            raise RequestError("Nothing was to be changed: give a size, steps, a count or a hires size.")
        for name, value in given.items():
            most = getattr(self._settings.limits, server_rules.CAPS[name])
            if value > most:
                raise LimitError(f"The cap of {value:,} for {name} is above this bot's own limit of {most:,}.")
        await self._servers.update(scope, owner_id, {f"cap_{name}": value for name, value in given.items()})
        detail = ", ".join(f"{name} {value}" for name, value in given.items())
        whose = f"the server: {detail}" if scope is Scope.GUILD else f"{_mention(scope, owner_id)}: {detail}"
        await self._audit.record(actor, "caps", detail=whose)
        return server_rules.Caps.of(await self._servers.all(scope, owner_id))

    async def clear_caps(self, actor: Actor, scope: Scope, owner_id: int) -> None:
        """Forget all caps of a server, channel or role."""
        await self._admin(actor)
        if server_rules.Caps.of(await self._servers.all(scope, owner_id)) == server_rules.Caps():
            raise NotFoundError(f"There are no caps for {_mention(scope, owner_id)}.")
        await self._servers.update(scope, owner_id, server_rules.Caps().changes())
        await self._audit.record(actor, "caps", detail=f"{_mention(scope, owner_id)}: cleared")

    async def block(self, actor: Actor, user_id: int, *, duration: str | None, reason: str, trusted: bool) -> Block:
        """Block a user from painting, and cancel their queued jobs; `trusted` users cannot be blocked."""
        guild_id = await self._admin(actor)
        if trusted or user_id == actor.user_id:
            raise NotAllowedError("You cannot block yourself, a bot, or a user who manages the server.")
        until = self._clock() + read_duration(duration) if duration else None
        block = Block(
            guild_id=guild_id,
            user_id=user_id,
            until=until,
            reason=" ".join(reason.split())[: server_rules.LONGEST_REASON],
        )
        await self._blocks.put(block)
        await self._audit.record(actor, "block", target_id=user_id, detail=_span(duration, block.reason))
        await self._cancel_waiting(guild_id, user_id)
        return block

    async def unblock(self, actor: Actor, user_id: int) -> None:
        """Let a user paint again."""
        guild_id = await self._admin(actor)
        if not await self._blocks.remove(guild_id, user_id, now=self._clock()):
            raise NotFoundError(f"<@{user_id}> is not blocked.")
        await self._audit.record(actor, "unblock", target_id=user_id)

    async def words(self, actor: Actor, name: str) -> list[str]:
        """Return one of the server's lists: `rules.WORDS` or `rules.ADULT_TAGS`."""
        guild_id = await self._admin(actor)
        return server_rules.texts((await self._servers.all(Scope.GUILD, guild_id)).get(name))

    async def add_words(self, actor: Actor, name: str, typed: str) -> list[str]:
        """Add words and tags, separated by commas, to a list; return those that are new."""
        known = await self.words(actor, name)
        fresh = [entry for entry in _entries(typed) if phrase_of(entry) not in map(phrase_of, known)]
        if not fresh:
            raise RequestError("All of that is on the list already.")
        if len(known) + len(fresh) > _MOST_WORDS:
            raise LimitError(f"A list has at most {_MOST_WORDS} entries, and {len(known)} are there.")
        await self._set(actor, {name: [*known, *fresh]}, f"add {', '.join(fresh)}", action=name)
        return fresh

    async def remove_words(self, actor: Actor, name: str, typed: str) -> list[str]:
        """Take words and tags off a list; return those that were on it."""
        known = await self.words(actor, name)
        unwanted = [phrase_of(entry) for entry in _entries(typed)]
        gone = [entry for entry in known if phrase_of(entry) in unwanted]
        if not gone:
            raise NotFoundError("None of that is on the list.")
        left: list[Value] = [entry for entry in known if entry not in gone]
        await self._set(actor, {name: left or None}, f"remove {', '.join(gone)}", action=name)
        return gone

    async def test_words(self, actor: Actor, prompt: str) -> list[str]:
        """Return every reason to refuse a prompt where the admin is; a prompt that cannot be read raises."""
        await self._admin(actor)
        content = (await self._access.preview(actor)).content
        found = await asyncio.to_thread(lambda: list(refusals(GenerationRequest(prompt=prompt), content)))
        return [str(refusal) for refusal in found]

    async def set_value(self, actor: Actor, name: str, value: Value, *, shown: str) -> None:
        """Set one of the server's settings; None removes it."""
        guild_id = await self._admin(actor)
        if value is None and name not in await self._servers.all(Scope.GUILD, guild_id):
            raise NotFoundError("That was not set.")
        if name == server_rules.ADMIN_ROLE and not actor.manages_server:
            raise NotAllowedError("Only people with Manage Server choose the role that may use /admin.")
        await self._set(actor, {name: value}, shown, action=name)

    async def remove_from_gallery(self, actor: Actor, gallery: Gallery, number: int) -> Job:
        """Take a picture out of the gallery; return its job."""
        await self._admin(actor)
        return await gallery.unshare(replace(actor, manages_messages=True), number)

    async def drain(self, actor: Actor, *, everywhere: bool, drained: bool) -> bool:
        """Stop giving out jobs, or go on; return whether that changed anything."""
        guild_id = await self._admin(actor)
        if everywhere and not self._access.is_operator(actor):
            raise NotAllowedError(
                "Only the bot's operators stop it everywhere: house.operators in its configuration names them."
            )
        changed = await self._access.pauses.set(EVERYWHERE if everywhere else guild_id, drained=drained)
        if changed:
            detail = "everywhere" if everywhere else ""
            await self._audit.record(actor, "drain" if drained else "resume", detail=detail)
        self._dispatcher.wake()
        return changed

    async def stats(self, actor: Actor) -> Stats:
        """Return how the server and the machine stand."""
        guild_id = await self._admin(actor)
        now = self._clock()
        spans = {"24 hours": timedelta(days=1), "7 days": timedelta(days=7), "30 days": timedelta(days=30)}
        overview = await self._dispatcher.overview(most=1)
        disk = await self._stats.disk_usage(self._settings.storage.pictures)
        ours = self._dispatcher.checkpoint
        return Stats(
            spans={name: await self._stats.figures(guild_id, since=now - span) for name, span in spans.items()},
            waiting=overview.waiting,
            painting=len(overview.running),
            drained=self._access.pauses.is_paused(guild_id),
            checkpoint=f"{ours.checkpoint} ({ours.checkpoint_hash}) on {ours.device}" if ours is not None else "",
            pictures_bytes=disk.pictures,
            database_bytes=disk.database,
            free_bytes=disk.free,
        )

    async def overview(self, actor: Actor, *, channel_ids: Iterable[int], role_ids: Iterable[int]) -> Overview:
        """Return everything that is set for the server, and for these channels and roles of it."""
        guild_id = await self._admin(actor)
        places = await self._servers.each(Scope.CHANNEL, channel_ids)
        roles = await self._servers.each(Scope.ROLE, role_ids)
        pauses = self._access.pauses
        server = await self._servers.all(Scope.GUILD, guild_id)
        quota, limits = self._settings.quota, self._settings.limits
        return Overview(
            server=server,
            places=_capped(places),
            roles=_capped(roles),
            blocks=tuple(await self._blocks.all(guild_id, now=self._clock())),
            drained=guild_id in pauses.guilds,
            drained_everywhere=pauses.everywhere,
            limits=server_rules.Caps(**{name: getattr(limits, key) for name, key in server_rules.CAPS.items()}),
            quota=server_rules.combined_allowance(quota, server.get(server_rules.QUOTA), []),
            role_quotas={
                role: server_rules.combined_allowance(quota, None, [values[server_rules.QUOTA]])
                for role, values in roles.items()
                if server_rules.QUOTA in values
            },
            affixes=prompt_affixes(server),
        )

    async def log(self, actor: Actor, *, user_id: int | None, page: int) -> list[AuditEntry]:
        """Return a page of the log, the newest entries first; `page` counts from 1."""
        guild_id = await self._admin(actor)
        return await self._audit.page(guild_id, user_id=user_id, limit=_PAGE, skip=(page - 1) * _PAGE)

    async def record(self, actor: Actor, action: str, *, target_id: int | None = None, detail: str = "") -> None:
        """Write down what an admin did elsewhere."""
        await self._admin(actor)
        await self._audit.record(actor, action, target_id=target_id, detail=detail)

    async def purge(self) -> None:
        """Forget what is older than the operator wants the log to be."""
        days = self._settings.moderation.audit_days
        if days:
            await self._audit.purge(before=self._clock() - timedelta(days=days))

    async def _admin(self, actor: Actor) -> int:
        if actor.guild_id is None:
            raise NotAllowedError("This is about a server: use it in one.")
        await self._access.check_admin(actor)
        return actor.guild_id

    async def _set(
        self, actor: Actor, changes: dict[str, Value], detail: str, *, action: str = server_rules.CHANNELS
    ) -> None:
        await self._servers.update(Scope.GUILD, actor.guild_id or 0, changes)
        await self._audit.record(actor, action, detail=detail)

    async def _cancel_waiting(self, guild_id: int, user_id: int) -> None:
        running = (await self._dispatcher.overview(most=1)).running
        mine = [job.id for job in await self._jobs.in_line() if job.user_id == user_id and job.guild_id == guild_id]
        mine += [job.id for job in running if job.user_id == user_id and job.reply and job.reply.guild_id == guild_id]
        for job_id in mine:
            await self._dispatcher.end(job_id, JobStatus.CANCELLED)


def _entries(typed: str) -> list[str]:
    entries = list(dict.fromkeys(" ".join(entry.split()) for entry in typed.replace("\n", ",").split(",")))
    entries = [entry for entry in entries if entry]
    for entry in entries:
        if len(entry) > _LONGEST_WORD:
            raise LimitError(f"{quoted(entry[:40])} is too long: an entry has at most {_LONGEST_WORD} characters.")
        if not phrase_of(entry):
            raise RequestError(f"{quoted(entry)} has no letters or digits: nothing could be found by it.")
    if not entries:
        raise RequestError("Give words or tags, separated by commas.")
    return entries


def _span(duration: str | None, reason: str) -> str:
    """Describe how long a user is blocked, and why."""
    if duration is None:
        return f"for good ({reason})" if reason else "for good"
    return f"for {duration.strip()} ({reason})" if reason else f"for {duration.strip()}"


def _mention(scope: Scope, owner_id: int) -> str:
    return {Scope.CHANNEL: f"<#{owner_id}>", Scope.ROLE: f"<@&{owner_id}>"}.get(scope, "the server")


def _capped(settings: Mapping[int, Mapping[str, Value]]) -> dict[int, server_rules.Caps]:
    caps = {owner_id: server_rules.Caps.of(values) for owner_id, values in settings.items()}
    return {owner_id: cap for owner_id, cap in caps.items() if cap != server_rules.Caps()}
