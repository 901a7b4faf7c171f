"""Copies files of results to where their callers want them."""

import asyncio

from etbgm.gateway.v1 import transfers_pb2
from etbgm_gateway.outgoing.buckets import write_object
from etbgm_gateway.outgoing.errors import DestinationUnreachable
from etbgm_gateway.outgoing.places import BucketObject, PlaceRules
from etbgm_kit.artifacts.store import ArtifactStore
from etbgm_kit.converters import artifact_from_pb
from etbgm_kit.errors import InvalidField
from etbgm_kit.types import Artifact

FIELD = "destination"
AT_ONCE = 4
"""Files of all jobs that one gateway copies at the same time."""
ATTEMPTS = 4
PAUSE_S = 2.0
"""Pause before the second attempt; each further pause is four times as long."""


class Destinations:
    """All places that files are copied to."""

    def __init__(self, store: ArtifactStore, places: PlaceRules) -> None:
        self._store, self._places = store, places
        self._turns = asyncio.Semaphore(AT_ONCE)

    def check(self, destination: transfers_pb2.Destination, tenant: str) -> None:
        """Raises InvalidField unless the tenant may have files copied there."""
        field = f"{FIELD}.url"
        self._places.check(destination.url, field, tenant)
        BucketObject.of(destination.url, field)
        if not destination.url.endswith("/"):
            raise InvalidField(field, "must name a folder: end with /")
        for i, kind in enumerate(destination.kinds):
            if kind not in transfers_pb2.FileKind.values() or kind == transfers_pb2.FILE_KIND_UNSPECIFIED:
                raise InvalidField(f"{FIELD}.kinds[{i}]", f"{kind} is not the kind of a file")

    async def deliver(self, file: transfers_pb2.File, folder_url: str) -> str:
        """Copies the file and returns its URL. Raises InvalidField, DestinationUnreachable."""
        url = f"{folder_url}{file.name}"
        place, artifact = BucketObject.of(url, FIELD), artifact_from_pb(file.artifact)
        for attempt in range(ATTEMPTS):
            try:
                async with self._turns:
                    await asyncio.to_thread(self._copy, artifact, place)
            except DestinationUnreachable:
                if attempt == ATTEMPTS - 1:
                    raise
                await asyncio.sleep(PAUSE_S * 4**attempt)
            else:
                return url
        raise AssertionError("the last attempt returns or raises")

    def _copy(self, artifact: Artifact, place: BucketObject) -> None:
        with self._store.borrow(artifact) as path:
            write_object(place, path, artifact.media_type)
