"""Context of an interaction for features: the typed client, its services and its messages. Imports no feature."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import discord
from discord.ext import commands

from pastelbot.i18n.languages import Languages
from pastelbot.records import ReplyTarget, Update
from pastelbot.service.gallery import Shown
from pastelbot.service.requests.submission import Queued
from pastelbot.service.services import Services
from pastelbot.store.gallery import GalleryEntry

# In the extras of a command that can be repeated with other texts, and the draft in those of an interaction.
EDITABLE = "editable"
# In the extras of a command that paints, or an interaction that does: errors of others say nothing of charges.
PAINTS = "paints"


class JobMessages(Protocol):
    """Writes the messages of jobs; `messages.delivery.Delivery` is one."""

    async def announce(self, interaction: discord.Interaction[Any], queued: Queued) -> None:
        """Answer an interaction with the job's message."""

    async def introduce(self, queued: Queued, interaction: discord.Interaction[Any] | None = None) -> None:
        """Show a job whose message is not the answer to the interaction that asked for it."""

    def publish(self, update: Update) -> None:
        """Show what has become of a job."""

    def forget(self, job_id: str) -> None:
        """Show nothing more of a job whose message was deleted."""


class BegunMessages(Protocol):
    """Begins direct messages of jobs to come; `messages.begun_messages.BegunMessages` does."""

    async def begin(self, user: discord.User | discord.Member, text: str, *, interaction_id: int) -> ReplyTarget:
        """Send a user a message that is to become a job's."""

    async def withdraw(self, target: ReplyTarget) -> None:
        """Delete a message whose job was not queued."""


class GalleryMessages(Protocol):
    """Writes the messages that show the gallery; `messages.gallery_posts.GalleryPosts` is one."""

    async def post(self, entry: GalleryEntry) -> str:
        """Show a shared picture in the gallery's channel; return what to answer its author."""

    async def refresh(self, shown: Shown) -> None:
        """Show an entry's votes in its post."""

    async def thumbnails(self, shown: Sequence[Shown]) -> list[discord.File]:
        """Return small copies of the pictures of a page."""

    async def keep_track(self, shown: Sequence[Shown], guild_id: int, channel_id: int, message_id: int) -> None:
        """Record a public message that shows entries."""

    def wake(self) -> None:
        """Delete soon what must go."""


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What a user typed: the prompts, the other options as flags, and texts without a flag by their options' names.

    `repeat` does again what the user asked for, with other texts; the prompt's flags are in it.
    """

    prompt: str
    negative: str
    flags: str
    texts: Mapping[str, str] = field(default_factory=dict)
    repeat: Callable[["Interaction", Mapping[str, str]], Awaitable[None]]


class RefusedDrafts(Protocol):
    """Keeps what was typed and refused; `components.drafts.Drafts` does."""

    def view(self, interaction: discord.Interaction[Any]) -> discord.ui.View | None:
        """Return the button that opens what an interaction's user typed; None where that was no prompt."""

    def get(self, number: str, user_id: int) -> Draft:
        """Return a user's draft; raises NotFoundError."""


class PrivateQuestions(Protocol):
    """Lets each question of a button replace the one before it; `components.job_questions.ShownQuestions` does."""

    async def replaced_by(self, interaction: discord.Interaction[Any]) -> None:
        """Remember a question that was shown, and remove the one before it."""


class PastelClient(commands.AutoShardedBot):
    """The client as features see it; what it offers is there from `setup_hook` on."""

    languages: Languages
    command_ids: dict[int | None, dict[str, int]]  # of a server, or of all; by the commands' names
    services: Services
    messages: JobMessages
    begun: BegunMessages
    posts: GalleryMessages
    drafts: RefusedDrafts
    questions: PrivateQuestions


Interaction = discord.Interaction[PastelClient]
