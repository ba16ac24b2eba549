import json
import logging

import pytest
import structlog

from pastelbot import log
from pastelbot.config import LogSettings


@pytest.fixture(autouse=True)
def _logging_as_before():
    """Configuring changes the whole process; put back what was."""
    names = (None, "discord", "discord.gateway", "discord.http", "discord.client", "aiosqlite", "asyncio")
    loggers = [logging.getLogger(name) for name in names]
    levels, handlers = [logger.level for logger in loggers], loggers[0].handlers[:]
    yield
    structlog.reset_defaults()
    loggers[0].handlers[:] = handlers
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


def fail_with(token):
    """Raise where a local variable holds a token, as discord.py's headers do."""
    headers = {"Authorization": f"Bot {token}"}
    raise ConnectionError(f"{len(headers)} header was not sent")


def log_failure(token):
    try:
        fail_with(token)
    except ConnectionError:
        structlog.get_logger("pastelbot").exception("not sent", job="0123456789ab")


def test_lines_are_readable_and_go_to_standard_error(capsys):
    log.configure(LogSettings())
    structlog.get_logger("pastelbot.jobs").info("painted", job="0123456789ab", seconds=3.1)
    shown = capsys.readouterr()

    assert shown.out == ""
    assert "painted" in shown.err
    assert "job=0123456789ab" in shown.err


def test_json_is_one_object_a_line_with_time_level_and_name(capsys):
    log.configure(LogSettings(format="json"))
    structlog.get_logger("pastelbot.jobs").warning("worker lost", job="0123456789ab")
    logging.getLogger("other").error("from elsewhere")
    first, second = map(json.loads, capsys.readouterr().err.splitlines())

    assert first.pop("timestamp").endswith("Z")
    assert first == {
        "event": "worker lost",
        "job": "0123456789ab",
        "level": "warning",
        "logger": "pastelbot.jobs",
    }
    assert (second["event"], second["level"], second["logger"]) == ("from elsewhere", "error", "other")


@pytest.mark.parametrize("form", ["console", "json"])
def test_a_traceback_is_logged_without_the_values_of_its_variables(capsys, form):
    log.configure(LogSettings(format=form))
    log_failure("a-secret-token")
    text = capsys.readouterr().err

    assert "1 header was not sent" in text
    assert "a-secret-token" not in text


def test_a_level_keeps_what_is_below_out(capsys):
    log.configure(LogSettings(level="warning"))
    structlog.get_logger("pastelbot").info("nothing to worry about")

    assert capsys.readouterr().err == ""


def test_addresses_with_tokens_are_not_logged_even_at_debug(capsys):
    """An interaction's token is part of the addresses that discord.py logs at debug."""
    log.configure(LogSettings(level="debug"))
    for name in ("discord.http", "discord.webhook.async_", "discord.webhook.sync", "discord.gateway"):
        logging.getLogger(name).debug("POST /interactions/1/a-secret-token/callback")

    assert "a-secret-token" not in capsys.readouterr().err
