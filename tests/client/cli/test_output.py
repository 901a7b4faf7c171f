"""Where a result may go is decided before any work."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from etbgm.gateway.v1 import gateway_pb2 as pb
from etbgm.media.v1 import media_pb2
from etbgm_cli.marker import Marker, write_marker
from etbgm_cli.output import NotEnoughSpace, Place, check_place, check_space, is_result_name
from etbgm_client.results import files_of as client_files_of
from etbgm_gateway.results.files import files_of
from etbgm_kit.errors import InvalidField


def place(folder: Path) -> Place:
    """`-o talk.mp4` in `folder`."""
    return Place(folder / "talk", (folder / "talk.mp4",))


def a_file_is_in_the_folders_place(folder: Path) -> None:
    (folder / "talk").write_bytes(b"mine")


def a_folder_is_in_the_videos_place(folder: Path) -> None:
    (folder / "talk.mp4").mkdir()


def the_folder_is_not_ours(folder: Path) -> None:
    (folder / "talk").mkdir()
    (folder / "talk/notes.txt").write_text("mine")


def the_video_is_not_ours(folder: Path) -> None:
    (folder / "talk.mp4").write_bytes(b"mine")


def the_video_is_a_link(folder: Path) -> None:
    (folder / "other.mp4").write_bytes(b"mine")
    (folder / "talk.mp4").symlink_to("other.mp4")


def the_video_is_a_link_to_nothing(folder: Path) -> None:
    (folder / "talk.mp4").symlink_to("nothing.mp4")


def the_folder_is_a_link(folder: Path) -> None:
    (folder / "other").mkdir()
    (folder / "talk").symlink_to("other")


def a_variant_is_not_ours(folder: Path) -> None:
    (folder / "talk").mkdir()
    write_marker(folder / "talk", Marker(frozenset({"variant-1.mp4"})))
    (folder / "talk/variant-2.mp4").write_bytes(b"mine")


def stems_lead_elsewhere(folder: Path) -> None:
    (folder / "talk").mkdir()
    (folder / "other").mkdir()
    write_marker(folder / "talk", Marker(frozenset({"variant-1.stems/lead.flac"})))
    (folder / "talk/variant-1.stems").symlink_to(folder / "other")


def the_marker_is_damaged(folder: Path) -> None:
    (folder / "talk").mkdir()
    (folder / "talk/etbgm-result.json").write_text("{")


@pytest.mark.parametrize(
    ("prepare", "says"),
    [
        (a_file_is_in_the_folders_place, r"talk is a file, but a folder .* choose another with -o"),
        (a_folder_is_in_the_videos_place, r"talk\.mp4 is a folder; name a file with -o"),
        (the_folder_is_not_ours, r"talk is not empty and not a result of etbgm .* move it"),
        (the_marker_is_damaged, r"talk is not empty and not a result of etbgm .* move it"),
        (the_video_is_not_ours, r"talk\.mp4 exists and was not written by etbgm; move it"),
        (the_video_is_a_link, r"talk\.mp4 is a symbolic link; name the place"),
        (the_video_is_a_link_to_nothing, r"talk\.mp4 is a symbolic link; name the place"),
        (the_folder_is_a_link, r"talk is a symbolic link; name the place"),
        (a_variant_is_not_ours, r"variant-2\.mp4 was not written by etbgm; move it"),
        (stems_lead_elsewhere, r"variant-1\.stems was not written by etbgm; move it"),
    ],
)
def test_what_is_not_ours_is_refused(tmp_path: Path, prepare: Callable[[Path], None], says: str) -> None:
    prepare(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(InvalidField, match=says):
        check_place(place(tmp_path))
    assert sorted(tmp_path.rglob("*")) == before


def an_empty_folder(folder: Path) -> None:
    (folder / "talk").mkdir()


def an_earlier_result(folder: Path) -> None:
    (folder / "talk").mkdir()
    for name in ("variant-1.mp4", "notes.txt"):
        (folder / "talk" / name).write_bytes(b"old")
    write_marker(folder / "talk", Marker(frozenset({"variant-1.mp4"}), frozenset({"talk.mp4"})))
    (folder / "talk.mp4").write_bytes(b"old")


@pytest.mark.parametrize("prepare", [lambda _: None, an_empty_folder, an_earlier_result])
def test_what_is_new_empty_or_ours_is_accepted(tmp_path: Path, prepare: Callable[[Path], None]) -> None:
    prepare(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    check_place(place(tmp_path))
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("name", ["talk/variant-1.mp4", "talk/stems/deep.srt", "link.mp4"])
def test_an_input_in_the_result_folder_is_refused(tmp_path: Path, name: str) -> None:
    an_earlier_result(tmp_path)
    (tmp_path / "talk/stems").mkdir()
    (tmp_path / "talk/stems/deep.srt").write_bytes(b"mine")
    (tmp_path / "link.mp4").symlink_to("talk/variant-1.mp4")
    with pytest.raises(
        InvalidField, match=f"the input .*{name} lies in .*talk, which gets the result; copy it"
    ):
        check_place(place(tmp_path), [tmp_path / name])


def test_an_input_is_not_written_over_under_any_of_its_names(tmp_path: Path) -> None:
    an_earlier_result(tmp_path)
    (tmp_path / "hard.mp4").hardlink_to(tmp_path / "talk.mp4")
    for given in ("talk.mp4", "hard.mp4", f"../{tmp_path.name}/talk.mp4"):
        with pytest.raises(InvalidField, match=r"talk\.mp4 is an input and must not be written over"):
            check_place(place(tmp_path), [tmp_path / given])


def test_a_file_above_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(InvalidField, match="file is not a folder; choose another place with -o"):
        check_place(place(tmp_path / "file/new"))


def test_names_as_long_as_the_disk_allows_are_accepted(tmp_path: Path) -> None:
    longest = os.pathconf(tmp_path, "PC_NAME_MAX")
    for name in ("a" * (longest - 4), "ä" * ((longest - 4) // 2)):
        check_place(Place(tmp_path / name, (tmp_path / f"{name}.mp4",)))
        with pytest.raises(InvalidField, match=f"at most {longest} are possible; choose a shorter one"):
            check_place(Place(tmp_path / name, (tmp_path / f"{name}aa.mp4",)))
    with pytest.raises(InvalidField, match="choose a shorter one"):
        check_place(place(tmp_path / "new" / ("a" * (longest + 1))))


def test_a_path_that_is_too_long_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidField, match="File name too long; choose another place with -o"):
        check_place(place(tmp_path / "/".join(["a" * 200] * 25)))


def test_space_is_summed_per_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=5_000_000))
    check_space([(tmp_path, 2_000_000), (tmp_path / "new/folder", 3_000_000)])
    with pytest.raises(NotEnoughSpace, match=r"about 6\.0 MB are needed, but 5\.0 MB are free; free space"):
        check_space([(tmp_path, 2_000_000), (tmp_path / "new/folder", 4_000_000)])


def test_all_names_of_a_result_are_known() -> None:
    stored = media_pb2.Artifact(uri="file:///a")
    parts = {
        field.name: stored
        for field in pb.JobResult.DESCRIPTOR.fields
        if field.message_type == media_pb2.Artifact.DESCRIPTOR
    }
    variant = pb.Variant(number=1)
    for field in pb.Variant.DESCRIPTOR.fields:
        if field.message_type == media_pb2.Artifact.DESCRIPTOR:
            getattr(variant, field.name).CopyFrom(stored)
    variant.stems.add(name="lead", sound=stored)
    files = files_of(pb.JobResult(variants=[variant], container="mp4", **parts))
    assert all(file.kind for file in files)
    names = [name for name, _ in client_files_of(pb.JobResult(files=files))]
    assert len(names) >= 12
    assert [name for name in names if not is_result_name(name.split("/")[0])] == []
    assert is_result_name("variant-1")
    assert not is_result_name("notes.txt")
