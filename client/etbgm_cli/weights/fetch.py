"""Downloads a file over HTTP and resumes an interrupted download.

huggingface_hub discards a partial file when its process ends, which is unacceptable for
three gigabytes, so this module downloads files itself, with huggingface_hub's session
(proxies, offline mode, token).
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
from huggingface_hub import get_session
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from etbgm_cli.weights.errors import WeightsError
from etbgm_cli.weights.record import PART
from etbgm_kit.artifacts.hashes import sha256_of

TIMEOUT = httpx2.Timeout(10, read=30)
"""Seconds to connect, and seconds without a byte."""

ATTEMPTS = 5
"""Number of consecutive interruptions without a new byte before the server counts as unreachable."""

PAUSE_S = 1.0
"""Delay before a retry."""

OnProgress = Callable[[int], None]
"""Called with the number of bytes present so far."""


@dataclass(frozen=True)
class RemoteFile:
    """A file to fetch: `name` is its path in the model's folder, `sha256` is hex, or None if unknown."""

    name: str
    url: str
    size_bytes: int
    sha256: str | None


def fetch(file: RemoteFile, folder: Path, headers: dict[str, str], on_progress: OnProgress) -> None:
    """Downloads the file to `folder`. Sends no request if the file is already complete.

    Raises:
        WeightsError: the server is unreachable, refuses the request or sends different content.
        OSError: the disk is full or cannot be written.
    """
    target = folder / file.name
    part = target.with_name(target.name + PART)
    if _is(file, target):
        return on_progress(file.size_bytes)
    part.parent.mkdir(parents=True, exist_ok=True)
    part.touch()
    if _size(part) > file.size_bytes:
        # No server can resume a file that is too long: each attempt would get status 416.
        os.truncate(part, 0)
    on_progress(_size(part))
    breaks = 0
    while (had := _size(part)) != file.size_bytes:
        try:
            _receive(file, part, headers, on_progress)
        except httpx2.TransportError as error:
            breaks = breaks + 1 if _size(part) == had else 0
            if breaks == ATTEMPTS:
                raise unreachable(file.url, error) from error
            time.sleep(PAUSE_S)
    if not _is(file, part):
        part.unlink()
        raise WeightsError(f"{file.url} does not have the SHA-256 {file.sha256}; the download was deleted")
    part.replace(target)
    return None


def _receive(file: RemoteFile, part: Path, headers: dict[str, str], on_progress: OnProgress) -> None:
    """Appends the missing bytes to `part`, or as many as arrive."""
    have = _size(part)
    # Otherwise a server may return a range of the compressed file.
    asked = headers | {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    with get_session().stream("GET", file.url, headers=asked, timeout=TIMEOUT) as response:
        if not response.is_success:
            raise WeightsError(f"{file.url}: the server responded with status {response.status_code}")
        goes_on = response.status_code == httpx2.codes.PARTIAL_CONTENT
        with part.open("ab" if goes_on else "wb") as target:
            for block in response.iter_raw():
                target.write(block)
                on_progress(target.tell())
    if _size(part) > file.size_bytes:
        part.unlink()
        raise WeightsError(f"{file.url} is longer than the expected {file.size_bytes} bytes")


def _is(file: RemoteFile, path: Path) -> bool:
    if not path.is_file() or _size(path) != file.size_bytes:
        return False
    return file.sha256 is None or file.sha256 == sha256_of(path)


def _size(path: Path) -> int:
    return path.stat().st_size


def unreachable(url: str, error: Exception) -> WeightsError:
    """The error for a server that does not respond."""
    server = httpx2.URL(url).copy_with(raw_path=b"/")
    why = str(error) or type(error).__name__
    return WeightsError(f"cannot reach {server} ({why}); run the command again to resume")


@contextmanager
def refusals_told(what: str) -> Iterator[None]:
    """Converts the hub's errors inside the context to a WeightsError that names `what`."""
    try:
        yield
    except GatedRepoError:
        raise WeightsError(f"{what}: accept its terms on the Hugging Face hub and set HF_TOKEN") from None
    except RevisionNotFoundError:
        raise WeightsError(f"{what}: this revision no longer exists on the hub") from None
    except RepositoryNotFoundError:
        raise WeightsError(f"{what}: not found, or a token is required (HF_TOKEN)") from None
    except HfHubHTTPError as error:
        raise WeightsError(f"{what}: the server responded with status {error.response.status_code}") from None
