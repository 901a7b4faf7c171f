"""Links by which callers reach the artifact store itself, so that bytes do not pass through the gateway."""

import asyncio
import secrets
import time

from etbgm.gateway.v1 import transfers_pb2 as pb
from etbgm_gateway.api.converters import timestamp_to_pb
from etbgm_gateway.api.ownership import Ownership
from etbgm_gateway.api.validation import check_media_type, lifetime_of
from etbgm_gateway.identity.types import current_tenant
from etbgm_gateway.outgoing.sources import SENT, SentVideo
from etbgm_kit.artifacts.links import StoreLinks
from etbgm_kit.artifacts.store import ArtifactStore

LIFETIME_S, SHORTEST_S, LONGEST_S = 3600.0, 1.0, 86400.0


class Links:
    """Makes links for the current caller. Methods raise InvalidField, Conflict (the store is a folder)."""

    def __init__(self, store: ArtifactStore, ownership: Ownership, links: StoreLinks) -> None:
        self._store, self._ownership, self._links = store, ownership, links

    async def upload(self, request: pb.CreateUploadLinkRequest) -> pb.CreateUploadLinkResponse:
        """Returns a link that takes a video."""
        check_media_type(request.media_type, "media_type")
        lifetime_s = _lifetime_s(request)
        source_url = f"{SENT}{secrets.token_hex(16)};{request.media_type}".rstrip(";")
        name = SentVideo.of(source_url, current_tenant()).name
        url = await asyncio.to_thread(self._links.sign, "PUT", name, lifetime_s)
        expires = timestamp_to_pb(time.time() + lifetime_s)
        return pb.CreateUploadLinkResponse(url=url, source_url=source_url, expire_time=expires)

    async def download(self, request: pb.CreateDownloadLinkRequest) -> pb.CreateDownloadLinkResponse:
        """Returns a link that gives an artifact of the tenant. Raises NotFound too."""
        lifetime_s = _lifetime_s(request)
        key, _ = await asyncio.to_thread(self._store.find, request.uri)
        await asyncio.to_thread(self._ownership.check, key, uri=request.uri)
        url = await asyncio.to_thread(self._links.sign, "GET", key, lifetime_s)
        return pb.CreateDownloadLinkResponse(url=url, expire_time=timestamp_to_pb(time.time() + lifetime_s))


def _lifetime_s(request: pb.CreateUploadLinkRequest | pb.CreateDownloadLinkRequest) -> float:
    given = request.lifetime if request.HasField("lifetime") else None
    return lifetime_of(given, LIFETIME_S, SHORTEST_S, LONGEST_S)
