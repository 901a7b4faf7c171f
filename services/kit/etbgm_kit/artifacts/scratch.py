"""Temporary folders that do not outlive the process, even when it is killed.

    work_dir/etbgm-scratch-X/lock    locked (flock) while the folder is in use
    work_dir/etbgm-scratch-X/files   the folder that the caller gets

The kernel releases a lock however its process ends, and all containers that share the
volume see the lock. Process ids cannot replace it: the first process of every container
has number 1.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from etbgm_kit.artifacts.locks import locked
from etbgm_kit.artifacts.space import space_in

PREFIX = "etbgm-scratch-"
"""Names of the temporary folders begin with this."""

_REMEDY = "free space on its disk, or set ETBGM_WORK_DIR to a folder on a larger one"


class Scratch:
    """Creates temporary folders below `work_dir` (the system's temporary folder if None).

    When its disk is full, `remedy` tells the user of this machine what to do, and the error names the folder;
    without `remedy`, the error is one of a server and does not.
    """

    def __init__(self, work_dir: Path | None, remedy: str = "") -> None:
        """Removes the folders that killed processes have left in `work_dir`."""
        self._remedy, self._place = (remedy, "") if remedy else (_REMEDY, "the folder for temporary files")
        self._root = Path(work_dir or tempfile.gettempdir())
        self._root.mkdir(parents=True, exist_ok=True)
        for folder in self._root.glob(f"{PREFIX}*"):
            with suppress(OSError), _held(folder) as is_ours:
                if is_ours:
                    shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """An empty folder, removed with its contents when the context ends.

        Writing inside the context raises StorageFull if the disk is full.
        """
        with space_in(self._root, self._remedy, self._place):
            while True:
                with (
                    tempfile.TemporaryDirectory(prefix=PREFIX, dir=self._root) as name,
                    _held(Path(name)) as is_ours,
                ):
                    if not is_ours:  # another process mistook the new folder for a leftover
                        continue
                    files = Path(name) / "files"
                    files.mkdir()
                    yield files
                    return


@contextmanager
def _held(folder: Path) -> Iterator[bool]:
    """Holds the folder's lock; yields False if another process holds it or has removed the folder."""
    path = folder / "lock"
    with ExitStack() as stack:
        try:
            is_ours = stack.enter_context(locked(path)) and path.exists()
        except FileNotFoundError:
            is_ours = False
        yield is_ours
