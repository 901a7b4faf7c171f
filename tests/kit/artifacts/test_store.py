"""Artifacts go in and come out by content, and nothing else of the disk does."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from google.rpc import code_pb2

from etbgm_kit.artifacts.addresses import current
from etbgm_kit.artifacts.scratch import Scratch
from etbgm_kit.artifacts.store import ArtifactStore
from etbgm_kit.errors import InvalidField, NotFound, StorageFull
from etbgm_kit.serving.status import status_of
from tests.conftest import TINY_DISK_BYTES

pytestmark = pytest.mark.process

SHA256_OF_ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
"""FIPS 180-2, appendix B.1."""


def test_a_file_is_stored_under_its_hash(store: ArtifactStore, tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"abc")
    artifact = store.put(path, "audio/flac")
    assert (artifact.sha256, artifact.size_bytes) == (SHA256_OF_ABC, 3)
    assert artifact.uri == f"artifact://sha256/{SHA256_OF_ABC}.flac"
    assert artifact == store.put_bytes(b"abc", "audio/flac")
    with store.borrow(artifact) as borrowed:
        assert borrowed.read_bytes() == b"abc"


@pytest.mark.parametrize("known", [False, True])
def test_a_stored_copy_leaves_the_file_where_it_is(store: ArtifactStore, tmp_path: Path, known: bool) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"abc")
    if known:
        store.put_bytes(b"abc", "audio/flac")
    assert store.put(path, "audio/flac") == store.move(path, "audio/flac")
    path.write_bytes(b"abcd")
    artifact = store.put(path, "audio/flac")
    assert path.read_bytes() == b"abcd"
    path.write_bytes(b"abcde")
    with store.borrow(artifact) as borrowed:
        assert borrowed.read_bytes() == b"abcd", "it does not change with its source"


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
    key, size = store.find(artifact.uri)
    assert size == 10
    assert b"".join(store.blocks(key, 2, 5)) == b"234"
    assert not list(store.blocks(key, 10, 10))


@pytest.mark.parametrize(
    "uri",
    [
        *("file:///etc/passwd", "{root}/../../etc/passwd", "{root}/artifacts/../../x", "s3://bucket/x"),
        *("//", "", "\0", "artifact://sha256/", "a" * 5000, f"artifact://sha256/{SHA256_OF_ABC}/../x"),
        *(f"artifact://sha256/{SHA256_OF_ABC}\0.mp4", f"artifact://sha256/{SHA256_OF_ABC}.mp4\n"),
        *(f"{{root}}/artifacts/ba/../{SHA256_OF_ABC}", f"{{root}}/records/ba/{SHA256_OF_ABC}"),
    ],
)
def test_uris_outside_of_the_store_are_refused(store: ArtifactStore, tmp_path: Path, uri: str) -> None:
    outside = uri.format(root=f"file://{tmp_path}/store")
    artifact = replace(store.put_bytes(b"abc", "video/mp4"), uri=outside)
    with pytest.raises(InvalidField, match=r"video\.uri"), store.borrow(artifact, "video"):
        pass
    with pytest.raises(InvalidField):
        store.find(outside)


def test_a_store_can_be_moved(store: ArtifactStore, tmp_path: Path, scratch: Scratch) -> None:
    artifact = store.put_bytes(b"abc", "audio/flac")
    (tmp_path / "store").rename(tmp_path / "moved")
    moved = ArtifactStore(f"file://{tmp_path}/moved", scratch)
    old_key = f"artifacts/ba/{SHA256_OF_ABC}.flac"
    for uri in (artifact.uri, f"file://{tmp_path}/store/{old_key}", f"s3://bucket/some/prefix/{old_key}"):
        assert moved.read(replace(artifact, uri=uri)) == b"abc"
        assert moved.find(uri) == (old_key, 3)
        assert current(uri) == artifact.uri
    assert current("elsewhere") == "elsewhere"


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


@pytest.mark.parametrize(
    "harm", [lambda data: data[:0], lambda data: data[:-1], lambda data: data[:-1] + b"x"]
)
def test_a_broken_record_counts_as_none(
    store: ArtifactStore, tmp_path: Path, harm: Callable[[bytes], bytes]
) -> None:
    store.remember("a/b", b"twelve bytes")
    record = tmp_path / "store/records/a/b"
    record.write_bytes(harm(record.read_bytes()))
    assert store.recall("a/b") is None
    store.remember("a/b", b"twelve bytes")
    assert store.recall("a/b") == b"twelve bytes"


def test_objects_are_on_the_disk_before_they_have_their_names(
    store: ArtifactStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr("os.fsync", lambda descriptor: synced.append(os.fstat(descriptor).st_ino))
    path = tmp_path / "x"
    path.write_bytes(b"in a file")
    store.put(path, "audio/flac")
    store.put_bytes(b"in memory", "audio/flac")
    store.remember("a/b", b"record")
    written = {path.stat().st_ino for path in (tmp_path / "store").rglob("*") if path.is_file()}
    assert set(synced) == written
    assert len(written) == 3


def test_a_full_disk_is_named_with_what_to_do(scratch: Scratch, tiny_disk: Path) -> None:
    store = ArtifactStore(f"file://{tiny_disk}/store", scratch)
    with scratch.folder() as folder:
        path = folder / "large"
        path.write_bytes(b"x" * (TINY_DISK_BYTES + 1))
        for attempt in (
            lambda: store.put(path, "audio/flac"),
            lambda: store.put_bytes(path.read_bytes(), "audio/flac"),
            lambda: store.remember("a/b", path.read_bytes()),
        ):
            with pytest.raises(StorageFull, match="ETBGM_STORE_URL") as caught:
                attempt()
            assert str(tiny_disk) not in caught.value.message
            assert status_of(caught.value).code == code_pb2.RESOURCE_EXHAUSTED
    assert not [path for path in tiny_disk.rglob("*") if path.is_file()], "nothing half-written is left"
