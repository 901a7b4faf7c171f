"""A stand-in for the Hugging Face hub over real HTTP: one repository, its API, ranges, faults on demand."""

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

REVISION = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class FakeHub:
    """Serves `files` as the repository `repo` at REVISION, those of `large` with their SHA-256.

    `stops` says after how many bytes the connection breaks when a file is next sent,
    `holds` after how many nothing more comes; `refuses` is an answer to everything.
    `seen` are the requests: path, Range, Authorization.
    """

    repo: str
    files: Mapping[str, bytes]
    large: tuple[str, ...] = ()
    stops: dict[str, int] = field(default_factory=dict)
    holds: dict[str, int] = field(default_factory=dict)
    refuses: tuple[int, dict[str, str]] | None = None
    seen: list[tuple[str, str, str]] = field(default_factory=list)
    endpoint: str = ""

    def ranges_of(self, name: str) -> list[str]:
        """The Range headers of all requests for the file, "" where there was none."""
        return [range_ for path, range_, _ in self.seen if path.endswith(f"/{name}")]

    def listing(self) -> dict[str, Any]:
        """What the API says of the repository."""
        return {
            "id": self.repo,
            "sha": REVISION,
            "siblings": [self._sibling(name, data) for name, data in self.files.items()],
        }

    def _sibling(self, name: str, data: bytes) -> dict[str, Any]:
        facts: dict[str, Any] = {"rfilename": name, "size": len(data), "blobId": "0" * 40}
        if name in self.large:
            digest = hashlib.sha256(data).hexdigest()
            facts["lfs"] = {"sha256": digest, "size": len(data), "pointerSize": 130}
        return facts


@contextmanager
def serve(hub: FakeHub) -> Iterator[FakeHub]:
    """Serves `hub` at its `endpoint` while the context lasts."""
    done = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            """Says nothing."""

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            headers = self.headers
            hub.seen.append((path, headers.get("Range", ""), headers.get("Authorization", "")))
            files = f"/{hub.repo}/resolve/{REVISION}/"
            if hub.refuses:
                self._answer(hub.refuses[0], b"", hub.refuses[1])
            elif path == f"/api/models/{hub.repo}/revision/{REVISION}":
                self._answer(200, json.dumps(hub.listing()).encode(), {"Content-Type": "application/json"})
            elif path.startswith(files) and path.removeprefix(files) in hub.files:
                self._send(path.removeprefix(files))
            else:
                self._answer(404, b"", {"X-Error-Code": "EntryNotFound"})

        def _send(self, name: str) -> None:
            data = hub.files[name]
            start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").removesuffix("-"))
            if start >= len(data):
                self._answer(416, b"", {"Content-Range": f"bytes */{len(data)}"})
                return
            headers = {"ETag": '"etag"', "X-Repo-Commit": REVISION}
            if start:
                headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
            self._answer(206 if start else 200, data[start:], headers, hub.stops.pop(name, None), name)

        def _answer(
            self, status: int, body: bytes, headers: dict[str, str], stop: int | None = None, name: str = ""
        ) -> None:
            self.send_response(status)
            for key, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(key, value)
            self.end_headers()
            hold = hub.holds.pop(name, None)
            self.wfile.write(body[: stop or hold])
            if hold:
                self.wfile.flush()
                done.wait()
            self.close_connection = bool(stop or hold)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    hub.endpoint = f"http://127.0.0.1:{server.server_port}"
    try:
        yield hub
    finally:
        done.set()
        server.shutdown()
        server.server_close()
        thread.join()
