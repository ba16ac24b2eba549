"""Command that asks the running bot how it is, for health checks of containers."""

import http.client
import json

import typer

from pastelbot.cli.options import ConfigOption, load_settings
from pastelbot.config import MonitoringSettings

_PATIENCE = 8.0  # seconds
_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - a bot that listens everywhere is asked on loopback


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def health(config: ConfigOption = None) -> None:
        """Ask the running bot how it is. A line for each part; exit code 0 healthy, 1 not."""
        lines, healthy = ask(load_settings(config).monitoring)
        typer.echo("\n".join(lines))
        raise typer.Exit(0 if healthy else 1)


def ask(settings: MonitoringSettings) -> tuple[list[str], bool]:
    """Return what the bot at this address says, a line for each part, and whether it is healthy."""
    if not settings.port:
        return ["not asked: monitoring.port is 0"], True
    host = _ANY.get(settings.host, settings.host)
    connection = http.client.HTTPConnection(host, settings.port, timeout=_PATIENCE)
    try:
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        parts: dict[str, object] = json.loads(answer.read())
    except (OSError, http.client.HTTPException, ValueError) as error:
        return [f"no answer from http://{host}:{settings.port}/healthz: {error}. Is the bot running?"], False
    finally:
        connection.close()
    return [f"{name}: {said}" for name, said in parts.items()], answer.status == http.client.OK
