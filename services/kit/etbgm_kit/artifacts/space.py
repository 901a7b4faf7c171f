"""Reports a full disk as StorageFull, whichever library failed to write."""

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from etbgm_kit.errors import StorageFull

FULL = (errno.ENOSPC, errno.EDQUOT)
"""Error numbers of a full disk and of an exhausted quota."""

_PROBE_BYTES = 1 << 20


@contextmanager
def space_in(folder: Path, remedy: str) -> Iterator[None]:
    """Raises StorageFull, with `remedy`, if a write inside the context finds the disk of `folder` full."""
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise StorageFull(folder, remedy) from error


@contextmanager
def full_disk_seen(folder: Path, error: type[Exception]) -> Iterator[None]:
    """Replaces `error`, which does not say why a write failed, with an OSError if the disk is full.

    libsndfile, for example, reports every failure as "System error", so a test write to `folder` decides.
    """
    try:
        yield
    except error:
        with tempfile.TemporaryFile(dir=folder) as probe:
            os.posix_fallocate(probe.fileno(), 0, _PROBE_BYTES)
        raise
