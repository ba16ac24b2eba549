"""Access policy: who may request what, and where. Every request is checked here first."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from pastelbot.config import LimitSettings, Settings
from pastelbot.errors import NotAllowedError, quoted
from pastelbot.options import default_work
from pastelbot.prompt.word_list import WordList
from pastelbot.records import Actor, GenerationRequest
from pastelbot.rules.content_filter import NO_WORDS, SHIPPED, AgeGate, ContentRules, adult_word, read_gate
from pastelbot.service import server_rules
from pastelbot.store.moderation.blocks import BlockStore
from pastelbot.store.moderation.pauses import Pauses
from pastelbot.store.quotas import Allowance
from pastelbot.store.settings import Scope, SettingsStore, Value


@dataclass(frozen=True, kw_only=True)
class EffectivePolicy:
    """What holds for one person in one place: the tightest of all caps, and what prompts may say."""

    limits: LimitSettings
    allowance: Allowance
    content: ContentRules


@dataclass(frozen=True, kw_only=True)
class _ScopedSettings:
    """The settings of a server, the actor's roles, and the places of the request."""

    server: dict[str, Value] = field(default_factory=dict)
    roles: tuple[dict[str, Value], ...] = ()
    places: tuple[dict[str, Value], ...] = ()


class AccessPolicy:
    """Reads the rules that apply to an actor. All errors are NotAllowedError."""

    def __init__(
        self,
        settings: Settings,
        store: SettingsStore,
        blocks: BlockStore,
        pauses: Pauses,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._store = store
        self._blocks = blocks
        self.pauses = pauses
        self._clock = clock
        self._default_work = default_work(settings)
        self._gate: AgeGate | None = None
        self._lists: dict[tuple[str, ...], WordList] = {}

    async def authorize(self, actor: Actor) -> EffectivePolicy:
        """Return what holds for this user here; raises where the place, a block or a pause forbids any request."""
        scoped = await self._scoped_settings(actor)
        self._check_place(actor, scoped.server)
        await self.check_block(actor)
        self._check_paused(actor)
        return self._effective_policy(actor, scoped)

    async def preview(self, actor: Actor) -> EffectivePolicy:
        """Return what would hold for this user here, whether or not they may ask now."""
        return self._effective_policy(actor, await self._scoped_settings(actor))

    async def allowance(self, actor: Actor) -> Allowance:
        """Return the allowance of work of this user here, whether or not they may ask now."""
        return self._allowance(await self._scoped_settings(actor))

    async def check_channel(self, actor: Actor) -> None:
        """Raise where the bot does not answer: in channels it is kept out of, and in direct messages by default."""
        self._check_place(actor, await self._server(actor))

    async def check_block(self, actor: Actor) -> None:
        """Raise where a moderator has blocked the person."""
        if actor.guild_id is None:
            return
        block = await self._blocks.get(actor.guild_id, actor.user_id, now=self._clock())
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

    def _check_paused(self, actor: Actor) -> None:
        """Raise where no new jobs are taken."""
        if self.pauses.is_paused(actor.guild_id):
            raise NotAllowedError(
                "The bot is taking a break here and accepts no new pictures for now. Queued ones are kept and go on by "
                "themselves after it; try again later."
            )

    async def adult_word(self, actor: Actor, request: GenerationRequest) -> str | None:
        """Return an adult tag that the request's prompts have, if they have one."""
        return adult_word(request, (await self.preview(actor)).content)

    async def check_admin(self, actor: Actor) -> None:
        """Raise where the person has neither Manage Server nor the role that was given the same right here."""
        role = (await self._server(actor)).get(server_rules.ADMIN_ROLE)
        if not actor.manages_server and (actor.guild_id is None or role not in actor.role_ids):
            raise NotAllowedError("This is for people who may manage the server, and for the role they chose for it.")

    async def check_reviewer(self, actor: Actor) -> None:
        """Raise where the person may not decide about withheld pictures: moderators and admins may."""
        if not actor.manages_messages:
            await self.check_admin(actor)

    def in_messages(self, actor: Actor) -> Actor:
        """Return who asks as what holds for a result in a direct message: that is age-restricted only by config."""
        return replace(actor, age_restricted=self._settings.moderation.adult_in_direct_messages)

    def adult_allowed(self, actor: Actor) -> bool:
        """Return whether adult pictures may be shown where the user asks."""
        in_messages = actor.guild_id is None and not actor.outside
        return actor.age_restricted or (in_messages and self._settings.moderation.adult_in_direct_messages)

    def is_operator(self, actor: Actor) -> bool:
        """Return whether the person runs the bot, as the configuration says."""
        return actor.user_id in self._settings.moderation.operators

    async def _server(self, actor: Actor) -> dict[str, Value]:
        return {} if actor.guild_id is None else await self._store.all(Scope.GUILD, actor.guild_id)

    async def _scoped_settings(self, actor: Actor) -> _ScopedSettings:
        """Read all settings that matter to an actor in one query: this is done for every request."""
        if actor.guild_id is None:
            return _ScopedSettings()
        wanted = {Scope.GUILD: [actor.guild_id], Scope.ROLE: actor.role_ids, Scope.CHANNEL: actor.places}
        found = await self._store.together(wanted)
        return _ScopedSettings(
            server=found[Scope.GUILD].get(actor.guild_id, {}),
            roles=tuple(found[Scope.ROLE].values()),
            places=tuple(found[Scope.CHANNEL].values()),
        )

    def _check_place(self, actor: Actor, server: dict[str, Value]) -> None:
        if actor.guild_id is None:
            self._check_messages(actor)
            return
        channels = server.get(server_rules.CHANNELS)
        if not server_rules.answers_in(channels, actor.places):
            allowed = ", ".join(f"<#{place}>" for place in server_rules.allowed_places(channels)[:5])
            raise NotAllowedError(
                f"The bot does not answer in this channel. It does in {allowed}."
                if allowed
                else "The bot does not answer in this channel: ask in another one."
            )

    def _check_messages(self, actor: Actor) -> None:
        """Raise where the bot paints neither in direct messages nor in places that it is not in."""
        discord = self._settings.discord
        if actor.outside and not discord.user_install:
            raise NotAllowedError(
                "This bot paints only in servers that it is in: ask it in one that you share with it."
            )
        if not (discord.user_install or discord.direct_messages):
            raise NotAllowedError(
                "This bot does not paint in direct messages: ask it in a server that you share with it."
            )

    def _effective_policy(self, actor: Actor, scoped: _ScopedSettings) -> EffectivePolicy:
        roles = [server_rules.Caps.of(settings) for settings in scoped.roles]
        places = [server_rules.Caps.of(settings) for settings in scoped.places]
        return EffectivePolicy(
            limits=server_rules.combined(server_rules.Caps.of(scoped.server), roles, places, self._settings.limits),
            allowance=self._allowance(scoped),
            content=self._content(actor, scoped.server),
        )

    def _allowance(self, scoped: _ScopedSettings) -> Allowance:
        roles = [settings.get(server_rules.QUOTA) for settings in scoped.roles]
        server = scoped.server.get(server_rules.QUOTA)
        allowance = server_rules.combined_allowance(self._settings.quota, server, roles)
        return replace(allowance, usual=self._default_work)

    def _content(self, actor: Actor, server: dict[str, Value]) -> ContentRules:
        return ContentRules(
            gate=self._age_gate(),
            words=self._list([*self._settings.moderation.words, *server_rules.texts(server.get(server_rules.WORDS))]),
            own_adult=self._list(server_rules.texts(server.get(server_rules.ADULT_TAGS))),
            adult_allowed=self.adult_allowed(actor),
        )

    def _age_gate(self) -> AgeGate:
        """Return the shipped or the operator's lists; where they cannot be read, every request is refused."""
        if self._gate is None:
            path: Path = self._settings.moderation.adult_list or SHIPPED
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
