"""Temporary folders that do not outlive the process, even when it is killed.

    work_dir/etbgm-scratch-X/lock    locked (flock) for as long as the folder is in use
    work_dir/etbgm-scratch-X/files   what is handed out

The kernel frees a lock when its process ends, however it ends, and knows it in every
container that shares the volume. Process ids do neither: the first process of every
container has number 1.
"""

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from etbgm_kit.artifacts.space import space_in

_PREFIX = "etbgm-scratch-"

_REMEDY = "free space on its disk, or set ETBGM_WORK_DIR to a folder on a larger one"


class Scratch:
    """Hands out temporary folders below `work_dir` (the system's when None)."""

    def __init__(self, work_dir: Path | None) -> None:
        """Removes what killed processes have left in `work_dir`."""
        self._root = Path(work_dir or tempfile.gettempdir())
        self._root.mkdir(parents=True, exist_ok=True)
        for folder in self._root.glob(f"{_PREFIX}*"):
            with suppress(OSError), _held(folder) as lock:
                if lock:
                    shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """An empty folder, removed with all it holds when the context ends.

        Writing inside the context raises StorageFull when the disk is full.
        """
        with space_in(self._root, _REMEDY):
            while True:
                with (
                    tempfile.TemporaryDirectory(prefix=_PREFIX, dir=self._root) as name,
                    _held(Path(name)) as lock,
                ):
                    if not lock:  # another process took the new folder for a leftover
                        continue
                    files = Path(name) / "files"
                    files.mkdir()
                    yield files
                    return


@contextmanager
def _held(folder: Path) -> Iterator[BinaryIO | None]:
    """The folder's lock, held; None when another process holds it or has removed the folder."""
    path = folder / "lock"
    try:
        lock = path.open("wb")
    except FileNotFoundError:
        yield None
        return
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_ours = path.exists()
        except BlockingIOError:
            is_ours = False
        yield lock if is_ours else None
