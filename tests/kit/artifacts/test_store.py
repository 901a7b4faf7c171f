"""Artifacts go in and come out by content, and nothing else of the disk does."""

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from etbgm_kit.artifacts.scratch import Scratch
from etbgm_kit.artifacts.store import ArtifactStore
from etbgm_kit.errors import InvalidField, NotFound

SHA256_OF_ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
"""FIPS 180-2, appendix B.1."""


def test_a_file_is_stored_under_its_hash(store: ArtifactStore, tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"abc")
    artifact = store.put(path, "audio/flac")
    assert (artifact.sha256, artifact.size_bytes) == (SHA256_OF_ABC, 3)
    assert artifact.uri.endswith(f"/artifacts/ba/{SHA256_OF_ABC}.flac")
    assert artifact == store.put_bytes(b"abc", "audio/flac")
    with store.borrow(artifact) as borrowed:
        assert borrowed.read_bytes() == b"abc"


def test_the_same_content_may_arrive_many_times_at_once(store: ArtifactStore, tmp_path: Path) -> None:
    paths = [tmp_path / str(i) for i in range(32)]
    for path in paths:
        path.write_bytes(b"x" * 100_000)
    with ThreadPoolExecutor(8) as threads:
        stored = list(threads.map(lambda path: store.put(path, "audio/flac"), paths))
    assert len(set(stored)) == 1
    assert store.exists(stored[0])


def test_ranges_and_lengths(store: ArtifactStore) -> None:
    artifact = store.put_bytes(b"0123456789", "video/mp4")
    assert store.find(artifact.uri)[1] == 10
    assert store.read_range(artifact.uri, 2, 5) == b"234"


@pytest.mark.parametrize(
    "uri", ["file:///etc/passwd", "{root}/../../etc/passwd", "{root}/artifacts/../../x", "s3://bucket/x"]
)
def test_uris_outside_of_the_store_are_refused(store: ArtifactStore, tmp_path: Path, uri: str) -> None:
    outside = uri.format(root=f"file://{tmp_path}/store")
    artifact = replace(store.put_bytes(b"abc", "video/mp4"), uri=outside)
    with pytest.raises(InvalidField, match=r"video\.uri"), store.borrow(artifact, "video"):
        pass
    with pytest.raises(InvalidField):
        store.find(outside)


def test_a_missing_artifact_is_not_found(store: ArtifactStore) -> None:
    artifact = store.put_bytes(b"abc", "video/mp4")
    with store.borrow(artifact) as path:
        path.unlink()
    assert not store.exists(artifact)
    with pytest.raises(NotFound), store.borrow(artifact):
        pass
    with pytest.raises(NotFound):
        store.find(artifact.uri)


def test_records_are_recalled_by_name(store: ArtifactStore) -> None:
    assert store.recall("a/b") is None
    store.remember("a/b", b"one")
    store.remember("a/b", b"two")
    assert store.recall("a/b") == b"two"


def test_other_schemes_are_refused(scratch: Scratch) -> None:
    with pytest.raises(ValueError, match="store_url"):
        ArtifactStore("ftp://host/folder", scratch)


def test_scratch_folders_go_even_after_a_kill(tmp_path: Path) -> None:
    dead = subprocess.Popen(["true"])
    dead.wait()
    left = tmp_path / f"etbgm-{dead.pid}-abc"
    ours = tmp_path / f"etbgm-{os.getpid()}-abc"
    left.mkdir()
    ours.mkdir()
    with Scratch(tmp_path).folder() as folder:
        assert folder.is_dir()
    assert (left.exists(), ours.exists(), folder.exists()) == (False, True, False)
