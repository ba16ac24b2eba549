"""Every error that Pastelbot raises on purpose.

    PastelError
    ├── StartupError              the program cannot run; exit code 2, one sentence
    │   ├── ConfigError           a key, a value or the token is wrong
    │   ├── PathError             no file can be at a path, or this user may not read it
    │   ├── CheckpointError       the checkpoint is missing, damaged or of another kind
    │   ├── DatabaseError         the database cannot be opened or written
    │   └── TaggerError           the tagger's files or ONNX Runtime are missing or damaged
    ├── RequestError              the request cannot be done; nothing is charged
    │   ├── PromptError           syntax, with the position
    │   ├── LimitError            over a cap; says the cap
    │   ├── QuotaError            the allowance is used up; says when it renews
    │   ├── NotAllowedError       another user's job, or a missing permission
    │   │   └── WordError             a word in the prompt; without it the request may be allowed
    │   └── NotFoundError         the job or picture is gone
    ├── StoreError            a statement failed; the cause says why
    │   ├── StoreDamagedError     the database's file is damaged; its operator must restore it
    │   └── StorageError          for reasons outside the program; the same may succeed later
    │       ├── StorageFullError      the disk is full
    │       ├── StorageBusyError      another program holds the database
    │       └── StorageClosedError    the bot stops; after the restart it works again
    ├── RepeatedError         Discord delivered an interaction again; what it asked for is queued already
    ├── TagFileError              a list of tags cannot be read; the vocabulary stays as it was
    ├── WorkshopError             files cannot be merged or converted as asked; nothing is written
    │   └── RecipeError           a recipe is wrong; names the step and the key
    └── PaintingError             a job failed in the worker; it is refunded
        ├── OutOfMemoryError      says the size that would fit
        └── NumericalError        NaN latents; names the step

The text of an error is a sentence for the user: what was wrong, where, and what to do.
"""


class PastelError(Exception):
    """The root; its text can be shown to the user who caused it."""


class StartupError(PastelError):
    """The program cannot run with its present setup."""


class ConfigError(StartupError):
    """A configuration key or value is wrong."""


class PathError(StartupError):
    """No file can be at a path, or what is there may not be read."""


class CheckpointError(StartupError):
    """The checkpoint is missing, damaged or not a Stable Diffusion 1.x model."""


class DatabaseError(StartupError):
    """The database cannot be opened, migrated or written."""


class TaggerError(StartupError):
    """The tagger cannot be loaded or used; the text is for the operator."""


class RequestError(PastelError):
    """The request cannot be done; nothing was charged."""


class PromptError(RequestError):
    """The prompt has a syntax error.

    `position` is the 0-based index of the character where reading stopped, when it is known.
    """

    def __init__(self, message: str, *, position: int | None = None) -> None:
        super().__init__(message)
        self.position = position


class LimitError(RequestError):
    """A value is over a cap; the text says the cap."""


class QuotaError(RequestError):
    """The user's quota is used up; the text says when it renews."""


class NotAllowedError(RequestError):
    """The user may not do this."""


class WordError(NotAllowedError):
    """The prompt has a word that is not allowed here; another prompt may be."""


class NotFoundError(RequestError):
    """The job or picture no longer exists."""


class StoreError(PastelError):
    """The database could not be read or written; the cause, which is for the log, says why."""


class StoreDamagedError(StoreError):
    """The database's file is damaged: nothing helps but a restore."""


class StorageError(StoreError):
    """Storage failed for reasons outside the program: the same may succeed later."""


class StorageFullError(StorageError):
    """The disk is full."""


class StorageBusyError(StorageError):
    """Another program holds the database."""


class StorageClosedError(StorageError):
    """The database is closed, because the bot stops."""


class RepeatedError(PastelError):
    """Discord delivered an interaction again; what it asked for is queued already."""


class TagFileError(PastelError):
    """A list of tags cannot be read or imported; the vocabulary stays as it was."""


class WorkshopError(PastelError):
    """Files cannot be merged or converted as asked; nothing was written."""


class RecipeError(WorkshopError):
    """A recipe is wrong; the text names the step and the key."""


class PaintingError(PastelError):
    """A job failed while it was painted; the text says why."""


class OutOfMemoryError(PaintingError):
    """The device does not have enough memory for this picture."""


class NumericalError(PaintingError):
    """The latents became NaN or infinite."""


def quoted(word: str) -> str:
    """Quote a word as code, so that nothing in it is markdown or a mention."""
    return f"`{in_code(word)}`"


def in_code(word: str) -> str:
    """Return a word as it can stand between the two signs of code: without any of them."""
    return word.replace("`", "\N{PRIME}")


def install_command(extra: str = "") -> str:
    """Return the command that installs Pastelbot, with an extra, from its folder into its environment.

    All texts take it from here; tests/test_docs.py holds the guides to it. Windows' shell has no single quotes.
    """
    constraints = "constraints-web.txt" if extra == "web" else "constraints.txt"
    return " ".join((".venv/bin/pip", "install", "--constraint", constraints, f'".[{extra}]"' if extra else "."))
