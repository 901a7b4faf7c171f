"""Reports a full disk as StorageFull, whichever library failed to write."""

import errno
import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from etbgm_kit.errors import StorageFull

log = logging.getLogger(__name__)

FULL = (errno.ENOSPC, errno.EDQUOT)
"""Error numbers of a full disk and of an exhausted quota."""

_PROBE_BYTES = 1 << 20


@contextmanager
def space_in(folder: Path, remedy: str, place: str = "") -> Iterator[None]:
    """Raises StorageFull, with `remedy`, if a write inside the context finds the disk of `folder` full.

    The error names `place` if that is given: callers of a server learn nothing of its folders. The log does.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        log.warning("a disk is full", extra={"folder": str(folder)})
        raise StorageFull(place or folder, remedy) from error


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
