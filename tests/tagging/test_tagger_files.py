"""Where the tagger's files come from: a folder, the hub, or the hub's cache. The hub is a double on this machine."""

import hashlib
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from helpers.support import PATIENCE

from pastelbot.errors import TaggerError
from pastelbot.tagging.files import TaggerOptions, locate

REPO = "owner/small-tagger"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
FILES = {"model.onnx": b"weights" * 1000, "selected_tags.csv": b"tag_id,name,category,count\n"}

LOCATE = (
    "import sys; from pathlib import Path; from pastelbot.tagging.files import TaggerOptions, locate;"
    "options = TaggerOptions(repo=sys.argv[1], revision=sys.argv[2] or None, offline=bool(sys.argv[3]),"
    " cache_dir=Path(sys.argv[4]));"
    "print(*locate(options), sep='\\n')"
)


class HubDouble(BaseHTTPRequestHandler):
    """Answers what the hub's client asks for single files."""

    def do_HEAD(self):
        self.answer(send_body=False)

    def do_GET(self):
        self.answer(send_body=True)

    def answer(self, *, send_body):
        self.server.asked.append(self.path)
        start, _, name = self.path.rpartition("/")
        body = FILES.get(name, b"") if start in {f"/{REPO}/resolve/{ref}" for ref in ("main", "v3", COMMIT)} else b""
        self.send_response(200 if body else 404)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", f'"{hashlib.sha256(body).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        if not body:
            self.send_header("X-Error-Code", "RepoNotFound")
        self.end_headers()
        if send_body:
            self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def hub():
    server = ThreadingHTTPServer(("127.0.0.1", 0), HubDouble)
    server.asked = []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def find(hub, tmp_path):
    """Locate the files in a process of its own: the hub's client reads its address when it is imported."""

    def find(repo=REPO, *, revision="", offline=False):
        environment = {
            **os.environ,
            "HF_ENDPOINT": f"http://127.0.0.1:{hub.server_port}",
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
        }
        environment.pop("HF_HUB_OFFLINE", None)
        command = [sys.executable, "-c", LOCATE, repo, revision, "1" if offline else "", str(tmp_path / "cache")]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE)

    return find


def test_both_files_are_downloaded_once_and_then_found_offline(hub, find):
    done = find(revision="v3")

    assert 0 == done.returncode, done.stderr
    model, labels = done.stdout.split()
    assert FILES["model.onnx"] == Path(model).read_bytes()
    assert labels.endswith("selected_tags.csv")
    assert any("/resolve/v3/model.onnx" in path for path in hub.asked)
    before = len(hub.asked)
    assert done.stdout == find(revision="v3", offline=True).stdout
    assert before == len(hub.asked)


def test_what_is_not_there_is_named(find):
    done = find("owner/nothing")

    assert "TaggerError: The tagger cannot be found: owner/nothing" in done.stderr


def test_offline_without_a_download_says_so(hub, find):
    assert "checkpoint.offline is set" in find(offline=True).stderr
    assert [] == hub.asked


def test_a_fake_snapshot_in_the_cache_is_enough(tmp_path):
    """What was put into the cache by hand is found offline, without a request of the hub's client."""
    repository = tmp_path / "models--owner--small-tagger"
    snapshot = repository / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    for name, content in FILES.items():
        (snapshot / name).write_bytes(content)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(COMMIT)

    found = locate(TaggerOptions(repo=REPO, offline=True, cache_dir=tmp_path))

    assert [snapshot / name for name in FILES] == list(found)


def test_a_folder_wins_over_the_hub(tmp_path):
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)

    assert (tmp_path / "model.onnx", tmp_path / "selected_tags.csv") == locate(TaggerOptions(repo=REPO, path=tmp_path))


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(TaggerError, match=r"nowhere has no model\.onnx"):
        locate(TaggerOptions(repo=REPO, path=tmp_path / "nowhere"))
