"""Logging: structlog on top of the standard library.

Secrets are kept out: tracebacks show no values of variables (discord.py keeps the token in some), and discord.py's
debug lines, which hold the tokens of interactions, are never logged.
"""

import logging
import sys

import structlog

from pastelbot.config import LogSettings


def configure(settings: LogSettings) -> None:
    """Send every log line to standard error, as readable text or as JSON."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    last: list[structlog.typing.Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if settings.format == "json":
        last += [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    else:
        colors = sys.stderr.isatty()
        last.append(structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=structlog.dev.plain_traceback))
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=last))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.level.upper())
    logging.getLogger("discord").setLevel(max(root.level, logging.INFO))
    for chatty in ("discord.gateway", "discord.http", "aiosqlite", "asyncio"):
        logging.getLogger(chatty).setLevel(max(root.level, logging.WARNING))
    logging.getLogger("discord.client").setLevel(logging.ERROR)  # it warns that voice is missing, which is not needed
