"""Temporary folders: gone when nobody uses them, and never while somebody does."""

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from etbgm_kit.artifacts.scratch import Scratch
from etbgm_kit.errors import StorageFull

pytestmark = pytest.mark.process

HOLDER = """
import sys
from pathlib import Path
from etbgm_kit.artifacts.scratch import Scratch
with Scratch(Path(sys.argv[1])).folder() as folder:
    print(folder, flush=True)
    sys.stdin.read()
"""

IN_A_CONTAINER = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child")
"""As the first process of a pid namespace of its own."""


@contextmanager
def holder(root: Path, *prefix: str) -> Iterator[tuple["subprocess.Popen[str]", Path]]:
    """Another process, and the folder below `root` that it uses."""
    command = [*prefix, sys.executable, "-c", HOLDER, str(root)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        line = process.stdout.readline().strip()
        if not line:
            pytest.skip(f"{prefix[0]} is not permitted here")
        yield process, Path(line)
        process.kill()


def test_a_folder_is_empty_and_ends_with_its_context(tmp_path: Path) -> None:
    with Scratch(tmp_path).folder() as folder:
        assert list(folder.iterdir()) == []
        (folder / "x").write_text("x")
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_goes_when_the_next_one_starts(tmp_path: Path) -> None:
    with holder(tmp_path) as (process, folder):
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert folder.is_dir()
        Scratch(tmp_path)
        assert list(tmp_path.iterdir()) == []


def test_folders_in_use_stay(tmp_path: Path) -> None:
    with holder(tmp_path) as (_, theirs), Scratch(tmp_path).folder() as ours:
        Scratch(tmp_path)
        assert theirs.is_dir()
        assert ours.is_dir()


def test_containers_that_share_a_volume_tell_each_others_leftovers_from_folders_in_use(
    tmp_path: Path,
) -> None:
    # Both are process 1 of their namespaces, as the one that cleans up would be.
    with holder(tmp_path, *IN_A_CONTAINER) as (_, used):
        with holder(tmp_path, *IN_A_CONTAINER) as (killed, left):
            killed.kill()
            killed.communicate()  # until its child, which holds the pipe, has ended too
        with holder(tmp_path, *IN_A_CONTAINER):
            assert (used.is_dir(), left.exists()) == (True, False)


def test_a_new_folder_that_is_taken_for_a_leftover_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch, open_path, swept = Scratch(tmp_path), Path.open, []

    def open_late(path: Path, mode: str = "r") -> object:
        if not swept:  # between making the folder and locking it another process starts
            swept.append(path.parent)
            monkeypatch.undo()
            Scratch(tmp_path)
        return open_path(path, mode)

    monkeypatch.setattr(Path, "open", open_late)
    with scratch.folder() as folder:
        assert folder.is_dir()
    assert swept
    assert not swept[0].exists()


def test_other_folders_of_the_product_stay(tmp_path: Path) -> None:
    uploads = tmp_path / "etbgm-uploads"
    uploads.mkdir()
    Scratch(tmp_path)
    assert uploads.is_dir()


def test_a_full_disk_is_named_with_what_to_do(tiny_disk: Path) -> None:
    with (
        pytest.raises(StorageFull, match="ETBGM_WORK_DIR"),
        Scratch(tiny_disk).folder() as folder,
    ):
        (folder / "x").write_bytes(b"x" * (2 << 20))


def test_other_errors_pass(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="Input/output"), Scratch(tmp_path).folder():
        raise OSError(errno.EIO, os.strerror(errno.EIO))
