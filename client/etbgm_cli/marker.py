"""The marker of a result folder: a JSON file that names what the command wrote, and so may replace."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

MARKER = "etbgm-result.json"
"""Name of the marker in a result folder."""


@dataclass(frozen=True)
class Marker:
    """What the command wrote: the files in a result folder, and the videos beside the folder.

    `files` are paths relative to the folder, `videos` are file names.
    """

    files: frozenset[str] = frozenset()
    videos: frozenset[str] = frozenset()

    @property
    def entries(self) -> frozenset[str]:
        """The names directly in the folder that belong to the result, including the marker's own."""
        return frozenset(name.partition("/")[0] for name in self.files) | {MARKER}


def read_marker(folder: Path) -> Marker | None:
    """The marker of `folder`; None if it has none, or none that can be trusted. Raises OSError."""
    try:
        document = json.loads((folder / MARKER).read_text(encoding="utf-8"))
        files, videos = _names(document["files"]), _names(document["videos"])
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError):
        return None
    return Marker(files, videos) if all("/" not in name for name in videos) else None


def write_marker(folder: Path, marker: Marker) -> None:
    """Replaces the marker of `folder` in one step. Raises OSError."""
    document = {"written_by": "etbgm", "videos": sorted(marker.videos), "files": sorted(marker.files)}
    arriving = folder / f".{MARKER}.part"
    try:
        arriving.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
        arriving.replace(folder / MARKER)
    finally:
        arriving.unlink(missing_ok=True)


def _names(listed: Iterable[str]) -> frozenset[str]:
    """The names of a list. Raises ValueError for one that would lead outside the folder."""
    for name in listed:
        path = PurePosixPath(name)
        if not path.parts or path.is_absolute() or ".." in path.parts or "\0" in name:
            raise ValueError(f"{name!r} is no name in a result folder")
    return frozenset(listed)
