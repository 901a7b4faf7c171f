"""Uploads in progress: a folder keeps the received bytes until the upload is complete.

uploads_dir/ID.part             the bytes received so far; its length is the offset to resume from
records/uploads/ID              in the artifact store: the artifact, once complete
"""

import tempfile
import threading
import time
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from weakref import WeakValueDictionary

from etbgm.media.v1 import media_pb2
from etbgm_gateway.api.validation import CAPTION_TYPES, check_id
from etbgm_kit.artifacts.space import space_in
from etbgm_kit.artifacts.store import ArtifactStore
from etbgm_kit.converters import artifact_from_pb, artifact_to_pb
from etbgm_kit.errors import Conflict, InvalidField, NotFound
from etbgm_kit.types import Artifact

ANY_TYPE = "application/octet-stream"

_REMEDY = "free space on its disk, or set ETBGM_UPLOADS_DIR to a folder on a larger one"


@dataclass(frozen=True, slots=True)
class Opening:
    """The first message of an upload: see gateway.UploadOpening."""

    upload_id: str
    offset_bytes: int
    size_bytes: int
    media_type: str


@dataclass(frozen=True, slots=True)
class Received:
    """How much of an upload was received; `artifact` is set once it is complete."""

    size_bytes: int
    artifact: Artifact | None = None


class Arriving:
    """An upload that is open for more bytes; all methods block.

    They exclude each other: writing or storing continues when the caller disconnects, and no
    other caller can send before it is done.
    """

    def __init__(self, uploads: "Uploads", opening: Opening, file: FileIO) -> None:
        self._uploads, self._opening, self._file = uploads, opening, file
        self._lock = threading.Lock()
        self.received_bytes = opening.offset_bytes
        """Number of bytes received."""

    def append(self, data: bytes) -> None:
        """Appends the next bytes.

        Raises InvalidField if they exceed the announced size, StorageFull.
        """
        if self.received_bytes + len(data) > self._opening.size_bytes:
            raise InvalidField("data", f"goes beyond the announced {self._opening.size_bytes} bytes")
        with self._lock, space_in(self._uploads.folder, _REMEDY):
            rest = memoryview(data)
            while rest:
                written = self._file.write(rest)
                self.received_bytes += written
                rest = rest[written:]

    def settle(self) -> Received:
        """Stores the upload if it is complete; returns what was received. Raises StorageFull."""
        with self._lock:
            return self._uploads.settle(self._opening)

    def close(self) -> None:
        """Lets other callers continue the upload."""
        with self._lock:
            self._file.close()
            self._uploads.release(self._opening.upload_id)


class Uploads:
    """All uploads; all methods block."""

    def __init__(self, folder: Path | None, store: ArtifactStore, limit_bytes: int, keep_s: float) -> None:
        """Keeps bytes in `folder`; refuses more than `limit_bytes`; deletes them after `keep_s` seconds."""
        self.folder = folder or Path(tempfile.gettempdir()) / "etbgm-uploads"
        """Folder of the incomplete uploads."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._store, self._limit_bytes, self._keep_s = store, limit_bytes, keep_s
        # Weak: a caller that disconnects while `begin` runs never gets the upload and cannot close it.
        self._open: WeakValueDictionary[str, Arriving] = WeakValueDictionary()
        self._lock = threading.Lock()

    def received(self, upload_id: str) -> Received:
        """Returns what was received. Raises InvalidField for a malformed id, NotFound for an unknown one."""
        check_id(upload_id, "upload_id")
        if record := self._store.recall(f"uploads/{upload_id}"):
            artifact = artifact_from_pb(media_pb2.Artifact.FromString(record))
            return Received(artifact.size_bytes, artifact)
        if arriving := self._open.get(upload_id):
            return Received(arriving.received_bytes)
        try:
            return Received(self._part(upload_id).stat().st_size)
        except FileNotFoundError:
            raise NotFound("no such upload", upload_id=upload_id) from None

    def begin(self, opening: Opening) -> Arriving:
        """Opens an upload for appending until it is closed; received bytes stay, however it ends.

        Raises InvalidField (limits, offset), NotFound (nothing to resume), Conflict (another
        call is sending), StorageFull.
        """
        check_id(opening.upload_id, "opening.upload_id")
        with self._lock:
            if opening.upload_id in self._open:
                raise Conflict("another call is sending this upload", upload_id=opening.upload_id)
            self._check(opening)
            self._remove_old()
            with space_in(self.folder, _REMEDY):
                # Unbuffered, so that `close` has nothing left to write, which would fail on a full disk.
                file = self._part(opening.upload_id).open("ab", buffering=0)
            self._open[opening.upload_id] = arriving = Arriving(self, opening, file)
        return arriving

    def release(self, upload_id: str) -> None:
        """Lets other callers open the upload."""
        self._open.pop(upload_id, None)

    def settle(self, opening: Opening) -> Received:
        """Implements `Arriving.settle`; no other caller can send meanwhile."""
        received, part = self.received(opening.upload_id), self._part(opening.upload_id)
        if received.size_bytes < opening.size_bytes:
            return received
        if not received.artifact:
            artifact = self._store.move(part, opening.media_type)
            record = artifact_to_pb(artifact).SerializeToString()
            self._store.remember(f"uploads/{opening.upload_id}", record)
            received = Received(artifact.size_bytes, artifact)
        part.unlink(missing_ok=True)
        return received

    def _check(self, opening: Opening) -> None:
        size = opening.size_bytes
        if size < 1:
            raise InvalidField("opening.size_bytes", "must be at least 1, nothing is no video")
        if size > self._limit_bytes:
            raise InvalidField("opening.size_bytes", f"is {size:,}, the limit is {self._limit_bytes:,}")
        kind = opening.media_type
        if not (kind.startswith("video/") or kind in (*CAPTION_TYPES, ANY_TYPE)):
            raise InvalidField("opening.media_type", f"must be video/… or one of {CAPTION_TYPES}")
        try:
            stands_at = self.received(opening.upload_id).size_bytes
        except NotFound:
            if opening.offset_bytes:
                raise
            stands_at = 0
        if opening.offset_bytes != stands_at:
            raise InvalidField(
                "opening.offset_bytes", f"the upload stands at {stands_at}", received_bytes=stands_at
            )

    def _part(self, upload_id: str) -> Path:
        return self.folder / f"{upload_id}.part"

    def _remove_old(self) -> None:
        for part in self.folder.glob("*.part"):
            if part.stem not in self._open and time.time() - part.stat().st_mtime > self._keep_s:
                part.unlink(missing_ok=True)
