"""Downloads from the hub, against a double of it on this machine."""

import hashlib
import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

REPO = "owner/small"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
FILES = {
    "model_index.json": b'{"_class_name": "StableDiffusionPipeline"}',
    "unet/config.json": b"{}",
    "unet/diffusion_pytorch_model.safetensors": b"weights" * 1000,
    "vae/config.json": b"{}",
    "example-images/large.png": b"never asked for",
    "small.safetensors": b"one file",
}

LOCATE = (
    "import sys; from pathlib import Path; from pastelbot.diffusion.hub import locate;"
    "print(locate(sys.argv[1], revision=sys.argv[2] or None, offline=bool(sys.argv[3]), cache_dir=Path(sys.argv[4])))"
)


class HubDouble(BaseHTTPRequestHandler):
    """Answers what the hub's client asks for one repository."""

    asked: list[str]

    def do_HEAD(self):
        self.answer(send_body=False)

    def do_GET(self):
        self.answer(send_body=True)

    def answer(self, *, send_body):
        self.server.asked.append(f"{self.command} {self.path}")
        path = self.path.partition("?")[0].strip("/")
        if path == f"api/models/{REPO}/tree/{COMMIT}":
            tree = [{"type": "file", "path": name, "size": len(data), "oid": name} for name, data in FILES.items()]
            return self.reply(200, json.dumps(tree).encode(), send_body)
        for revision in ("main", "v1", COMMIT):
            if path in {f"api/models/{REPO}/revision/{revision}", f"api/models/{REPO}"}:
                siblings = [{"rfilename": name} for name in FILES]
                return self.reply(
                    200, json.dumps({"id": REPO, "sha": COMMIT, "siblings": siblings}).encode(), send_body
                )
            name = path.removeprefix(f"{REPO}/resolve/{revision}/")
            if name in FILES:
                return self.reply(200, FILES[name], send_body)
        return self.reply(404, b"", send_body, error="RepoNotFound")

    def reply(self, status, body, send_body, error=None):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", f'"{hashlib.sha256(body).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        if error:
            self.send_header("X-Error-Code", error)
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
def locate(hub, tmp_path):
    """Find a reference in a process of its own: the hub's client reads its address when it is imported."""

    def locate(reference, *, revision="", offline=False):
        environment = {
            **os.environ,
            "HF_ENDPOINT": f"http://127.0.0.1:{hub.server_port}",
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
        }
        environment.pop("HF_HUB_OFFLINE", None)
        command = [sys.executable, "-c", LOCATE, reference, revision, "1" if offline else "", str(tmp_path / "cache")]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)

    return locate


def test_a_folder_is_downloaded_once_and_then_found_offline(hub, locate):
    """Only what the engine loads is asked for; the pictures of a repository are not."""
    done = locate(REPO)

    assert 0 == done.returncode, done.stderr
    folder = done.stdout.strip()
    assert FILES["unet/diffusion_pytorch_model.safetensors"] == read(folder, "unet/diffusion_pytorch_model.safetensors")
    assert not any("example-images" in line and "GET" in line for line in hub.asked)
    before = len(hub.asked)
    assert folder == locate(REPO, offline=True).stdout.strip()
    assert before == len(hub.asked)


def test_a_single_file_is_downloaded_at_its_revision(hub, locate):
    done = locate(f"{REPO}/small.safetensors", revision="v1")

    assert 0 == done.returncode, done.stderr
    assert done.stdout.strip().endswith("small.safetensors")
    assert any("/resolve/v1/small.safetensors" in line for line in hub.asked)


def test_an_unknown_repository_is_named(locate):
    done = locate("owner/nothing")

    assert 0 != done.returncode
    assert "CheckpointError: owner/nothing is no file or folder here and cannot be downloaded" in done.stderr


def test_offline_without_a_download_says_so(hub, locate):
    done = locate(REPO, offline=True)

    assert "checkpoint.offline is set" in done.stderr
    assert [] == hub.asked


def read(folder, name):
    with open(os.path.join(folder, name), "rb") as file:  # noqa: PTH118, PTH123 - a path printed by another process
        return file.read()
