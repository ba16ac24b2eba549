"""Checks of the configuration and of this machine: in milliseconds, without torch and without the network."""

import base64
import binascii
import platform
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pastelbot.config import BUNDLED, Settings, open_files
from pastelbot.doctor.finding import Finding, Level
from pastelbot.errors import CheckpointError, DatabaseError, install_command
from pastelbot.formats.precheck import check_reference, is_missing, near
from pastelbot.paths import is_there
from pastelbot.store.maintenance.checking import quick_check
from pastelbot.store.maintenance.disk_space import database_bytes

_TOKEN = re.compile(r"([\w-]{18,})\.[\w-]{6}\.[\w-]{25,}")
# View Channels, Send Messages, Attach Files, Read Message History, Send Messages in Threads (Discord's bits).
_PERMISSIONS = 1 << 10 | 1 << 11 | 1 << 15 | 1 << 16 | 1 << 38
_CHECK_SECONDS = 3.0  # what is not found in this time, `pastelbot db check` finds
_LITTLE = 2 * 2**30  # bytes of disk
_PACKAGES = ("discord.py", "torch", "diffusers", "transformers")
_EARLIEST = datetime(2026, 1, 1, tzinfo=UTC)  # a clock before this was never set


def local_findings(settings: Settings, *, now: datetime) -> Iterator[Finding]:
    """Yield everything that can be seen without a device and without Discord."""
    yield from _token(settings)
    yield from _checkpoints(settings)
    yield from folder_findings(settings)
    yield from _storage(settings)
    yield from _unloading(settings)
    yield _clock(now)
    yield _versions()


def application_id(token: str) -> int | None:
    """Return the application's id, which a token begins with; None where it is no bot's token."""
    match = _TOKEN.fullmatch(token)
    if match is None:
        return None
    try:
        return int(base64.urlsafe_b64decode(match[1] + "=" * (-len(match[1]) % 4)))
    except (binascii.Error, ValueError):
        return None


def invite_link(application: int) -> str:
    """Return the address that invites the bot with the permissions that it needs."""
    return (
        f"https://discord.com/oauth2/authorize?client_id={application}"
        f"&scope=bot+applications.commands&permissions={_PERMISSIONS}"
    )


def _token(settings: Settings) -> Iterator[Finding]:
    if settings.token is None:
        cure = "there is none: set PASTELBOT_TOKEN, or name a file that holds it as discord.token_file"
        yield Finding(level=Level.FAIL, what="token", text=cure)
        return
    for sentence in open_files(settings):
        yield Finding(level=Level.WARN, what="secrets", text=sentence)
    application = application_id(settings.token.get_secret_value())
    if application is None:
        cure = "it does not look like a bot's token: copy it from the Bot page of the developer portal, not OAuth2's"
        yield Finding(level=Level.FAIL, what="token", text=cure)
        return
    yield Finding(level=Level.OK, what="token", text=f"of the application {application}")
    yield Finding(level=Level.OK, what="invite", text=invite_link(application))


def _checkpoints(settings: Settings) -> Iterator[Finding]:
    default = settings.checkpoint
    named = _reference(f"checkpoint {default.name}", default.path, Level.FAIL, has_vae=default.vae is not None)
    yield named if settings.source or "path" in default.model_fields_set else _unconfigured(named)
    for name, one in settings.checkpoints.items():
        if name != default.name:
            yield _reference(f"checkpoint {name}", one.path, Level.WARN, has_vae=one.vae is not None)
    vaes = dict(settings.vaes)
    if settings.checkpoint.vae is not None and settings.checkpoint.vae not in vaes:
        vaes["checkpoint.vae"] = settings.checkpoint.vae
    for name, reference in vaes.items():
        yield _place(f"VAE {name}", reference)


def _unconfigured(named: Finding) -> Finding:
    """Say what paints where nothing is configured: that depends on the command."""
    text = f"none is configured, so the bot takes {named.text}; `pastelbot imagine` and the demo take the bundled one"
    return Finding(level=named.level, what=named.what, text=text)


def _reference(what: str, reference: str, level: Level, *, has_vae: bool) -> Finding:
    if reference == BUNDLED:
        return Finding(level=Level.OK, what=what, text="the bundled one")
    try:
        check_reference(reference, has_vae=has_vae)
    except CheckpointError as error:
        return Finding(level=level, what=what, text=str(error))
    return _place(what, reference)


def _place(what: str, reference: str) -> Finding:
    try:
        missing = is_missing(reference)
    except CheckpointError as error:
        return Finding(level=Level.WARN, what=what, text=str(error))
    if is_there(reference):
        return Finding(level=Level.OK, what=what, text=reference)
    if missing:
        return Finding(level=Level.WARN, what=what, text=f"there is no file {reference}{near(reference)}: correct it")
    return Finding(level=Level.OK, what=what, text=f"{reference}, from the hub (not checked: downloaded when needed)")


def folder_findings(settings: Settings) -> Iterator[Finding]:
    """Yield a warning for each configured folder of models or lists that is not there: the bot starts without it."""
    folders = {
        "checkpoint.loras": settings.checkpoint.loras,
        "checkpoint.embeddings": settings.checkpoint.embeddings,
        "checkpoint.upscalers": settings.checkpoint.upscalers,
        "checkpoint.taesd": settings.checkpoint.taesd,
        "prompts.wildcards": settings.prompts.wildcards,
    }
    for key, folder in folders.items():
        if folder is not None and not folder.is_dir():
            yield Finding(level=Level.WARN, what=key, text=f"there is no folder {folder}: make it, or correct its name")


def _unloading(settings: Settings) -> Iterator[Finding]:
    minutes = settings.worker.unload_minutes
    if minutes:
        text = f"ends after {minutes:g} minutes without a job; the next picture waits until it is loaded again"
        yield Finding(level=Level.OK, what="worker", text=text)


def _storage(settings: Settings) -> Iterator[Finding]:
    for what, path in (("database", settings.storage.database.parent), ("pictures", settings.storage.pictures)):
        there = next((folder for folder in (path, *path.absolute().parents) if folder.is_dir()), Path("/"))
        free = shutil.disk_usage(there).free
        level = Level.WARN if free < _LITTLE else Level.OK
        cure = ": free some space, or set storage.max_gib" if level else ""
        if free < settings.storage.min_free_mib * 2**20:
            level, cure = Level.FAIL, ": nothing is painted below storage.min_free_mib; free some space"
        yield Finding(level=level, what=f"disk of the {what}", text=f"{free / 2**30:.1f} GiB free at {there}{cure}")
    if not (settings.storage.keep_days or settings.storage.max_gib):
        cure = "they are kept for ever, about 1 MB each: set storage.keep_days or storage.max_gib"
        yield Finding(level=Level.WARN, what="pictures", text=cure)
    yield _database(settings.storage.database)


def _database(path: Path) -> Finding:
    try:
        quick_check(path, seconds=_CHECK_SECONDS)
    except DatabaseError as error:
        return Finding(level=Level.FAIL, what="database", text=str(error))
    return Finding(level=Level.OK, what="database", text=f"{path}, {database_bytes(path) / 2**20:.0f} MiB")


def _clock(now: datetime) -> Finding:
    text = f"{now:%Y-%m-%d %H:%M} UTC"
    if now < _EARLIEST:
        return Finding(level=Level.FAIL, what="clock", text=f"{text} is in the past: set it, quotas follow it")
    return Finding(level=Level.OK, what="clock", text=text)


def _versions() -> Finding:
    found = [f"Python {platform.python_version()}"]
    for package in _PACKAGES:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            text = f"{package} is missing: {install_command()}"
            return Finding(level=Level.FAIL, what="versions", text=text)
    return Finding(level=Level.OK, what="versions", text=", ".join(found))
