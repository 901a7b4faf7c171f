"""Decodes audio files of any format block by block, through PyAV."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from etbgm_kit.media.waveform import Samples
from etbgm_riffusion.dataset.types import DatasetError

if TYPE_CHECKING:
    from av import AudioFrame

RATE_HZ = 44100

_BLOCK = RATE_HZ
"""Samples of a block: a second, so that the work for each block is small beside that for its samples."""

SUFFIXES = frozenset(
    {
        ".aac",
        ".ac3",
        ".aif",
        ".aifc",
        ".aiff",
        ".alac",
        ".ape",
        ".au",
        ".caf",
        ".dsf",
        ".flac",
        ".m4a",
        ".m4b",
    }
    | {
        ".mka",
        ".mkv",
        ".mov",
        ".mp2",
        ".mp3",
        ".mp4",
        ".mpc",
        ".oga",
        ".ogg",
        ".opus",
        ".tta",
        ".w64",
        ".wav",
    }
    | {".webm", ".wma", ".wv"}
)
"""Suffixes of the files in a folder that count as sources; all others are ignored."""

_TAGS = ("title", "artist", "genre", "mood", "bpm", "copyright")


class Unreadable(DatasetError):
    """A file has no audio that can be decoded; the message names the file and the reason."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path} cannot be read: {why}")
        self.why = why


def sources_in(folder: Path, apart_from: Path) -> list[str]:
    """Returns the audio files in `folder`, at any depth, as sorted relative POSIX paths.

    Leaves out hidden files and the folder `apart_from`.
    """
    apart = apart_from.resolve()
    paths = (
        path.relative_to(folder)
        for path in folder.rglob("*")
        if path.suffix.lower() in SUFFIXES and path.is_file() and apart not in path.resolve().parents
    )
    return sorted(path.as_posix() for path in paths if not any(part.startswith(".") for part in path.parts))


def tags_of(path: Path) -> dict[str, str]:
    """Returns the tags that captions may use, in lower case. Raises Unreadable."""
    import av

    try:
        with av.open(str(path)) as container:
            found = {
                **container.metadata,
                **(container.streams.audio[0].metadata if container.streams.audio else {}),
            }
    except (av.FFmpegError, OSError) as error:
        raise Unreadable(path, _reason(error)) from error
    lower = {name.lower(): value.strip() for name, value in found.items()}
    return {name: lower[name] for name in _TAGS if lower.get(name)}


def duration_s(path: Path) -> float:
    """Returns the duration that the file states, in seconds; 0 if it states none or cannot be read."""
    import av

    try:
        with av.open(str(path)) as container:
            return (container.duration or 0) / av.time_base
    except (av.FFmpegError, OSError):
        return 0.0


def blocks(path: Path, from_s: float = 0.0) -> Iterator[Samples]:
    """Yields the sound of the first audio stream in blocks of a second, (samples, 2) float32 at RATE_HZ.

    Starts near `from_s`, or at the beginning if the file cannot be searched. Raises Unreadable; what lies
    before a fault in the middle of a file is yielded first.
    """
    import av

    fault: Exception | None = None
    resampler = av.AudioResampler("flt", "stereo", RATE_HZ, _BLOCK)
    try:
        for frame in _frames(path, from_s):
            for part in resampler.resample(frame):
                yield _samples(part)
    # A ValueError is a file whose rate or channels change.
    except (av.FFmpegError, OSError, ValueError) as error:
        fault = error
    for part in resampler.resample(None):
        yield _samples(part)
    if fault:
        raise Unreadable(path, _reason(fault)) from fault


def cut(sound: Iterator[Samples], starts: list[int], length: int) -> Iterator[Samples]:
    """Yields `length` samples from each of `starts`, which are in order; overlapping or beyond the end too.

    Keeps at most `length` samples and one block in memory. What lies beyond the end is silence.
    """
    held, first, pending = np.zeros((0, 2), np.float32), 0, list(starts)
    for block in sound:
        if not pending:
            return
        held = np.concatenate([held, block])
        while pending and pending[0] + length <= first + len(held):
            begin = pending.pop(0) - first
            yield held[begin : begin + length]
        keep = min(len(held), max(0, (pending[0] if pending else first + len(held)) - first))
        held, first = held[keep:], first + keep
    for start in pending:
        rest = held[start - first :][:length]
        yield np.pad(rest, ((0, length - len(rest)), (0, 0)))


def _frames(path: Path, from_s: float) -> Iterator["AudioFrame"]:
    import av

    with av.open(str(path)) as container:
        if not container.streams.audio:
            raise Unreadable(path, "it has no audio")
        if from_s:
            with suppress(av.FFmpegError):
                container.seek(round(from_s * av.time_base))
        yield from container.decode(container.streams.audio[0])


def _samples(frame: "AudioFrame") -> Samples:
    return frame.to_ndarray().astype(np.float32, copy=False).reshape(-1, 2)


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
