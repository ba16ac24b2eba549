"""A program that lets the bot live, again and again: it imports everything once, and forks for each life.

It reads a life a line, as JSON: `folder`, `port` of Discord, and `writes` after which the life ends with SIGKILL (0:
never); `tireless` takes the limits of users away. It answers with the process id, and when the life has ended with its
exit status.
"""

import json
import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

WORK_PER_DAY = 5000.0
REFUSED = 7  # the exit status of a life that could not start


def main():
    from simulation.seeds import prepared

    with prepared():
        for line in sys.stdin:
            life = json.loads(line)
            pid = os.fork()
            if not pid:
                _live(**life)
            _answer(pid)
            _, status = os.waitpid(pid, 0)
            _answer(os.waitstatus_to_exitcode(status))


def _answer(number):
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


def _live(*, folder, port, writes, tireless=False):
    """Be the bot, as `pastelbot run` is, with a Discord and a worker that are not the real ones; never return."""
    from pastelbot.errors import PastelError

    with (Path(folder) / "log").open("ab") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    status = 1
    try:
        _run(Path(folder), port, writes, tireless=tireless)
        status = 0
    except PastelError as error:
        sys.stderr.write(f"refused: {error}\n")
        status = REFUSED
    except BaseException:
        import traceback

        traceback.print_exc()
        raise
    finally:
        sys.stderr.flush()
        os._exit(status)


def _run(folder, port, writes, *, tireless):
    from functools import partial
    from unittest import mock

    import yarl
    from chaos.kill_points import KillPoints
    from chaos.painter import paint
    from discord.gateway import DiscordWebSocket
    from discord.http import Route

    from pastelbot import app, run
    from pastelbot.config import WorkerOptions
    from pastelbot.jobs.executors.process_executor import ProcessExecutor

    settings = settings_of(folder, tireless=tireless)
    executor = ProcessExecutor(WorkerOptions.of(settings), target=paint, first_pause=0.1)
    with (
        mock.patch.object(Route, "BASE", f"http://127.0.0.1:{port}/api/v10"),
        mock.patch.object(DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(f"ws://127.0.0.1:{port}/gateway")),
        mock.patch.object(app, "build", partial(app.build, executor=executor, first_retry=0.2)),
        KillPoints(writes),
    ):
        run.run(settings)


def settings_of(folder, *, tireless):
    from pydantic import SecretStr

    from pastelbot import config

    settings = config.bundled(
        storage={"database": folder / "bot.sqlite3", "pictures": folder / "pictures", "min_free_mib": 0},
        discord={"direct_messages": True, "edit_seconds": 0.5},
        worker={"jobs_at_once": 8 if tireless else 2},
        quota={"work_per_day": 0.0 if tireless else WORK_PER_DAY, "saved_days": 1000.0},
        limits={"commands_per_minute": 100_000, "waiting_per_user": 1000} if tireless else {},
    )
    return settings.model_copy(update={"token": SecretStr("token")})


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    main()
