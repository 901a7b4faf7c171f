"""Puts a finished result in its place: all of it, or nothing when writing fails or is interrupted.

The files are first written to a temporary folder on the same disk. They replace the files of an
earlier result, which the folder's marker names, only when all of them are complete.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from etbgm_cli.marker import MARKER, Marker, read_marker, write_marker
from etbgm_cli.output import REMEDY
from etbgm_kit.artifacts.scratch import Scratch
from etbgm_kit.errors import Conflict


@dataclass(frozen=True)
class Staged:
    """Where the parts of a result are written before they get their final place.

    `folder` becomes the result folder; the file `video` becomes the video beside it.
    """

    folder: Path
    video: Path


@contextmanager
def staged(folder: Path, video: Path | None = None) -> Iterator[Staged]:
    """Puts what is written inside the context to `folder` and `video` when the context ends.

    Files of an earlier result that the new one does not have are removed. An exception inside the
    context leaves both places as they were. Raises StorageFull, OSError, and Conflict if somebody
    else has written to one of the places meanwhile.
    """
    with ExitStack() as stack:
        within = folder.parent if video or not folder.exists() else folder
        stack.enter_context(_parents(within))
        work = inside = stack.enter_context(Scratch(within, REMEDY).folder())
        if folder.exists() and within != folder:  # the folder may be on a disk of its own
            inside = stack.enter_context(Scratch(folder, REMEDY).folder())
        new = Staged(inside / "result", work / "video")
        new.folder.mkdir()
        yield new
        _put(new, folder, video)


@contextmanager
def _parents(folder: Path) -> Iterator[None]:
    """Creates `folder` and the folders above it; removes those that are still empty after an exception."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        with suppress(OSError):
            for each in missing:
                each.rmdir()
        raise


def _put(new: Staged, folder: Path, video: Path | None) -> None:
    """Moves the staged files. No await and no copy: a signal or a full disk cannot split it."""
    paths = (path for path in new.folder.rglob("*") if path.is_file())
    names = frozenset(path.relative_to(new.folder).as_posix() for path in paths)
    old = read_marker(folder) or Marker()
    _require_ours(folder, names, video, old)
    videos = frozenset(name for name in old.videos if (folder.parent / name).is_file())
    marker = Marker(names, videos | ({video.name} if video else frozenset()))
    if folder.exists():
        _replace(new.folder, folder, old, marker)
    else:
        write_marker(new.folder, marker)
        new.folder.rename(folder)
    if video:
        new.video.replace(video)


def _require_ours(folder: Path, names: frozenset[str], video: Path | None, old: Marker) -> None:
    """Raises Conflict if a file that is to be written exists and is not of the earlier result."""
    targets = {folder / name: name in old.files for name in names}
    targets[folder / MARKER] = read_marker(folder) is not None
    if video:
        targets[video] = video.name in old.videos and not video.is_symlink()
    for path, is_ours in targets.items():
        is_led_away = any(each.is_symlink() for each in path.parents if each.is_relative_to(folder))
        if is_led_away or ((path.exists() or path.is_symlink()) and not is_ours):
            raise Conflict(f"{path} was written by somebody else meanwhile; nothing was written over")


def _replace(staged_folder: Path, folder: Path, old: Marker, new: Marker) -> None:
    """Replaces the files of the earlier result. The marker always names at least what is there."""
    write_marker(folder, Marker(old.files | new.files, old.videos | new.videos))
    for name in new.files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (staged_folder / name).replace(folder / name)
    for name in old.files - new.files:
        _remove(folder, name)
    write_marker(folder, new)


def _remove(folder: Path, name: str) -> None:
    """Removes a file of an earlier result and the subfolders that it leaves empty."""
    path = folder / name
    if path.parent.resolve() != (folder.resolve() / name).parent or path.is_dir():
        return  # a link leads elsewhere, or somebody made a folder of it
    path.unlink(missing_ok=True)
    with suppress(OSError):
        for parent in path.relative_to(folder).parents:
            if parent.parts:
                (folder / parent).rmdir()
