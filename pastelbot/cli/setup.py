"""`pastelbot setup`: asks for what a bot needs, checks it, and writes the configuration and the token's file."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Protocol

import typer

from pastelbot import config
from pastelbot.cli.options import ConfigOption, named_in, path_option
from pastelbot.config.editing import with_key
from pastelbot.doctor.finding import Finding, Level
from pastelbot.doctor.local_checks import application_id, invite_link
from pastelbot.errors import ConfigError, PastelError
from pastelbot.paths import is_there

_BEGINNING = "# Pastelbot's configuration. Every key, with its default, is in config.example.toml.\n"
_PRIVATE = 0o600


class Ask(Protocol):
    """A question on the terminal; an empty answer is the default."""

    def __call__(self, question: str, *, default: str, hidden: bool = False) -> str:
        """Return the answer."""
        ...


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("setup")
    def setup_command(
        token_file: Annotated[Path | None, path_option("The file with the token, or where to keep it.")] = None,
        checkpoint: Annotated[str | None, typer.Option(help="bundled, a file, a folder, or a hub name.")] = None,
        device: Annotated[str | None, typer.Option(help="auto, cuda, cuda:1, mps or cpu.")] = None,
        *,
        yes: Annotated[bool, typer.Option("--yes", help="Ask nothing: take what is set already.")] = False,
        config: ConfigOption = None,
    ) -> None:
        """Set the bot up: token, invite link, device, checkpoint. May be run again."""
        from pastelbot.doctor.device_check import device_findings

        path = config or named_in(os.environ) or Path("config.toml")
        assistant = Assistant(path, ask=None if yes else _ask, say=typer.echo, look=device_findings)
        assistant.set_token(os.environ.pop("PASTELBOT_TOKEN", "").strip(), token_file)
        assistant.set_device(device)
        assistant.set_checkpoint(checkpoint)
        assistant.write()


def _ask(question: str, *, default: str, hidden: bool = False) -> str:
    shown = "keep the present one" if hidden and default else default
    text = f"{question} [{shown}]" if shown else question
    return str(typer.prompt(text, default=default, hide_input=hidden, show_default=False)).strip()


class Assistant:
    """Collects the answers, each checked when it is given; nothing is written before all of them are there.

    `ask` is None where nothing may be asked: then what was given, else what is set, is taken, and what is wrong with it
    is an error. `look` returns the findings about a device.
    """

    def __init__(
        self,
        path: Path,
        *,
        ask: Ask | None,
        say: Callable[[str], None],
        look: Callable[[config.Settings], Iterable[Finding]],
    ) -> None:
        self._path, self._ask, self._say, self._look = path, ask, say, look
        self._is_new = not path.exists()
        self._text = _BEGINNING if self._is_new else path.read_bytes().decode("utf-8")
        # The token's file may be missing: then it is what is set up here. With a token, it is not read.
        found = config.load(None if self._is_new else path, environ={"PASTELBOT_TOKEN": "none"})
        self._settings = found
        self._token_file = found.discord.token_file or path.parent / "token.txt"
        self._token: str | None = None
        self._no_gpu = False

    def set_token(self, given: str, file: Path | None) -> None:
        """Take the token that was given, else that of the file, else an answer; say which application it is of."""
        if file is not None:
            self._token_file = file.resolve()
        present = given or self._kept_token()
        question = "Bot token (Bot page of the developer portal, Reset Token; it is not shown)"
        self._token = self._answer(question, given, present, _check_token, hidden=True)
        application = application_id(self._token) or 0
        self._say(f"Application {application}. This link invites the bot, with the permissions it needs:")
        self._say(invite_link(application))

    def set_device(self, given: str | None) -> None:
        """Take the device that was given, else an answer, and say what painting is like on it."""
        device = self._answer(
            "Device: auto, cuda, cuda:1, mps or cpu", given, self._settings.checkpoint.device, self._try
        )
        if device != self._settings.checkpoint.device:
            self._text = with_key(self._text, "checkpoint", "device", device)

    def set_checkpoint(self, given: str | None) -> None:
        """Take the checkpoint that was given, else an answer; without a GPU a new bot begins with the bundled one."""
        default = config.BUNDLED if self._is_new and self._no_gpu else self._written_path()
        question = "Checkpoint: bundled, a .safetensors file, a diffusers folder, or a name on the hub"
        path = self._answer(question, given, default, self._check_checkpoint)
        if self._is_new or path != default:
            self._text = with_key(self._text, "checkpoint", "path", path)

    def write(self) -> None:
        """Write both files, the token's for its owner alone; raises ConfigError where they cannot be written."""
        if self._token_file != self._settings.discord.token_file:
            self._text = with_key(self._text, "discord", "token_file", self._relative(self._token_file))
        is_new_token = self._token != self._kept_token()
        try:
            if is_new_token:
                _replace(self._token_file, f"{self._token}\n".encode(), _PRIVATE)
            mode = 0o644 if self._is_new else self._path.stat().st_mode & 0o777
            _replace(self._path, self._text.encode(), mode)
        except OSError as error:
            raise ConfigError(f"{error.filename} cannot be written: {error.strerror}.") from error
        # A file that was there keeps its mode, which may be right for a service's user; doctor says where it is not.
        kept = "which only you can read" if is_new_token else "as before"
        self._say(f"Written: {self._path}. The token is in {self._token_file}, {kept}.")
        self._say("Next: pastelbot doctor checks everything, pastelbot run starts the bot.")

    def _answer(
        self, question: str, given: str | None, default: str, check: Callable[[str], None], *, hidden: bool = False
    ) -> str:
        """Return an answer that passes the check: the given one, else one that is asked for until it does."""
        if given or self._ask is None:
            answer = given or default
            check(answer)
            return answer
        while True:
            answer = self._ask(question, default=default, hidden=hidden)
            try:
                check(answer)
            except PastelError as error:
                self._say(str(error))
            else:
                return answer

    def _try(self, device: str) -> None:
        """Look at a device; raises ConfigError where the bot cannot paint on it."""
        changed = {"path": "", "device": device}
        settings = self._settings.model_copy(
            update={"checkpoint": self._settings.checkpoint.model_copy(update=changed)}
        )
        findings = list(self._look(settings))
        for finding in findings:
            if finding.level is Level.FAIL:
                raise ConfigError(finding.text)
            self._say(str(finding))
        self._no_gpu = any(one.what == "device" and one.level is Level.WARN for one in findings)

    def _check_checkpoint(self, reference: str) -> None:
        from pastelbot.formats.precheck import check_reference

        beside = self._path.parent / reference
        if reference != config.BUNDLED:
            check_reference(str(beside) if is_there(beside) else reference)

    def _written_path(self) -> str:
        """Return the checkpoint as the file has it, not where it was found."""
        found = Path(self._settings.checkpoint.path)
        beside = found.is_absolute() and found.is_relative_to(self._path.resolve().parent)
        return self._relative(found) if beside else self._settings.checkpoint.path

    def _relative(self, path: Path) -> str:
        """Return a path as it is written into the file: relative to it where it is beside it."""
        folder, path = self._path.resolve().parent, path.resolve()
        return str(path.relative_to(folder)) if path.is_relative_to(folder) else str(path)

    def _kept_token(self) -> str:
        try:
            return self._token_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            return ""


def _check_token(token: str) -> None:
    if not token:
        raise ConfigError("There is no token yet: set PASTELBOT_TOKEN, or name a file that holds it with --token-file.")
    if application_id(token) is None:
        raise ConfigError(
            "It does not look like a bot's token, three parts with dots between them: copy it from the Bot page of the "
            "developer portal, not OAuth2's."
        )


def _replace(path: Path, content: bytes, mode: int) -> None:
    """Write a file as a whole, with a mode that it has from the beginning."""
    path = path.resolve()  # a link stays one
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    part.replace(path)
