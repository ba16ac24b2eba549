"""A double of the hub on this machine: repositories of files, and the ways in which downloads go wrong."""

import hashlib
import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "0123456789abcdef0123456789abcdef01234567"
REVISIONS = ("main", "v1", COMMIT)


@dataclass
class Hub:
    """What the double has and does.

    `break_after` says for a file after how many bytes its next transmissions break off; `asked` is what was asked for.
    """

    repos: dict[str, dict[str, bytes]] = field(default_factory=dict)
    gated: set[str] = field(default_factory=set)
    break_after: dict[str, list[int]] = field(default_factory=dict)
    damaged: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    ranges: list[str] = field(default_factory=list)
    bytes_sent: int = 0
    address: str = ""
    honours_ranges: bool = True


def etag(name, data):
    """Return what the hub calls a file's content: large ones have a sha256, others git's sha1."""
    if name.endswith((".safetensors", ".ckpt", ".bin")):
        return hashlib.sha256(data).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def hub(self):
        return self.server.hub

    def do_HEAD(self):
        self.answer(send_body=False)

    def do_GET(self):
        self.answer(send_body=True)

    def answer(self, *, send_body):
        self.hub.asked.append(f"{self.command} {self.path}")
        path = self.path.partition("?")[0].strip("/")
        repo = next((name for name in self.hub.repos if f"{name}/" in f"{path}/"), None)
        if repo is None:
            return self.refuse(401, "RepoNotFound")
        if repo in self.hub.gated:
            return self.refuse(401, "GatedRepo")
        rest = path.removeprefix("api/models/").removeprefix(repo).strip("/")
        kind, _, rest = rest.partition("/")
        revision, _, name = rest.partition("/")
        if kind and revision not in REVISIONS:
            return self.refuse(404, "RevisionNotFound")
        if path.startswith("api/models/"):
            return self.send(json.dumps(self.about(repo, kind)).encode(), send_body)
        if name not in self.hub.repos[repo]:
            return self.refuse(404, "EntryNotFound")
        return self.file(name, self.hub.repos[repo][name], send_body)

    def about(self, repo, kind):
        files = self.hub.repos[repo]
        if kind == "tree":
            return [
                {"type": "file", "path": name, "size": len(data), "oid": etag(name, data)}
                for name, data in files.items()
            ]
        return {"id": repo, "sha": COMMIT, "siblings": [{"rfilename": name} for name in files]}

    def file(self, name, data, send_body):
        start = 0
        if self.headers.get("Range") and self.hub.honours_ranges:
            self.hub.ranges.append(self.headers["Range"])
            start = int(self.headers["Range"].removeprefix("bytes=").partition("-")[0])
        headers = {"ETag": f'"{etag(name, data)}"', "X-Repo-Commit": COMMIT}
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        if name in self.hub.damaged:
            data = bytes(len(data))
        self.send(data[start:], send_body, headers, 206 if start else 200, breaks=self.hub.break_after.get(name))

    def send(self, body, send_body, headers=(), status=200, breaks=None):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for key, value in dict(headers).items():
            self.send_header(key, value)
        self.end_headers()
        if not send_body:
            return
        if breaks:
            body = body[: breaks.pop(0)]
            self.close_connection = True
        self.hub.bytes_sent += len(body)
        self.wfile.write(body)

    def refuse(self, status, code):
        self.send(b"", False, {"X-Error-Code": code, "X-Error-Message": code}, status)

    def log_message(self, *_):
        pass


@contextmanager
def running_hub():
    """Run a double on a free port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    server.hub = Hub(address=f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server.hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def use_hub(monkeypatch, hub):
    """Let the hub's client in this process know no other hub; it reads its address when it is imported."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", hub.address)
    template = hub.address + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
