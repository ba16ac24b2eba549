"""`pastelbot tags`: what it reads, what it refuses, and what it prints."""

import http.server
import os
import sys
import threading

import pytest

from pastelbot.cli.main import main
from pastelbot.prompt.tags import vocabulary
from pastelbot.service.tags import source as tag_source

ROWS = 'mecha_cat,0,900,"robo cat"\nmecha_dog,4,1,\n'


@pytest.fixture
def tags(tmp_path, monkeypatch, capsys):
    """Return a function that runs `pastelbot tags` in an empty folder: (exit code, output, errors)."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("PASTELBOT_")]:
        monkeypatch.delenv(name)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["bot.py", "tags", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        shown = capsys.readouterr()
        return ended.value.code, shown.out, shown.err

    return run


@pytest.fixture
def served():
    """Return a function that serves answers (status, type, body) under /0, /1, ... and returns the address."""
    answers = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            status, kind, body = answers[int(self.path.strip("/"))]
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()

    def serve(*added):
        answers.extend(added)
        return f"http://127.0.0.1:{server.server_port}"

    yield serve
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_file_becomes_the_vocabulary(tags, tmp_path):
    (tmp_path / "tags.csv").write_text(ROWS)

    code, out, err = tags("import", "tags.csv")
    assert (code, err) == (0, "")
    assert out.startswith("2 tags read, 0 lines left out; the vocabulary has 1,")
    _, out, _ = tags("search", "robo_cat")
    assert out == "   900  mecha cat  [general]  (robo cat)\n1 tag.\n"
    _, out, _ = tags("stats")
    assert out.endswith("imported from tags.csv\n")
    assert "character" in out


def test_bad_lines_are_reported_and_left_out(tags, tmp_path):
    (tmp_path / "tags.csv").write_text("".join(f"tag_{number},0,1,\n" for number in range(200)) + "bad\n" * 12)

    code, out, err = tags("import", "tags.csv")
    assert code == 0
    assert out.startswith("200 tags read, 12 lines left out")
    assert err.splitlines()[0].startswith("note: Line 201: it has 1 fields")
    assert err.splitlines()[-1] == "note: ... and 2 lines more"


def test_merge_keeps_what_was_imported_before(tags, tmp_path):
    (tmp_path / "one.csv").write_text("mecha_cat,0,1,\n")
    (tmp_path / "two.csv").write_text("mecha_dog,0,1,\n")
    tags("import", "one.csv")
    tags("import", "--merge", "two.csv")

    assert tags("search", "mecha")[1].endswith("3 tags.\n")


def test_an_address_is_read(tags, served):
    address = served((200, "text/csv", ROWS.encode()))

    code, out, _ = tags("import", f"{address}/0")
    assert code == 0
    assert out.startswith("2 tags read")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((404, "text/html", b"<html>"), "the server answers 404 Not Found"),
        ((200, "text/html", b"<!doctype html><html>"), "is a web page, not a list of tags"),
        ((200, "text/csv", b""), "is empty"),
        ((200, "text/csv", b"a,0,1,\n" * 200_000), "is larger than 1 MiB"),
    ],
)
def test_an_address_with_something_else_is_refused(tags, served, monkeypatch, answer, words):
    monkeypatch.setattr(tag_source, "LARGEST_FILE", 2**20)
    code, out, err = tags("import", f"{served(answer)}/0")

    assert (code, out) == (2, "")
    assert words in err


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("missing.csv", "There is no file missing.csv."),
        (".", "is a folder"),
        ("ftp://example.org/tags.csv", "begins with http:// or https://"),
        ("http://127.0.0.1:1/tags.csv", "cannot be read"),
        ("http://", "cannot be read"),
        ("http://[broken", "cannot be read"),
        ("a\0b", "cannot be read"),
    ],
)
def test_a_source_that_cannot_be_read_is_reported(tags, source, words):
    code, out, err = tags("import", source)

    assert (code, out) == (2, "")
    assert words in err
    assert "Traceback" not in err


def test_a_refused_import_leaves_the_vocabulary_as_it_was(tags, tmp_path):
    (tmp_path / "tags.csv").write_text(ROWS)
    tags("import", "tags.csv")
    (tmp_path / "bad.csv").write_text("not\na\nlist\n")

    assert tags("import", "bad.csv")[0] == 2
    assert tags("search", "mecha dog")[1].endswith("1 tag.\n")


def test_the_cap_on_files_is_known_to_the_reader():
    assert tag_source.LARGEST_FILE == vocabulary.LARGEST_FILE == 64 * 2**20
