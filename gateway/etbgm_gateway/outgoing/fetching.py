"""Fetches one video by HTTP into a file, in as many attempts as it takes."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from etbgm_gateway.outgoing.addresses import AddressRules
from etbgm_gateway.outgoing.errors import SourceUnreachable, TooLarge
from etbgm_gateway.outgoing.places import PlaceRules
from etbgm_kit.artifacts.store import BLOCK_BYTES
from etbgm_kit.errors import InvalidField, NotFound

if TYPE_CHECKING:
    import aiohttp
    from aiohttp.abc import AbstractResolver

ATTEMPTS = 6
"""Attempts that do not come further than those before, after which a source counts as unreachable."""
PAUSE_S = 1.0
"""Pause before the second attempt; each further pause is twice as long."""
MOST_REDIRECTS = 5

_FIELD = "source_url"
_REDIRECTS = (301, 302, 303, 307, 308)
_GONE = (404, 410)
_LATER = (408, 425, 429)

OnFraction = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """`size_bytes` of a video, and `total_s` for its last attempt to begin and for each to end."""

    size_bytes: int
    total_s: float


class _Later(Exception):
    """The server may answer the next attempt."""


class HttpFetcher:
    """Fetches from servers that callers name."""

    def __init__(
        self,
        addresses: AddressRules,
        places: PlaceRules,
        limits: HttpLimits,
        resolver: "AbstractResolver | None" = None,
    ) -> None:
        self._addresses, self._places, self._limits, self._resolver = addresses, places, limits, resolver

    def check(self, url: str, tenant: str) -> None:
        """Raises InvalidField unless the tenant may fetch from the URL; its address is checked later."""
        self._addresses.check(url, _FIELD)
        self._places.check(url, _FIELD, tenant)

    async def fetch(self, url: str, tenant: str, path: Path, on_fraction: OnFraction) -> str:
        """Writes the body to `path` and returns its media type.

        Continues where a connection broke, if the server can and the content is the same (RFC 9110, 14.2
        and 13.1.5). Raises InvalidField, NotFound, TooLarge, SourceUnreachable.
        """
        from etbgm_gateway.outgoing.sessions import FAILURES, open_session, reason

        download = _Download(path, self._limits.size_bytes, on_fraction)
        ends_at = time.monotonic() + self._limits.total_s
        failures, why = 0, "it takes too long"
        async with open_session(self._addresses, self._limits.total_s, self._resolver) as session:
            while failures < ATTEMPTS and time.monotonic() < ends_at:
                before = download.most
                if failures:
                    await asyncio.sleep(PAUSE_S * 2 ** (failures - 1))
                try:
                    async with await self._open(session, url, tenant, download.headers) as response:
                        await download.take(response)
                    return response.content_type
                except FAILURES as error:
                    why = reason(error)
                except _Later as error:
                    why = str(error)
                failures = 1 if download.most > before else failures + 1
        raise SourceUnreachable(why)

    async def _open(
        self, session: "aiohttp.ClientSession", url: str, tenant: str, headers: dict[str, str]
    ) -> "aiohttp.ClientResponse":
        """Follows redirects to where the tenant may fetch from."""
        for _ in range(MOST_REDIRECTS + 1):
            self.check(url, tenant)
            response = await session.get(url, headers=headers, allow_redirects=False)
            if response.status not in _REDIRECTS:
                return response
            response.release()
            url = urljoin(url, response.headers.get("Location", ""))
        raise InvalidField(_FIELD, f"redirects more than {MOST_REDIRECTS} times")


class _Download:
    """A file that grows with each attempt."""

    def __init__(self, path: Path, most_bytes: int, on_fraction: OnFraction) -> None:
        self._path, self._most_bytes, self._on_fraction = path, most_bytes, on_fraction
        self._tag = ""
        self.received = self.most = 0

    @property
    def headers(self) -> dict[str, str]:
        """Those of the next request."""
        headers = {"accept-encoding": "identity", "user-agent": "ET-BGM"}
        if self.received and self._tag:
            headers |= {"range": f"bytes={self.received}-", "if-range": self._tag}
        return headers

    async def take(self, response: "aiohttp.ClientResponse") -> None:
        """Appends the body, or begins anew if it is not the continuation."""
        _check_status(response.status)
        if response.status == 200:
            self.received = 0
            self._tag = response.headers.get("ETag", "")
            if self._tag.startswith("W/"):
                self._tag = ""  # weak tags do not promise the same bytes
        elif not response.headers.get("Content-Range", "").startswith(f"bytes {self.received}-"):
            self._tag = ""
            raise _Later("the source answers with another range")
        whole = self.received + (response.content_length or 0)
        if whole > self._most_bytes:
            raise TooLarge(self._most_bytes)
        with self._path.open("ab" if self.received else "wb") as file:
            async for block in response.content.iter_chunked(BLOCK_BYTES):
                self.received += len(block)
                if self.received > self._most_bytes:
                    raise TooLarge(self._most_bytes)
                await asyncio.to_thread(file.write, block)
                self.most = max(self.most, self.received)
                if response.content_length:
                    self._on_fraction(self.received / whole)


def _check_status(status: int) -> None:
    if status in (200, 206):
        return
    if status in _GONE:
        raise NotFound(f"the source answers {status}", field=_FIELD)
    if status in _LATER or status >= 500:
        raise _Later(f"the source answers {status}")
    raise InvalidField(_FIELD, f"the source answers {status}")
