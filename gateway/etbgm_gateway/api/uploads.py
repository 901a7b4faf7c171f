"""Uploads in progress: a folder keeps the received bytes until the upload is complete.

uploads_dir/KEY.part            the bytes received so far; its length is the offset to resume from
uploads_dir/KEY.opening         the first opening: later ones must announce the same file
records/uploads/KEY             in the artifact store: the artifact, once complete

The key is the upload's id and its owner: two owners may choose the same id.
"""

import hashlib
import json
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from weakref import WeakValueDictionary

from etbgm.media.v1 import media_pb2
from etbgm_gateway.api.arriving import PLACE, REMEDY, Arriving
from etbgm_gateway.api.errors import UploadIdUsed
from etbgm_gateway.api.validation import CAPTION_TYPES, check_id, check_media_type, check_sha256
from etbgm_kit.artifacts.addresses import ANY_TYPE
from etbgm_kit.artifacts.hashes import sha256_of
from etbgm_kit.artifacts.space import space_in
from etbgm_kit.artifacts.store import ArtifactStore
from etbgm_kit.converters import artifact_from_pb, artifact_to_pb
from etbgm_kit.errors import Busy, Conflict, InvalidField, NotFound
from etbgm_kit.types import Artifact

_RETRY_AFTER_S = 5.0
"""Retry delay for a caller that finds too many uploads open."""


@dataclass(frozen=True, slots=True)
class Announced:
    """The whole file: size, media type and SHA-256, which may be ""."""

    size_bytes: int
    media_type: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Opening:
    """The first message of an upload: see gateway.UploadOpening; `sha256` may be ""."""

    upload_id: str
    offset_bytes: int
    size_bytes: int
    media_type: str
    sha256: str = ""
    owner: str = ""

    @property
    def key(self) -> str:
        """The name under which the upload is kept."""
        return key_of(self.upload_id, self.owner)

    @property
    def announced(self) -> Announced:
        """The whole file, which must be the same whenever the upload is opened."""
        return Announced(self.size_bytes, self.media_type, self.sha256)


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """Limits on uploads: the size of one, and how many may be open.

    A call ends after `idle_s` without a message; an incomplete upload is removed after `keep_s` without one.
    """

    size_bytes: int
    open_uploads: int
    idle_s: float
    keep_s: float


@dataclass(frozen=True, slots=True)
class Received:
    """How much of an upload was received; `artifact` is set once it is complete."""

    size_bytes: int
    announced: Announced
    artifact: Artifact | None = None


class Uploads:
    """All uploads; all methods block."""

    def __init__(self, folder: Path | None, store: ArtifactStore, limits: UploadLimits) -> None:
        """Keeps bytes in `folder`."""
        self.folder = folder or Path(tempfile.gettempdir()) / "etbgm-uploads"
        """Folder of the incomplete uploads."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._store, self._limits = store, limits
        # Weak: a caller that disconnects while `begin` runs never gets the upload and cannot close it.
        self._open: WeakValueDictionary[str, Arriving] = WeakValueDictionary()
        self._lock = threading.Lock()

    @property
    def idle_s(self) -> float:
        """Time without a message after which a call ends."""
        return self._limits.idle_s

    def received(self, upload_id: str, owner: str = "") -> Received:
        """Returns what was received. Raises InvalidField for a malformed id, NotFound for an unknown one.

        An upload whose artifact has been deleted since is unknown.
        """
        check_id(upload_id, "upload_id")
        key = key_of(upload_id, owner)
        if record := self._store.recall(f"uploads/{key}"):
            artifact = artifact_from_pb(media_pb2.Artifact.FromString(record))
            if self._store.exists(artifact):
                return _stored(artifact)
        try:
            announced = self._announced(key)
            arriving = self._open.get(key)
            size_bytes = arriving.received_bytes if arriving else self._part(key).stat().st_size
        except FileNotFoundError:
            raise NotFound("no such upload", upload_id=upload_id) from None
        return Received(size_bytes, announced)

    def begin(self, opening: Opening) -> Arriving:
        """Opens an upload for appending until it is closed; received bytes stay, however it ends.

        Raises InvalidField (limits, offset), NotFound (nothing to resume), UploadIdUsed (the id belongs to
        another file), Conflict (another call is sending), Busy (too many are open), StorageFull.
        """
        self._check(opening)
        with self._lock:
            if opening.key in self._open:
                raise Conflict("another call is sending this upload", upload_id=opening.upload_id)
            if len(self._open) >= self._limits.open_uploads:
                raise Busy(_RETRY_AFTER_S)
            self._check_resumed(opening)
            with space_in(self.folder, REMEDY, PLACE):
                self._first(opening.key).write_text(json.dumps(asdict(opening.announced)))
                # Unbuffered, so that `close` has nothing left to write, which would fail on a full disk.
                file = self._part(opening.key).open("ab", buffering=0)
            arriving = Arriving(file, opening.offset_bytes, opening.size_bytes, self.folder)
            self._open[opening.key] = arriving
        return arriving

    def settle(self, opening: Opening, arriving: Arriving) -> Received:
        """Stores the upload if it is complete; returns what was received. No other caller can send meanwhile.

        Raises InvalidField if the file is not the announced one; its bytes are then dropped. StorageFull.
        """
        with arriving.held():
            received, part = self.received(opening.upload_id, opening.owner), self._part(opening.key)
            if received.size_bytes < opening.size_bytes:
                return received
            if not received.artifact:
                self._check_content(opening, part)
                artifact = self._store.move(part, opening.media_type)
                record = artifact_to_pb(artifact).SerializeToString()
                self._store.remember(f"uploads/{opening.key}", record)
                received = _stored(artifact)
            part.unlink(missing_ok=True)
            self._first(opening.key).unlink(missing_ok=True)
            return received

    def close(self, opening: Opening, arriving: Arriving) -> None:
        """Lets other callers continue the upload, once work on it in other threads has ended."""
        with arriving.held():
            arriving.close()
            self._open.pop(opening.key, None)

    def _check(self, opening: Opening) -> None:
        check_id(opening.upload_id, "opening.upload_id")
        size, most = opening.size_bytes, self._limits.size_bytes
        if size < 1:
            raise InvalidField("opening.size_bytes", "must be at least 1, nothing is no video")
        if size > most:
            raise InvalidField("opening.size_bytes", f"is {size:,}, the limit is {most:,}"
                               " (ETBGM_MAX_UPLOAD_BYTES)")  # fmt: skip
        kind = opening.media_type
        check_media_type(kind, "opening.media_type")
        if not (kind.startswith("video/") or kind in (*CAPTION_TYPES, ANY_TYPE)):
            raise InvalidField("opening.media_type", f"must be video/… or one of {CAPTION_TYPES}")
        if opening.sha256:
            check_sha256(opening.sha256, "opening.sha256")

    def _check_resumed(self, opening: Opening) -> None:
        try:
            received = self.received(opening.upload_id, opening.owner)
        except NotFound:
            if opening.offset_bytes:
                raise
            for path in (self._first(opening.key), self._part(opening.key)):
                path.unlink(missing_ok=True)
            received = Received(0, opening.announced)
        if self._is_another(opening, received.artifact):
            raise UploadIdUsed(opening.upload_id)
        if opening.offset_bytes != received.size_bytes:
            raise InvalidField(
                "opening.offset_bytes",
                f"the upload stands at {received.size_bytes}",
                received_bytes=received.size_bytes,
            )

    def _is_another(self, opening: Opening, stored: Artifact | None) -> bool:
        """Whether the id belongs to a file that differs from the announced one."""
        if stored:
            is_same_sha256 = opening.sha256 in ("", stored.sha256)
            return not is_same_sha256 or opening.size_bytes != stored.size_bytes
        try:
            return self._announced(opening.key) != opening.announced
        except FileNotFoundError:
            return False

    def _announced(self, key: str) -> Announced:
        """The file of an incomplete upload. Raises FileNotFoundError, also if its description is damaged."""
        try:
            return Announced(**json.loads(self._first(key).read_text()))
        except (ValueError, TypeError):
            raise FileNotFoundError from None

    def _check_content(self, opening: Opening, part: Path) -> None:
        if opening.sha256 and sha256_of(part) != opening.sha256:
            part.unlink()
            raise InvalidField("opening.sha256", "is not that of the bytes received, which were dropped")

    def _part(self, key: str) -> Path:
        return self.folder / f"{key}.part"

    def _first(self, key: str) -> Path:
        return self.folder / f"{key}.opening"

    def remove_old(self) -> None:
        """Removes incomplete uploads that got no data for too long."""
        for path in (*self.folder.glob("*.part"), *self.folder.glob("*.opening")):
            written = path.with_suffix(".part") if path.with_suffix(".part").exists() else path
            if path.stem not in self._open and time.time() - written.stat().st_mtime > self._limits.keep_s:
                path.unlink(missing_ok=True)


def key_of(upload_id: str, owner: str) -> str:
    """The name under which the upload of `owner` is kept; `upload_id` contains no "~"."""
    return f"{upload_id}~{hashlib.sha256(owner.encode()).hexdigest()}" if owner else upload_id


def _stored(artifact: Artifact) -> Received:
    announced = Announced(artifact.size_bytes, artifact.media_type, artifact.sha256)
    return Received(artifact.size_bytes, announced, artifact)
