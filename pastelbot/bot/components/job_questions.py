"""Questions of the job buttons: what is asked, privately, before one of them does anything."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

from pastelbot.bot.checks import actor_of
from pastelbot.bot.components.job_actions import STRENGTHS
from pastelbot.bot.context import Interaction
from pastelbot.bot.responses import close_question
from pastelbot.records import Job
from pastelbot.rules.visibility import check_may_manage, may_manage

_KEPT = 1000


class Choice(NamedTuple):
    """A button of a question: its verb, the picture's number where there are several, and its row."""

    verb: str
    number: int | None = None
    row: int | None = None


class ShownQuestions:
    """The last question that each user was asked in each channel by a button under a picture: a new one replaces it.

    Kept in memory, as Discord lets the bot delete a private message for 15 minutes alone.
    """

    def __init__(self) -> None:
        self._shown: OrderedDict[tuple[int, int | None], Interaction] = OrderedDict()

    async def replaced_by(self, interaction: Interaction) -> None:
        """Remember a question that was shown, and remove the one before it where it is still there."""
        place = (interaction.user.id, interaction.channel_id)
        earlier = self._shown.pop(place, None)
        self._shown[place] = interaction
        while len(self._shown) > _KEPT:
            self._shown.popitem(last=False)
        if earlier is not None and not earlier.is_expired():
            await close_question(earlier)


class Question(NamedTuple):
    """What is asked, and the buttons that answer it."""

    text: str
    choices: Sequence[Choice]


async def question(interaction: Interaction, verb: str, job: Job, number: int | None) -> Question | None:
    """Return what a button asks about first; None where it does its work at once. Raises NotAllowedError."""
    numbers: Sequence[int | None] = [None] if job.request.count == 1 else range(1, job.request.count + 1)
    if verb == "vary":
        text = "How far may the variation go? Subtle keeps nearly everything, Strong changes details."
        return Question(text, _rows(tuple(STRENGTHS), numbers))
    if verb == "hires" and number is None:
        text = "How shall it be painted large? Faithful keeps faces and shapes, Creative paints details anew."
        return Question(text, _rows(("faithful", "creative"), numbers))
    if verb == "edit" and number is None and job.request.prompts:
        return Question("Each picture has a prompt of its own: which one shall be changed?", _rows(("edit",), numbers))
    if verb in ("share", "unshare") and number is None and job.request.count > 1:
        return await _sharing(interaction, job, numbers)
    if verb == "more":
        return Question("What else with this picture?", await _more(interaction, job))
    return await _deletion(interaction, job) if verb == "delete" else None


async def again(interaction: Interaction, job: Job, number: int | None) -> Question:
    """Return the question under whose answer, to share or not, a person may choose again."""
    asked = await question(interaction, "share" if number else "more", job, None)
    return asked or Question("", ())


def row_of(job: Job) -> tuple[str, ...]:
    """Return the verbs under a finished picture: four that fit beside each other on a phone, the last one for more."""
    if job.request.grid is not None:
        return "reroll", "edit", "more"
    return "reroll", "edit", "vary" if job.request.hires is not None else "hires", "more"


def _rows(verbs: Sequence[str], numbers: Sequence[int | None]) -> list[Choice]:
    """Return a row of buttons for each verb, one for each picture; a single row for one picture."""
    if len(numbers) == 1:
        return [Choice(verb, numbers[0]) for verb in verbs]
    return [Choice(verb, chosen, row) for row, verb in enumerate(verbs) for chosen in numbers]


async def _sharing(interaction: Interaction, job: Job, numbers: Sequence[int | None]) -> Question:
    """Ask which picture goes into the gallery, or out of it."""
    shared = await interaction.client.services.gallery.shared(job.id)
    choices = [Choice("unshare" if (chosen or 1) - 1 in shared else "share", chosen) for chosen in numbers]
    return Question("Which picture shall everybody find in the gallery?", choices)


async def _more(interaction: Interaction, job: Job) -> list[Choice]:
    """Return what has no place in the row, as far as this person may do it."""
    verbs = ["seed", "infotext"]
    if job.request.grid is None and "vary" not in row_of(job):
        verbs.insert(0, "vary")
    actor = actor_of(interaction)
    if actor.outside:  # there is no gallery, and only the picture's own message has what deletes it
        return [Choice(verb) for verb in verbs]
    if job.user_id == interaction.user.id and not job.options.private:
        shared = job.request.count == 1 and await interaction.client.services.gallery.shared(job.id)
        verbs.append("unshare" if shared else "share")
    if may_manage(job, actor):
        verbs.append("delete")
    return [Choice(verb) for verb in verbs]


async def _deletion(interaction: Interaction, job: Job) -> Question | None:
    """Ask before a deletion by which another user loses something; raises NotAllowedError."""
    check_may_manage(job, actor_of(interaction))
    if job.user_id != interaction.user.id:
        text = f"This is <@{job.user_id}>'s picture. Delete it for all, with its message?"
    elif await interaction.client.services.gallery.shared(job.id):
        text = "This picture is in the gallery, with the votes of others. Delete it for all, with its message?"
    else:
        return None
    return Question(text, [Choice("remove")])
