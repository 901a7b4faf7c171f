"""Temporary folders that do not outlive the process, even when it is killed."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PREFIX = "etbgm-"


class Scratch:
    """Hands out temporary folders below `work_dir` (the system's when None)."""

    def __init__(self, work_dir: Path | None) -> None:
        """Removes what killed processes of ours have left in `work_dir`."""
        self._root = Path(work_dir or tempfile.gettempdir())
        self._root.mkdir(parents=True, exist_ok=True)
        for folder in self._root.glob(f"{_PREFIX}*-*"):
            pid = folder.name.split("-")[1]
            if pid.isdigit() and not Path(f"/proc/{pid}").exists():
                shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """An empty folder, removed with all it holds when the context ends."""
        with tempfile.TemporaryDirectory(prefix=f"{_PREFIX}{os.getpid()}-", dir=self._root) as name:
            yield Path(name)
