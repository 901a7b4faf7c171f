"""Wheels made of given bytes, and a stand-in package index that serves them over real HTTP."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile


def make_wheel(folder: Path, name: str, members: Mapping[str, bytes]) -> Path:
    """A wheel of version 1.0, which pip accepts, with `members` by their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name.replace('-', '_')}-1.0-py3-none-any.whl"
    facts = f"{name.replace('-', '_')}-1.0.dist-info"
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        for member, data in members.items():
            archive.writestr(member, data)
        archive.writestr(f"{facts}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(f"{facts}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{facts}/RECORD", "")
    return path


@dataclass
class FakeIndex:
    """Serves the wheels in `folder`; `holds` says after how many bytes nothing more of a wheel comes.

    `seen` are the names of the wheels that were requested.
    """

    folder: Path
    holds: dict[str, int] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)
    url: str = ""


@contextmanager
def serve_index(index: FakeIndex) -> Iterator[FakeIndex]:
    """Serves `index` at its `url` while the context lasts."""
    done = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Says nothing."""

        def do_GET(self) -> None:
            _, kind, name, *_ = self.path.split("/")
            if kind == "simple":
                found = index.folder.glob(f"{name.replace('-', '_')}-*.whl")
                links = "".join(f'<a href="/wheels/{path.name}">{path.name}</a>' for path in found)
                self._answer(f"<!DOCTYPE html><html><body>{links}</body></html>".encode(), "text/html", None)
            else:
                index.seen.append(name)
                data = (index.folder / name).read_bytes()
                self._answer(data, "application/zip", index.holds.pop(name, None))

        def _answer(self, body: bytes, kind: str, hold: int | None) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[:hold])
            if hold:
                self.wfile.flush()
                done.wait()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    index.url = f"http://127.0.0.1:{server.server_port}/simple/"
    try:
        yield index
    finally:
        done.set()
        server.shutdown()
        server.server_close()
        thread.join()
