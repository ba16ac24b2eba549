"""Texts of `/admin`, as pure functions."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from discord.utils import format_dt

from pastelbot.bot import render
from pastelbot.bot.features.quota.texts import allowance_text
from pastelbot.bot.plain_text import plain
from pastelbot.rules import cost
from pastelbot.service import server_rules
from pastelbot.service.admin import Overview, Stats
from pastelbot.store.moderation.audit import PAINT, AuditEntry
from pastelbot.store.moderation.blocks import Block
from pastelbot.store.stats import Figures

_PROMPT = 120
_AFFIX = 200
_GONE = "-# its prompt is no longer kept"
_GIB = 2**30

_ACTIONS = {
    PAINT: "asked for a picture",
    "block": "blocked",
    "unblock": "unblocked",
    "approved": "approved a withheld picture of",
    "rejected": "rejected a withheld picture of",
    server_rules.CHANNELS: "changed the channels",
    server_rules.WORDS: "changed the word list",
    server_rules.ADULT_TAGS: "changed the list of adult tags",
    server_rules.MOD_CHANNEL: "set the mod channel",
    server_rules.ADMIN_ROLE: "set the admin role",
    server_rules.GALLERY_CHANNEL: "set the gallery's channel",
    server_rules.BEST_OF: "set the weekly best-of",
    "gallery": "took a picture out of the gallery of",
    "preset": "deleted a preset of",
    "guild settings": "changed the server's usual settings",
    "channel settings": "changed a channel's usual settings",
    "caps": "changed caps",
    "drain": "drained the bot",
    "resume": "resumed the bot",
    "delete": "deleted a picture of",
    "cancel": "cancelled a picture of",
    "quota server": "set the quota of the server",
    "quota role": "set the quota of",
    "quota grant": "granted extra work to",
}


_STATES = {
    "queued": "waiting",
    "leased": "being painted",
    "rendered": "about to be shown",
    "posted": "shown",
    "done": "done",
    "failed": "failed",
    "cancelled": "cancelled",
}


def block_text(block: Block) -> str:
    """Say who is blocked until when, and why."""
    until = "until they are unblocked" if block.until is None else f"until {_moment(block.until)}"
    return f"<@{block.user_id}> {until}: {plain(block.reason)}" if block.reason else f"<@{block.user_id}> {until}"


def caps_text(caps: server_rules.Caps) -> str:
    """List caps: `size 640, steps 20`."""
    parts = []
    if caps.size is not None:
        parts.append(f"size {caps.size}")
    if caps.steps is not None:
        parts.append(f"steps {caps.steps}")
    if caps.count is not None:
        parts.append(f"count {caps.count}")
    if caps.hires is not None:
        parts.append("no hires fix" if caps.hires == server_rules.NO_HIRES else f"hires {caps.hires}")
    return ", ".join(parts) or "none"


def overview_text(overview: Overview) -> str:
    """Say everything that is set for a server."""
    server = overview.server
    words, adult_tags = _count(server, server_rules.WORDS), _count(server, server_rules.ADULT_TAGS)
    drained = "stopped everywhere by an operator" if overview.drained_everywhere else "drained"
    lines = [
        f"**The bot here:** {drained if overview.drained or overview.drained_everywhere else 'at work'}",
        f"**Channels:** {_channels(server.get(server_rules.CHANNELS))}",
        f"**Caps of the server:** {caps_text(server_rules.Caps.of(server))}",
        *(f"- <#{place}>: {caps_text(caps)}" for place, caps in overview.places.items()),
        *(f"- <@&{role}>: {caps_text(caps)}" for role, caps in overview.roles.items()),
        f"**Limits of this bot:** {caps_text(overview.limits)}",
        f"**Quota of everyone here:** {allowance_text(overview.quota)}",
        *(f"- <@&{role}>: {allowance_text(quota)}" for role, quota in overview.role_quotas.items()),
        *_affixes(overview.affixes),
        f"**Word list:** {words}. **Own adult tags:** {adult_tags}",
        f"**Mod channel:** {_place(server.get(server_rules.MOD_CHANNEL), 'none: pictures rated as adult are refused')}",
        f"**Admin role:** {_role(server.get(server_rules.ADMIN_ROLE))}",
        f"**Gallery's channel:** {_place(server.get(server_rules.GALLERY_CHANNEL), 'none')}",
        f"**Weekly best-of:** {'on' if server.get(server_rules.BEST_OF) else 'off'}",
        f"**Blocked:** {len(overview.blocks) or 'no one'}",
        *(f"- {block_text(block)}" for block in overview.blocks),
    ]
    return render.fitted(lines)


def stats_text(stats: Stats) -> str:
    """Say how a server and the machine stand."""
    lines = [f"**{name}:** {_figures(figures)}" for name, figures in stats.spans.items()]
    lines += [
        f"**Queue (all servers):** {stats.painting} being painted, {stats.waiting} waiting",
        *(["**Drained here:** nothing is given out"] if stats.drained else []),
        f"**Painting with:** {plain(stats.checkpoint) or 'nothing yet, the worker is starting'}",
        f"**Disk:** {_disk(stats)}",
    ]
    return render.fitted(lines)


def log_text(entries: Sequence[AuditEntry], page: int) -> str:
    """List what happened, the newest first."""
    if not entries:
        return "There is nothing in the log." if page == 1 else f"There is nothing on page {page} of the log."
    return render.fitted([_entry(entry) for entry in entries])


def words_text(name: str, entries: Sequence[str]) -> str:
    """List a word list."""
    return (
        f"**{name}** ({len(entries)}):\n{', '.join(f'`{entry}`' for entry in entries)}" if entries else "It is empty."
    )


def _entry(entry: AuditEntry) -> str:
    when, person = int(entry.at.timestamp()), entry.user_id
    action = _ACTIONS.get(entry.action, plain(entry.action))
    if entry.target_id is not None:
        role = entry.action == "quota role"
        action = f"{action} <@&{entry.target_id}>" if role else f"{action} <@{entry.target_id}>"
    if entry.job_id is not None:
        action = _with_state(action, entry)
    detail = _with_places(plain(entry.detail[:120]))
    if entry.action == "preset":  # a name that a user chose
        detail = f"“{detail}”"
    line = f"<t:{when}:R> <@{person}> {action}: {detail}" if detail else f"<t:{when}:R> <@{person}> {action}"
    if entry.job_id is None:
        return line
    return f"{line}\n{_GONE if entry.prompt is None else render.quote(entry.prompt, _PROMPT)}"


def _with_state(action: str, entry: AuditEntry) -> str:
    """Add how far a job is, with a link to its message; its id where nothing else is known."""
    state = _STATES.get(entry.status or "")
    if state is None:
        return f"{action} `{entry.job_id}`"
    if entry.message_id is None or entry.channel_id is None or entry.action == "delete":
        return f"{action} ({state})"
    address = f"https://discord.com/channels/{entry.guild_id}/{entry.channel_id}/{entry.message_id}"
    return f"{action} ([{state}]({address}))"


def _with_places(escaped: str) -> str:
    """Restore mentions of channels and roles in an escaped text; they notify no one."""
    return re.sub(r"\\?<(#|@\u200b?&)(\d+)>", lambda found: f"<{found[1].replace(chr(0x200B), '')}{found[2]}>", escaped)


def _jobs(figures: Figures) -> str:
    if figures.jobs == 1:
        return "1 job of 1 person"
    if figures.people == 1:
        return f"{figures.jobs} jobs of 1 person"
    return f"{figures.jobs} jobs of {figures.people} people"


def _figures(figures: Figures) -> str:
    if not figures.jobs:
        return "nothing"
    parts = [
        _jobs(figures),
        f"{figures.done} done",
        f"{figures.failed} failed",
        f"{figures.cancelled} cancelled",
        cost.text(figures.work),
    ]
    if figures.withheld:
        parts.append(f"{figures.withheld} withheld")
    if figures.seconds > 0 and figures.work_timed:
        parts.append(f"{cost.number(int(figures.work_timed / figures.seconds))} {cost.UNIT} a second")
    return ", ".join(parts)


def _channels(value: object) -> str:
    said: Mapping[str, object] = value if isinstance(value, dict) else {}
    allowed = [f"<#{place}>" for place, rule in said.items() if rule == "allow"]
    denied = [f"<#{place}>" for place, rule in said.items() if rule == "deny"]
    parts = [f"only {', '.join(allowed)}" if allowed else "all"]
    if denied:
        parts.append(f"not {', '.join(denied)}")
    return ", ".join(parts)


def _place(value: object, nothing: str) -> str:
    return f"<#{value}>" if value else nothing


def _role(value: object) -> str:
    return f"<@&{value}>" if value else "none: Manage Server alone"


def _affixes(affixes: tuple[str, str]) -> list[str]:
    prefix, suffix = affixes
    lines = [f"**In front of every prompt:** {plain(prefix[:_AFFIX])}"] if prefix else []
    return [*lines, f"**Behind every prompt:** {plain(suffix[:_AFFIX])}"] if suffix else lines


def _count(server: Mapping[str, object], name: str) -> str:
    entries = server.get(name)
    number = len(entries) if isinstance(entries, list) else 0
    return f"{number} entries" if number != 1 else "1 entry"


def _size(number: int) -> str:
    return f"{number / _GIB:.1f} GiB" if number >= _GIB / 10 else f"{number / 2**20:.1f} MiB"


def _disk(stats: Stats) -> str:
    pictures, database, free = map(_size, (stats.pictures_bytes, stats.database_bytes, stats.free_bytes))
    return f"pictures {pictures}, database {database}, {free} free"


def _moment(at: datetime) -> str:
    return f"{format_dt(at, 'f')} ({format_dt(at, 'R')})"
