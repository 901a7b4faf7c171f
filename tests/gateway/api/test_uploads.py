"""Uploads by themselves."""

from pathlib import Path

import pytest

from etbgm_gateway.api.uploads import Opening, Uploads
from etbgm_kit.artifacts.store import ArtifactStore
from etbgm_kit.errors import Conflict

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


def test_an_upload_whose_sender_left_before_it_began_is_free_again(uploads: Uploads) -> None:
    # What cancelling the call does to the result of the thread that `begin` runs in.
    arriving = uploads.begin(OPENING)
    arriving._file.close()
    del arriving
    uploads.begin(OPENING).close()
