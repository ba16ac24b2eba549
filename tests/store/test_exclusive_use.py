"""The lock of a database: held by processes that run, hang or have children, free again when they are gone."""

import os
import signal
import subprocess
import sys

import pytest

from pastelbot.errors import DatabaseError
from pastelbot.store.maintenance.exclusive_use import exclusive_use

HOLDER = """
import subprocess, sys, time
from pathlib import Path
from pastelbot.store.maintenance.exclusive_use import exclusive_use

with exclusive_use(Path(sys.argv[1])):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    print(child.pid, flush=True)
    time.sleep(600)
"""


class Holder:
    """A process that holds the lock, and has a child."""

    def __init__(self, database):
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(database)], stdout=subprocess.PIPE, text=True
        )
        self.child = int(self.process.stdout.readline())

    def send(self, number):
        self.process.send_signal(number)

    def end(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def end_child(self):
        os.kill(self.child, signal.SIGKILL)


@pytest.fixture
def database(tmp_path):
    return tmp_path / "state" / "bot.sqlite3"


@pytest.fixture
def holder(database):
    holder = Holder(database)
    yield holder
    holder.end()
    holder.end_child()


def test_a_second_process_is_refused_and_reads_who_holds_it(database, holder):
    said = rf"process {holder.process.pid} on \S+, since \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d UTC"

    with pytest.raises(DatabaseError, match=said), exclusive_use(database):
        pass


def test_a_process_that_is_stopped_keeps_it(database, holder):
    holder.send(signal.SIGSTOP)

    with pytest.raises(DatabaseError, match="in use by another bot"), exclusive_use(database):
        pass


def test_a_killed_process_gives_it_up_though_its_child_lives(database, holder):
    holder.end()
    os.kill(holder.child, 0)  # it is there

    with exclusive_use(database):
        said = database.with_name("bot.sqlite3.lock").read_text()

    assert said.startswith(f"process {os.getpid()} on ")


def test_it_is_free_again_afterwards_whatever_happened(database):
    for _ in range(2):
        with pytest.raises(OSError, match="of the body"), exclusive_use(database):
            raise OSError("of the body")


def test_another_name_of_the_database_is_the_same_lock(database, tmp_path):
    link = tmp_path / "link.sqlite3"
    link.symlink_to(database)

    with exclusive_use(database), pytest.raises(DatabaseError, match=f"process {os.getpid()} "), exclusive_use(link):
        pass


def test_a_holder_that_could_not_say_who_it_is_is_still_respected(database):
    with exclusive_use(database):
        database.with_name("bot.sqlite3.lock").write_bytes(b"")
        with pytest.raises(DatabaseError, match="did not say who it is"), exclusive_use(database):
            pass
