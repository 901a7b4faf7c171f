"""Uploads by themselves."""

import hashlib
import mmap
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from etbgm_gateway.api.errors import UploadIdUsed
from etbgm_gateway.api.uploads import Opening, Received, UploadLimits, Uploads
from etbgm_gateway.settings import Settings
from etbgm_kit.artifacts.store import ArtifactStore
from etbgm_kit.errors import Busy, Conflict, InvalidField, NotFound, StorageFull
from etbgm_kit.types import Artifact
from etbgm_mixer.settings import Settings as MixerSettings
from tests.conftest import TINY_DISK_BYTES

pytestmark = pytest.mark.process

LIMITS = UploadLimits(size_bytes=100, open_uploads=2, idle_s=60, keep_s=60)
OPENING = Opening("upload-1", 0, 10, "video/mp4")


@pytest.fixture
def uploads(tmp_path: Path, store: ArtifactStore) -> Uploads:
    return Uploads(tmp_path / "uploads", store, LIMITS)


def test_one_sender_at_a_time(uploads: Uploads) -> None:
    arriving = uploads.begin(OPENING)
    with pytest.raises(Conflict):
        uploads.begin(OPENING)
    uploads.close(OPENING, arriving)
    uploads.close(OPENING, uploads.begin(OPENING))


def test_only_so_many_are_open_at_a_time(uploads: Uploads) -> None:
    openings = [replace(OPENING, upload_id=f"upload-{i}") for i in range(3)]
    arriving = [uploads.begin(opening) for opening in openings[:2]]
    with pytest.raises(Busy):
        uploads.begin(openings[2])
    uploads.close(openings[0], arriving[0])
    uploads.begin(openings[2])


def send(uploads: Uploads, opening: Opening, data: bytes) -> Received:
    arriving = uploads.begin(opening)
    try:
        arriving.append(data)
        return uploads.settle(opening, arriving)
    finally:
        uploads.close(opening, arriving)


@pytest.mark.parametrize(
    "other", [{"size_bytes": 5}, {"size_bytes": 11}, {"sha256": "0" * 64}, {"media_type": "video/webm"}]
)
def test_an_id_belongs_to_one_file(uploads: Uploads, other: dict[str, Any]) -> None:
    send(uploads, OPENING, b"01234")
    with pytest.raises(UploadIdUsed):
        uploads.begin(replace(OPENING, offset_bytes=5, **other))
    assert send(uploads, replace(OPENING, offset_bytes=5), b"56789").artifact
    if "media_type" not in other:
        with pytest.raises(UploadIdUsed):
            uploads.begin(replace(OPENING, offset_bytes=10, **other))


def test_an_id_belongs_to_one_owner(uploads: Uploads, store: ArtifactStore) -> None:
    mine, theirs = replace(OPENING, owner="one"), replace(OPENING, owner="two")
    send(uploads, mine, b"01234")
    assert uploads.received("upload-1", "one") == Received(5, OPENING.announced)
    for other in ("", "two"):
        with pytest.raises(NotFound):
            uploads.received("upload-1", other)
    artifact = send(uploads, theirs, b"9876543210").artifact
    assert artifact
    assert store.read(artifact) == b"9876543210"
    assert uploads.received("upload-1", "one") == Received(5, OPENING.announced)


def test_a_file_with_another_sha256_is_refused_and_dropped(uploads: Uploads) -> None:
    announced = replace(OPENING, sha256=hashlib.sha256(b"0123456789").hexdigest())
    with pytest.raises(InvalidField, match=r"opening\.sha256"):
        send(uploads, announced, b"0123456780")
    assert send(uploads, announced, b"0123456789").artifact


def test_an_expired_artifact_can_be_uploaded_again(uploads: Uploads, store: ArtifactStore) -> None:
    artifact = send(uploads, OPENING, b"0123456789").artifact
    assert artifact
    with store.borrow(artifact) as path:
        path.unlink()
    with pytest.raises(NotFound):
        uploads.received("upload-1")
    assert send(uploads, OPENING, b"0123456789").artifact == artifact
    assert store.read(artifact) == b"0123456789"


def test_old_incomplete_uploads_are_removed(uploads: Uploads) -> None:
    send(uploads, OPENING, b"01234")
    for path in uploads.folder.iterdir():
        os.utime(path, (0, 0))
    send(uploads, replace(OPENING, upload_id="upload-2"), b"01234")
    uploads.remove_old()
    assert {path.stem for path in uploads.folder.iterdir()} == {"upload-2"}


def test_the_gateway_takes_in_what_the_mixer_reads() -> None:
    assert (
        Settings.model_fields["max_upload_bytes"].default
        == MixerSettings.model_fields["max_size_bytes"].default
    )


def test_nobody_else_may_send_while_an_upload_is_stored(
    uploads: Uploads, store: ArtifactStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    storing, go_on, move = threading.Event(), threading.Event(), store.move

    def move_slowly(path: Path, media_type: str) -> Artifact:
        storing.set()
        assert go_on.wait(10)
        return move(path, media_type)

    monkeypatch.setattr(store, "move", move_slowly)
    arriving = uploads.begin(OPENING)
    arriving.append(b"0123456789")
    with ThreadPoolExecutor(2) as threads:
        settled = threads.submit(uploads.settle, OPENING, arriving)
        assert storing.wait(10)
        closed = threads.submit(uploads.close, OPENING, arriving)  # the caller has left
        with pytest.raises(Conflict):
            uploads.begin(replace(OPENING, offset_bytes=10))
        assert uploads.received("upload-1") == Received(10, OPENING.announced)
        go_on.set()
        artifact = settled.result().artifact
        closed.result()
    assert artifact
    assert store.read(artifact) == b"0123456789"
    assert uploads.received("upload-1").artifact == artifact
    assert send(uploads, replace(OPENING, offset_bytes=10), b"").artifact == artifact


def test_a_full_disk_is_named_with_what_to_do(store: ArtifactStore, tiny_disk: Path) -> None:
    size = 2 * TINY_DISK_BYTES
    uploads = Uploads(tiny_disk, store, replace(LIMITS, size_bytes=size))
    opening = Opening("upload-1", 0, size, "video/mp4")
    arriving = uploads.begin(opening)
    with pytest.raises(StorageFull, match=r"folder for uploads.*ETBGM_UPLOADS_DIR") as caught:
        arriving.append(bytes(size))
    assert str(tiny_disk) not in caught.value.message
    uploads.close(opening, arriving)
    left = TINY_DISK_BYTES - uploads.received("upload-1").size_bytes
    assert 0 < left <= mmap.PAGESIZE, "the sender goes on from there; the opening takes a page"


def test_an_upload_whose_sender_left_before_it_began_is_free_again(uploads: Uploads) -> None:
    # What cancelling the call does to the result of the thread that `begin` runs in.
    arriving = uploads.begin(OPENING)
    arriving._file.close()
    del arriving
    uploads.begin(OPENING)
