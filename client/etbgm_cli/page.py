"""The address of the web page of `etbgm serve`, which opens a session with the user's key.

The key is in the address's fragment, which browsers send to no server. Command lines are visible to other
users of the machine, so the browser is started with a file of the data folder that leads to the address.
"""

import contextlib
import html
import os
import webbrowser
from pathlib import Path
from urllib.parse import quote

from etbgm.media.v1 import media_pb2
from etbgm_cli.console import console

_LINK, _OPENER = "page.url", "page.html"


def write_link(data: Path, http_address: str) -> str:
    """Returns the page's address with the key in `data`, and notes it there for `etbgm ui`."""
    link = f"http://{_reachable(http_address)}/#key={quote(key_in(data))}"
    _write_private(data / _LINK, link)
    return link


def link_of(data: Path) -> str:
    """Returns the address that a running `etbgm serve` noted; "" if none runs."""
    try:
        return (data / _LINK).read_text(encoding="utf-8")
    except OSError:
        return ""


def remove_link(data: Path) -> None:
    """Forgets the address when the server stops."""
    for name in (_LINK, _OPENER):
        (data / name).unlink(missing_ok=True)


def public_part(link: str) -> str:
    """Returns the address without the key, for logs."""
    return link.partition("#")[0]


def key_in(data: Path) -> str:
    """Returns the key that the gateway made in its data folder; "" without one."""
    with contextlib.suppress(OSError):
        return (data / "key").read_text(encoding="ascii").strip()
    return ""


def place_of(name: str, video: media_pb2.Artifact) -> str:
    """Returns what names an uploaded video in the page's address."""
    return "/".join(("videos", video.uri.rpartition("/")[2], str(video.size_bytes), quote(name, safe="")))


def open_in_browser(data: Path, link: str) -> None:
    """Opens the address in the user's browser; prints it if there is none."""
    target = html.escape(link, quote=True)
    opener = data / _OPENER
    _write_private(opener, f'<!doctype html><meta http-equiv="refresh" content="0; url={target}">')
    if not webbrowser.open(opener.resolve().as_uri()):
        console.print(f"No browser was found. Open {link}", soft_wrap=True)


def _reachable(address: str) -> str:
    """Returns an address that a browser on this machine can open, also for a server on all interfaces."""
    host, _, port = address.rpartition(":")
    return f"localhost:{port}" if host in ("", "0.0.0.0", "[::]") else address


def _write_private(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
