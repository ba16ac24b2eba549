"""The rules of the house: what may be asked by whom, where. Everything that paints asks here first."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from pastelbot.config import LimitSettings, Settings
from pastelbot.errors import NotAllowedError
from pastelbot.prompt.word_list import WordList
from pastelbot.records import Asker, GenerationRequest, Job
from pastelbot.rules.content_filter import NO_WORDS, SHIPPED, AgeGate, ContentRules, adult_word, quoted, read_gate
from pastelbot.service import server_rules
from pastelbot.service.quotas import QUOTA, combined
from pastelbot.store.audit import AuditLog, Entry
from pastelbot.store.blocks import BlockStore
from pastelbot.store.database import Database
from pastelbot.store.pauses import Drains
from pastelbot.store.quotas import Allowance
from pastelbot.store.settings import Scope, SettingsStore, Value

_DETAIL = 1000  # characters


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What holds for one person in one place: the tightest of all caps, and what prompts may say."""

    limits: LimitSettings
    allowance: Allowance
    content: ContentRules


@dataclass(frozen=True, kw_only=True)
class _Said:
    """What was set for a server, somebody's roles, and the places where they ask."""

    server: dict[str, Value] = field(default_factory=dict)
    roles: tuple[dict[str, Value], ...] = ()
    places: tuple[dict[str, Value], ...] = ()


class House:
    """Reads the rules that apply to whoever asks. All errors are NotAllowedError."""

    def __init__(
        self,
        settings: Settings,
        store: SettingsStore,
        blocks: BlockStore,
        drains: Drains,
        audit: AuditLog,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._store = store
        self._blocks = blocks
        self.drains = drains
        self._audit = audit
        self._clock = clock
        self._gate: AgeGate | None = None
        self._lists: dict[tuple[str, ...], WordList] = {}

    @classmethod
    async def open(cls, settings: Settings, database: Database, *, clock: Callable[[], datetime]) -> "House":
        """Return the house as its database knows it."""
        store = SettingsStore(database)
        drains = Drains(store)
        await drains.load()
        return cls(settings, store, BlockStore(database), drains, AuditLog(database), clock=clock)

    async def terms(self, asker: Asker) -> Terms:
        """Return what holds for this person here; raises where nothing may be asked."""
        said = await self._said(asker)
        self._check_place(asker, said.server)
        await self.check_block(asker)
        self.check_drained(asker)
        return self._terms(asker, said)

    async def allowances(self, asker: Asker) -> Terms:
        """Return what would hold for this person here, whether or not they may ask now."""
        return self._terms(asker, await self._said(asker))

    async def enter(self, asker: Asker) -> None:
        """Raise where the bot does not answer: in channels it is kept out of, and in direct messages by default."""
        self._check_place(asker, await self._server(asker))

    async def check_block(self, asker: Asker) -> None:
        """Raise where a moderator has blocked the person."""
        if asker.guild_id is None:
            return
        block = await self._blocks.get(asker.guild_id, asker.user_id, now=self._clock())
        if block is None:
            return
        reason = quoted(block.reason) if block.reason else "they gave none"
        if block.until is None:
            raise NotAllowedError(
                f"The moderators of this server have asked you to take a break from painting. Their reason: {reason}. "
                "Your pictures stay. If you think this is a mistake, talk to the moderators."
            )
        second = int(block.until.timestamp())
        raise NotAllowedError(
            "The moderators of this server have asked you to take a break from painting until "
            f"<t:{second}:f> (<t:{second}:R>). Their reason: {reason}. "
            "Your pictures stay. If you think this is a mistake, talk to the moderators."
        )

    def check_drained(self, asker: Asker) -> None:
        """Raise where no new jobs are taken."""
        if self.drains.hold(asker.guild_id):
            raise NotAllowedError(
                "The bot is taking a break here and accepts no new pictures for now. Those in line are kept and go on "
                "by themselves after it; try again later."
            )

    async def adult_word(self, asker: Asker, request: GenerationRequest) -> str | None:
        """Return an adult tag that the request's prompts have, if they have one."""
        return adult_word(request, (await self.allowances(asker)).content)

    async def check_admin(self, asker: Asker) -> None:
        """Raise where the person has neither Manage Server nor the role that was given the same right here."""
        role = (await self._server(asker)).get(server_rules.ADMIN_ROLE)
        if not asker.manages_server and (asker.guild_id is None or role not in asker.role_ids):
            raise NotAllowedError("This is for people who may manage the server, and for the role they chose for it.")

    async def check_reviewer(self, asker: Asker) -> None:
        """Raise where the person may not decide about withheld pictures: moderators and admins may."""
        if not asker.manages_messages:
            await self.check_admin(asker)

    async def note(self, asker: Asker, action: str, job: Job) -> None:
        """Write down what somebody did with a job."""
        await self.write_down(asker, action, target_id=job.user_id, job_id=job.id)

    async def write_down(
        self, asker: Asker, action: str, *, target_id: int | None = None, job_id: str | None = None, detail: str = ""
    ) -> None:
        """Write down what somebody did in the server's log."""
        await self._audit.record(
            Entry(
                at=self._clock(),
                guild_id=asker.guild_id,
                user_id=asker.user_id,
                action=action,
                target_id=target_id,
                job_id=job_id,
                detail=detail[:_DETAIL],
            )
        )

    def in_messages(self, asker: Asker) -> Asker:
        """Return who asks as what holds for a result in a direct message: that is age-restricted only by config."""
        return replace(asker, age_restricted=self._settings.house.adult_in_direct_messages)

    def is_operator(self, asker: Asker) -> bool:
        """Tell whether the person runs the bot, as the configuration says."""
        return asker.user_id in self._settings.house.operators

    async def _server(self, asker: Asker) -> dict[str, Value]:
        return {} if asker.guild_id is None else await self._store.all(Scope.GUILD, asker.guild_id)

    async def _said(self, asker: Asker) -> "_Said":
        """Read all settings that matter to somebody, at once: this is done for every request."""
        if asker.guild_id is None:
            return _Said()
        wanted = {Scope.GUILD: [asker.guild_id], Scope.ROLE: asker.role_ids, Scope.CHANNEL: asker.places}
        found = await self._store.together(wanted)
        return _Said(
            server=found[Scope.GUILD].get(asker.guild_id, {}),
            roles=tuple(found[Scope.ROLE].values()),
            places=tuple(found[Scope.CHANNEL].values()),
        )

    def _check_place(self, asker: Asker, server: dict[str, Value]) -> None:
        if asker.guild_id is None:
            if not self._settings.discord.direct_messages:
                raise NotAllowedError(
                    "This bot does not paint in direct messages: ask it in a server that you share with it."
                )
            return
        channels = server.get(server_rules.CHANNELS)
        if not server_rules.answers_in(channels, asker.places):
            allowed = ", ".join(f"<#{place}>" for place in server_rules.allowed_places(channels)[:5])
            raise NotAllowedError(
                f"The bot does not answer in this channel. It does in {allowed}."
                if allowed
                else "The bot does not answer in this channel: ask in another one."
            )

    def _terms(self, asker: Asker, said: "_Said") -> Terms:
        roles = [server_rules.Caps.of(settings) for settings in said.roles]
        places = [server_rules.Caps.of(settings) for settings in said.places]
        quotas = [settings.get(QUOTA) for settings in said.roles]
        return Terms(
            limits=server_rules.combined(server_rules.Caps.of(said.server), roles, places, self._settings.limits),
            allowance=combined(self._settings.quota, said.server.get(QUOTA), quotas),
            content=self._content(asker, said.server),
        )

    def _content(self, asker: Asker, server: dict[str, Value]) -> ContentRules:
        private = asker.guild_id is None and self._settings.house.adult_in_direct_messages
        return ContentRules(
            gate=self._age_gate(),
            words=self._list([*self._settings.house.words, *server_rules.texts(server.get(server_rules.WORDS))]),
            own_adult=self._list(server_rules.texts(server.get(server_rules.ADULT_TAGS))),
            adult_allowed=asker.age_restricted or private,
        )

    def _age_gate(self) -> AgeGate:
        """Return the shipped or the operator's lists; where they cannot be read, every request is refused."""
        if self._gate is None:
            path: Path = self._settings.house.adult_list or SHIPPED
            self._gate = read_gate(path)
        return self._gate

    def _list(self, entries: list[str]) -> WordList:
        """Return the entries as a list to look for; a list that has been made is kept until there are many."""
        if not entries:
            return NO_WORDS
        key = tuple(entries)
        if key not in self._lists:
            if len(self._lists) >= 200:
                self._lists.clear()
            self._lists[key] = WordList(key)
        return self._lists[key]
