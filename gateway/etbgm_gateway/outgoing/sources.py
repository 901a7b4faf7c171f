"""Fetches the videos of jobs from where their callers keep them into the artifact store."""

import asyncio
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from etbgm_gateway.outgoing.addresses import AddressRules
from etbgm_gateway.outgoing.buckets import read_object
from etbgm_gateway.outgoing.errors import TooLarge
from etbgm_gateway.outgoing.fetching import HttpFetcher, HttpLimits
from etbgm_gateway.outgoing.places import BucketObject, PlaceRules, is_bucket
from etbgm_kit.artifacts.addresses import ANY_TYPE
from etbgm_kit.artifacts.scratch import Scratch
from etbgm_kit.artifacts.store import INCOMING, ArtifactStore
from etbgm_kit.errors import InvalidField, NotFound
from etbgm_kit.types import Artifact

FIELD = "source_url"
SENT = "upload:"
"""Sources that begin with this were sent by a link of the gateway's own."""

_SENT = re.compile(SENT + r"([0-9a-f]{32})(?:;([A-Za-z0-9][\w.+-]*/[\w.+-]+))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class SentVideo:
    """A video that was sent by a link, to the artifact store but under a name of its own."""

    name: str
    media_type: str

    @classmethod
    def of(cls, url: str, tenant: str) -> "SentVideo":
        """What the source names. Raises InvalidField."""
        found = _SENT.fullmatch(url)
        if not found:
            raise InvalidField(FIELD, "is not what CreateUploadLink has returned")
        owner = hashlib.sha256(tenant.encode()).hexdigest()[:32]
        return cls(f"{INCOMING}/{owner}/{found[1]}", found[2] or ANY_TYPE)


class Sources:
    """All places that videos come from."""

    def __init__(
        self,
        store: ArtifactStore,
        scratch: Scratch,
        addresses: AddressRules,
        places: PlaceRules,
        limits: HttpLimits,
    ) -> None:
        self._store, self._scratch, self._places, self._limits = store, scratch, places, limits
        self._http = HttpFetcher(addresses, places, limits)

    def check(self, url: str, tenant: str) -> None:
        """Blocks. Raises InvalidField unless the tenant may fetch from the URL, NotFound."""
        if url.startswith(SENT):
            if self._store.size_of(SentVideo.of(url, tenant).name) is None:
                raise NotFound("no video was sent by this link, or its job has taken it", field=FIELD)
        elif is_bucket(url):
            self._places.check(url, FIELD, tenant)
            if not BucketObject.of(url, FIELD).key or url.endswith("/"):
                raise InvalidField(FIELD, "must name an object, not a folder")
        else:
            self._http.check(url, tenant)

    async def fetch(self, url: str, tenant: str, on_fraction: Callable[[float], None]) -> Artifact:
        """Stores the video. Raises InvalidField, NotFound, TooLarge, SourceUnreachable, StorageFull."""
        with self._scratch.folder() as folder:
            path = folder / "video"
            if url.startswith(SENT):
                media_type = await asyncio.to_thread(self._take, SentVideo.of(url, tenant), path)
            elif is_bucket(url):
                await asyncio.to_thread(self.check, url, tenant)
                place = BucketObject.of(url, FIELD)
                await asyncio.to_thread(read_object, place, path, self._limits.size_bytes, on_fraction)
                media_type = ANY_TYPE
            else:
                media_type = await self._http.fetch(url, tenant, path, on_fraction)
            if not path.exists() or path.stat().st_size == 0:
                raise InvalidField(FIELD, "the file is empty")
            return await asyncio.to_thread(self._store.move, path, media_type)

    def forget(self, url: str, tenant: str) -> None:
        """Erases what was sent by a link. Blocks."""
        if url.startswith(SENT):
            self._store.erase(SentVideo.of(url, tenant).name)

    def _take(self, sent: SentVideo, path: Path) -> str:
        size = self._store.size_of(sent.name)
        if size is None:
            raise NotFound("the video that was sent by this link is gone", field=FIELD)
        if size > self._limits.size_bytes:
            raise TooLarge(self._limits.size_bytes)
        with path.open("wb") as file:
            for block in self._store.blocks(sent.name, 0, size):
                file.write(block)
        return sent.media_type
