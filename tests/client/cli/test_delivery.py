"""A result gets its place all at once, or not at all."""

import errno
from pathlib import Path

import pytest

from etbgm_cli.delivery import Staged, staged
from etbgm_cli.marker import MARKER, read_marker
from etbgm_kit.errors import Conflict, StorageFull


def tree(folder: Path) -> dict[str, str]:
    """The files below `folder`, without the marker, and what they contain."""
    paths = (path for path in folder.rglob("*") if path.is_file() and path.name != MARKER)
    return {path.relative_to(folder).as_posix(): path.read_text() for path in paths}


def write(new: Staged, text: str, *names: str) -> None:
    for name in names:
        (new.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (new.folder / name).write_text(text)
    new.video.write_text(text)


def deliver(folder: Path, text: str, *names: str) -> None:
    with staged(folder / "out", folder / "out.mp4") as new:
        write(new, text, *names)


def test_a_new_result_gets_its_folder_and_a_marker(tmp_path: Path) -> None:
    deliver(tmp_path / "new", "1", "variant-1.mp4", "variant-1.stems/lead.flac")
    assert tree(tmp_path / "new") == {
        "out.mp4": "1", "out/variant-1.mp4": "1", "out/variant-1.stems/lead.flac": "1",
    }  # fmt: skip
    marker = read_marker(tmp_path / "new/out")
    assert marker
    assert marker.files == {"variant-1.mp4", "variant-1.stems/lead.flac"}
    assert marker.videos == {"out.mp4"}
    assert (tmp_path / "new/out").stat().st_mode & 0o777 == (tmp_path / "new").stat().st_mode & 0o777


def test_a_later_result_removes_exactly_the_files_of_the_earlier_one(tmp_path: Path) -> None:
    deliver(tmp_path, "1", "variant-1.mp4", "variant-2.mp4", "variant-2.stems/lead.flac", "a.stems/b.flac")
    (tmp_path / "out/notes.txt").write_text("mine")
    (tmp_path / "out/a.stems/take.wav").write_text("mine")
    deliver(tmp_path, "2", "variant-1.mp4", "report.json")
    assert tree(tmp_path) == {
        "out.mp4": "2", "out/variant-1.mp4": "2", "out/report.json": "2",
        "out/notes.txt": "mine", "out/a.stems/take.wav": "mine",
    }  # fmt: skip
    assert not (tmp_path / "out/variant-2.stems").exists()


@pytest.mark.parametrize("failure", [OSError(errno.EIO, "I/O error"), KeyboardInterrupt()])
def test_a_failure_leaves_the_earlier_result(tmp_path: Path, failure: BaseException) -> None:
    deliver(tmp_path, "1", "variant-1.mp4", "variant-2.mp4")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(type(failure)), staged(tmp_path / "out", tmp_path / "out.mp4") as new:
        write(new, "2", "variant-1.mp4", "variant-3.mp4")
        raise failure
    assert tree(tmp_path) == {"out.mp4": "1", "out/variant-1.mp4": "1", "out/variant-2.mp4": "1"}
    assert sorted(tmp_path.rglob("*")) == before


def test_a_failure_leaves_nothing_of_a_new_result(tmp_path: Path) -> None:
    folder = tmp_path / "new/deep"
    with (
        pytest.raises(StorageFull, match=r"new/deep: free space on its disk, or choose another folder"),
        staged(folder / "out", folder / "out.mp4") as new,
    ):
        write(new, "1", "variant-1.mp4")
        raise OSError(errno.ENOSPC, "No space left on device")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_alone_may_exist_and_be_empty(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with staged(tmp_path / "out") as new:
        (new.folder / "report.json").write_text("1")
    assert tree(tmp_path) == {"out/report.json": "1"}


@pytest.mark.parametrize("name", ["out.mp4", "out/variant-1.mp4"])
def test_what_appears_meanwhile_is_not_written_over(tmp_path: Path, name: str) -> None:
    with (
        pytest.raises(Conflict, match=f"{name} was written by somebody else"),
        staged(tmp_path / "out", tmp_path / "out.mp4") as new,
    ):
        write(new, "1", "variant-1.mp4")
        (tmp_path / "out").mkdir()
        (tmp_path / name).write_text("mine")
    assert tree(tmp_path) == {name: "mine"}


def test_a_link_in_the_folder_is_not_followed(tmp_path: Path) -> None:
    deliver(tmp_path, "1", "variant-1.stems/lead.flac", "variant-2.stems/lead.flac")
    (tmp_path / "other").mkdir()
    for number in (1, 2):
        (tmp_path / f"out/variant-{number}.stems").rename(tmp_path / f"moved-{number}")
        (tmp_path / f"out/variant-{number}.stems").symlink_to(tmp_path / f"moved-{number}")
    with pytest.raises(Conflict, match=r"variant-1\.stems/lead\.flac"):
        deliver(tmp_path, "2", "variant-1.stems/lead.flac")
    deliver(tmp_path, "2", "report.json")
    for number in (1, 2):
        assert (tmp_path / f"moved-{number}/lead.flac").read_text() == "1"


def test_videos_of_other_containers_stay_ours(tmp_path: Path) -> None:
    for container in ("mp4", "mkv", "mp4"):
        with staged(tmp_path / "out", tmp_path / f"out.{container}") as new:
            write(new, container, "report.json")
    assert tree(tmp_path) == {"out.mp4": "mp4", "out.mkv": "mkv", "out/report.json": "mp4"}
