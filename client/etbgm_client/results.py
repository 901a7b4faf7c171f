"""The files of a result."""

import re
from collections.abc import Iterator

from etbgm.gateway.v1 import gateway_pb2 as pb
from etbgm.media.v1 import media_pb2

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}(?:/[A-Za-z0-9][A-Za-z0-9._-]{0,99})?")


class UnsafeName(ValueError):
    """A gateway sent a name that cannot be a path in the result folder."""


def files_of(result: pb.JobResult) -> Iterator[tuple[str, media_pb2.Artifact]]:
    """Yields the path in the result folder and the artifact of each file of `result`.

    Previews are not among them: they are the sound of the videos.
    Raises UnsafeName if a name could lead outside the folder.
    """
    for file in result.files:
        if not _NAME.fullmatch(file.name):
            raise UnsafeName(f"the gateway sent {file.name!r}, which is no name for a file")
        yield file.name, file.artifact
