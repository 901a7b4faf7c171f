"""An upload that is open for more bytes."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

from etbgm_kit.artifacts.space import space_in
from etbgm_kit.errors import InvalidField

PLACE = "the folder for uploads"
REMEDY = "free space on its disk, or set ETBGM_UPLOADS_DIR to a folder on a larger one"
"""What to do when the disk of uploads is full."""


class Arriving:
    """The bytes of one upload; all methods block.

    Writing or storing continues when the caller disconnects, and no other caller can send before it is done.
    """

    def __init__(self, file: FileIO, offset_bytes: int, size_bytes: int, folder: Path) -> None:
        """Appends to `file` in `folder`, which has `offset_bytes`, up to `size_bytes`."""
        self._file, self._size_bytes, self._folder = file, size_bytes, folder
        self._lock = threading.Lock()
        self.received_bytes = offset_bytes
        """Number of bytes received."""

    @contextmanager
    def held(self) -> Iterator[None]:
        """Excludes other threads from the upload while the context lasts."""
        with self._lock:
            yield

    def append(self, data: bytes) -> None:
        """Appends the next bytes.

        Raises InvalidField if they exceed the announced size, StorageFull.
        """
        if self.received_bytes + len(data) > self._size_bytes:
            raise InvalidField("data", f"goes beyond the announced {self._size_bytes} bytes")
        with self._lock, space_in(self._folder, REMEDY, PLACE):
            rest = memoryview(data)
            while rest:
                written = self._file.write(rest)
                self.received_bytes += written
                rest = rest[written:]

    def close(self) -> None:
        """Closes the file; call it inside of `held`."""
        self._file.close()
