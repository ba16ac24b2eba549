"""Command that looks for what is wrong with an installation."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime

import typer

from pastelbot.cli.options import ConfigOption, load_settings
from pastelbot.config import Settings
from pastelbot.doctor.finding import Finding, worst


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def doctor(config: ConfigOption = None) -> None:
        """Check token, checkpoint, device, disk and database. A line each; exit code 0 ok, 1 warnings, 2 failures."""
        findings = []
        for finding in _findings(load_settings(config)):
            typer.echo(finding)
            findings.append(finding)
        raise typer.Exit(worst(findings))


def _findings(settings: Settings) -> Iterator[Finding]:
    from pastelbot.doctor.device_check import device_findings
    from pastelbot.doctor.discord_check import discord_findings
    from pastelbot.doctor.local_checks import local_findings

    yield from local_findings(settings, now=datetime.now(UTC))
    yield from device_findings(settings)
    if settings.token is not None:
        token = settings.token.get_secret_value()
        yield from asyncio.run(discord_findings(token, settings.alerts.channel))
