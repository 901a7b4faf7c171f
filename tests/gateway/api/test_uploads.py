"""Uploads by themselves."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from etbgm_gateway.api.uploads import Opening, Received, Uploads
from etbgm_kit.artifacts.store import ArtifactStore
from etbgm_kit.errors import Conflict, StorageFull
from etbgm_kit.types import Artifact
from tests.conftest import TINY_DISK_BYTES

pytestmark = pytest.mark.process

OPENING = Opening("upload-1", 0, 10, "video/mp4")


@pytest.fixture
def uploads(tmp_path: Path, store: ArtifactStore) -> Uploads:
    return Uploads(tmp_path / "uploads", store, limit_bytes=100, keep_s=60)


def test_one_sender_at_a_time(uploads: Uploads) -> None:
    arriving = uploads.begin(OPENING)
    with pytest.raises(Conflict):
        uploads.begin(OPENING)
    arriving.close()
    uploads.begin(OPENING).close()


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
        settled = threads.submit(arriving.settle)
        assert storing.wait(10)
        closed = threads.submit(arriving.close)  # the caller has left
        with pytest.raises(Conflict):
            uploads.begin(Opening("upload-1", 10, 20, "video/mp4"))
        assert uploads.received("upload-1") == Received(10)
        go_on.set()
        artifact = settled.result().artifact
        closed.result()
    assert artifact
    assert store.read(artifact) == b"0123456789"
    assert uploads.received("upload-1") == Received(10, artifact)
    uploads.begin(Opening("upload-1", 10, 20, "video/mp4")).close()


def test_a_full_disk_is_named_with_what_to_do(store: ArtifactStore, tiny_disk: Path) -> None:
    size = 2 * TINY_DISK_BYTES
    uploads = Uploads(tiny_disk, store, limit_bytes=size, keep_s=60)
    arriving = uploads.begin(Opening("upload-1", 0, size, "video/mp4"))
    with pytest.raises(StorageFull, match=f"{tiny_disk}.*ETBGM_UPLOADS_DIR"):
        arriving.append(bytes(size))
    arriving.close()
    assert uploads.received("upload-1") == Received(TINY_DISK_BYTES), "the sender goes on from there"


def test_an_upload_whose_sender_left_before_it_began_is_free_again(uploads: Uploads) -> None:
    # What cancelling the call does to the result of the thread that `begin` runs in.
    arriving = uploads.begin(OPENING)
    arriving._file.close()
    del arriving
    uploads.begin(OPENING).close()
