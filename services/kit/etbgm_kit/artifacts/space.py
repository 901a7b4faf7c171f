"""One way to tell that a disk is full, whichever library could not write."""

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from etbgm_kit.errors import StorageFull

FULL = (errno.ENOSPC, errno.EDQUOT)
"""The disk is full, or the user's share of it."""

_PROBE_BYTES = 1 << 20


@contextmanager
def space_in(folder: Path, remedy: str) -> Iterator[None]:
    """What writes to `folder` inside the context raises StorageFull, with `remedy`, when its disk is full."""
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise StorageFull(folder, remedy) from error


@contextmanager
def full_disk_seen(folder: Path, error: type[Exception]) -> Iterator[None]:
    """Raises the OSError of a full disk in place of `error`, which does not say why nothing could be written.

    libsndfile, for one, says "System error" whatever it was, so a write to `folder` finds out.
    """
    try:
        yield
    except error:
        with tempfile.TemporaryFile(dir=folder) as probe:
            os.posix_fallocate(probe.fileno(), 0, _PROBE_BYTES)
        raise
