"""The artifact store: bytes named by their SHA-256, in a folder or a bucket.

    artifacts/ab/ab12…ef.flac    data that stages pass to each other
    records/…                    small named messages: cached results
    incoming/…                   videos that callers sent by links, until a job has taken them
    doomed/artifacts/…           an empty object for each artifact that is to be erased

Artifacts are written once and never changed, so readers need no locks and a retried
write is harmless. In a folder, data is flushed to the disk before it gets its final name:
a power loss never leaves a partial object. A record begins with its SHA-256.
"""

import hashlib
import os
import shutil
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import ObjectStore, from_url

from etbgm_kit.artifacts.addresses import address_of, parsed
from etbgm_kit.artifacts.hashes import sha256_of
from etbgm_kit.artifacts.scratch import Scratch
from etbgm_kit.artifacts.space import space_in
from etbgm_kit.errors import InvalidField, NotFound
from etbgm_kit.types import Artifact

BLOCK_BYTES = 1 << 20
"""Files are hashed and sent in blocks of this size."""

_REMEDY = "delete artifacts that are no longer needed, or set ETBGM_STORE_URL to a folder on a larger disk"

INCOMING, _DOOMED = "incoming", "doomed"

_HASH_BYTES = hashlib.sha256().digest_size


class ArtifactStore:
    """Artifacts below one URL. All methods block; call them from worker threads."""

    def __init__(self, url: str, scratch: Scratch) -> None:
        """Opens `url`, file:///folder or s3://bucket/prefix. Raises ValueError for another scheme.

        Artifacts borrowed from a bucket are stored in `scratch` while they are in use.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("file", "s3"):
            raise ValueError(f"store_url: need file:///folder or s3://bucket/prefix, got {url!r}")
        self._scratch = scratch
        self._folder = Path(unquote(parts.path)) if parts.scheme == "file" else None
        if self._folder:
            self._folder.mkdir(parents=True, exist_ok=True)
        self._store: ObjectStore = from_url(url.rstrip("/"))

    def put(self, path: Path, media_type: str) -> Artifact:
        """Stores a copy of the file at `path`."""
        return self._put(path, media_type, shutil.copyfile)

    def move(self, path: Path, media_type: str) -> Artifact:
        """Stores the file at `path`, which may be gone afterwards: within a disk, this costs nothing."""
        return self._put(path, media_type, shutil.move)

    def put_bytes(self, data: bytes, media_type: str) -> Artifact:
        """Stores `data`, which must be small."""
        sha256 = hashlib.sha256(data).hexdigest()
        artifact = Artifact(address_of(sha256, media_type), sha256, media_type, len(data))
        if not self.exists(artifact):
            key = self.key(artifact)
            self._write(key, data)
            self.undoom(key)
        return artifact

    def doom(self, key: str) -> None:
        """Has `exists` deny the artifact with this key, so that it is written again if it is needed again."""
        self._write(f"{_DOOMED}/{key}", b"")

    def undoom(self, key: str) -> None:
        """Takes `doom` back."""
        self.erase(f"{_DOOMED}/{key}")

    def is_doomed(self, key: str) -> bool:
        """Whether the artifact with this key is doomed, and has not been written again since."""
        return self.size_of(f"{_DOOMED}/{key}") is not None

    def erase(self, key: str) -> None:
        """Erases the object with this key, if there is one."""
        with suppress(FileNotFoundError):
            obstore.delete(self._store, key)

    def written_before(
        self, time_s: float, prefixes: Iterable[str] = ("artifacts", "records")
    ) -> Iterator[str]:
        """Yields the keys below `prefixes` last written before this time (seconds since 1970)."""
        for prefix in prefixes:
            for objects in obstore.list(self._store, prefix):
                for each in objects:
                    if each["last_modified"].timestamp() < time_s:
                        yield each["path"]

    def size_of(self, key: str) -> int | None:
        """Length in bytes of the object with this key; None if there is none."""
        try:
            return int(obstore.head(self._store, key)["size"])
        except FileNotFoundError:
            return None

    def exists(self, artifact: Artifact, field: str = "artifact") -> bool:
        """Whether the store has the artifact in its full size and will keep it.

        Raises InvalidField as `borrow` does.
        """
        key = self.key(artifact, field)
        return self.size_of(key) == artifact.size_bytes and self.size_of(f"{_DOOMED}/{key}") is None

    @contextmanager
    def borrow(self, artifact: Artifact, field: str = "artifact") -> Iterator[Path]:
        """Yields a file with the artifact's bytes, readable until the context ends.

        Raises InvalidField (naming `field`) for a uri that is not the address of this content,
        NotFound if the bytes are missing.
        """
        key = self.key(artifact, field)
        if self.size_of(key) != artifact.size_bytes:
            raise NotFound("the artifact is not in the store", field=field, sha256=artifact.sha256)
        if self._folder:
            yield self._folder / key
            return
        with self._scratch.folder() as folder:
            path = folder / Path(key).name
            with path.open("wb") as file:
                for block in self.blocks(key, 0, artifact.size_bytes):
                    file.write(block)
            yield path

    def read(self, artifact: Artifact, field: str = "artifact") -> bytes:
        """The bytes of a small artifact. Raises as `borrow` does."""
        with self.borrow(artifact, field) as path:
            return path.read_bytes()

    def find(self, uri: str) -> tuple[str, int]:
        """Key and length in bytes of the artifact at `uri`. Raises InvalidField, NotFound."""
        found = parsed(uri)
        if found is None:
            raise InvalidField("uri", "is not the address of an artifact")
        try:
            return found[1], obstore.head(self._store, found[1])["size"]
        except FileNotFoundError:
            raise NotFound("no such artifact", uri=uri) from None

    def blocks(self, key: str, start: int, end: int) -> Iterator[bytes]:
        """Yields bytes [start, end) of the artifact with this key (see `find`); `end` is at most its length.

        One request fetches them; they are read on demand, in blocks of at most BLOCK_BYTES.
        """
        if self._folder:
            with (self._folder / key).open("rb") as file:
                file.seek(start)
                while block := file.read(min(BLOCK_BYTES, end - start)):
                    start += len(block)
                    yield block
            return
        while start < end:
            resumed_at = start
            try:
                response = obstore.get(self._store, key, options={"range": (start, end)})
                for chunk in response.stream(min_chunk_size=BLOCK_BYTES // 2):
                    for first in range(0, len(chunk), BLOCK_BYTES):
                        block = bytes(memoryview(chunk)[first : first + BLOCK_BYTES])
                        start += len(block)
                        yield block
            except BaseError:
                # obstore ends a request after 30 s and retries for three minutes; a slow reader takes longer.
                # An artifact never changes, so a new request can resume from here.
                if start == resumed_at:
                    raise

    def remember(self, name: str, record: bytes) -> None:
        """Stores a small record under `name`, for any process that shares the store."""
        self._write(f"records/{name}", hashlib.sha256(record).digest() + record)

    def recall(self, name: str) -> bytes | None:
        """The record under `name`; None if it is missing, truncated or altered."""
        try:
            kept = bytes(obstore.get(self._store, f"records/{name}").bytes())
        except FileNotFoundError:
            return None
        digest, record = kept[:_HASH_BYTES], kept[_HASH_BYTES:]
        return record if hashlib.sha256(record).digest() == digest else None

    def key(self, artifact: Artifact, field: str = "artifact") -> str:
        """The artifact's key in the store. Raises InvalidField as `borrow` does."""
        found = parsed(artifact.uri)
        if found is None or found[0] != artifact.sha256:
            raise InvalidField(f"{field}.uri", "is not the address of this content in the artifact store")
        return found[1]

    def _put(self, path: Path, media_type: str, transfer: Callable[[Path, Path], object]) -> Artifact:
        sha256 = sha256_of(path)
        artifact = Artifact(address_of(sha256, media_type), sha256, media_type, path.stat().st_size)
        if self.exists(artifact):
            return artifact
        key = self.key(artifact)
        if self._folder:
            with _arriving(self._folder / key) as arriving:
                transfer(path, arriving)
        else:
            obstore.put(self._store, key, path)
        self.undoom(key)
        return artifact

    def _write(self, key: str, data: bytes) -> None:
        """Stores `data` under `key`."""
        if not self._folder:
            obstore.put(self._store, key, data)
            return
        with _arriving(self._folder / key) as arriving:
            arriving.write_bytes(data)


@contextmanager
def _arriving(target: Path) -> Iterator[Path]:
    """Yields a path to write; flushes it to disk and renames it to `target`. Raises StorageFull."""
    arriving = target.with_name(f"{target.name}.{uuid.uuid4().hex}.part")
    with space_in(target.parent, _REMEDY, "the artifact store"):
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield arriving
            with arriving.open("rb") as file:
                os.fsync(file.fileno())
            arriving.replace(target)
        finally:
            arriving.unlink(missing_ok=True)
