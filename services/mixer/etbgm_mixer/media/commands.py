"""Builds ffmpeg's commands with ffmpeg-python; `ffmpeg.py` runs them."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import ffmpeg

CONTAINERS = (
    "mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "avi", "flv", "mpegts", "mpeg", "ogg", "asf", "mpegvideo",
    "mxf", "dv",
)  # fmt: skip
"""Allowed demuxers, by ffmpeg's names."""

SAFE = {"protocol_whitelist": "file,pipe", "format_whitelist": ",".join(CONTAINERS)}
"""Options of every untrusted input: only local files in known containers (a playlist opens other files)."""

SAFELY = [part for name, value in SAFE.items() for part in (f"-{name}", value)]
"""The same as arguments."""

Command = list[str]

_QUIETLY = ("-nostdin", "-v", "error", "-progress", "pipe:1")


def source(video: Path, **options: Any) -> Any:
    """Returns the input of an untrusted file; `options` by ffmpeg's names, as ffmpeg-python takes them."""
    return ffmpeg.input(str(video), **SAFE, **options)


def own(sound: Path, **options: Any) -> Any:
    """Returns the input of a file that we wrote, in any container."""
    return ffmpeg.input(str(sound), **options)


def summed(sounds: list[Any]) -> Any:
    """Returns the sum of the sounds, not scaled."""
    if len(sounds) == 1:
        return sounds[0]
    return ffmpeg.filter(sounds, "amix", inputs=len(sounds), normalize=0)


def shifted(video: Path, origin_s: float) -> Any:
    """Returns the input whose first instant `origin_s` becomes time 0; needs `keep_clock`."""
    return source(video, itsoffset=f"{-origin_s:.6f}")


def writing(
    streams: Iterable[Any], output: Path, options: Mapping[str, Any], keep_clock: bool = True
) -> Command:
    """Returns the command that writes `streams` to `output` and prints its progress.

    `options` by ffmpeg's names; None for those without a value. They are written in alphabetical
    order, so that those of one track ("c:s:0") follow the general ones ("c").

    `keep_clock` copies the input's timestamps, as shifted; otherwise they start at 0 and
    ffmpeg removes discontinuities.
    """
    return _compiled(ffmpeg.output(*streams, str(output), **options), keep_clock)


def reading(channels: int, rate_hz: int, output: Path, options: Mapping[str, Any]) -> Command:
    """Returns the command that writes the float32 samples of its standard input to `output`."""
    sound = ffmpeg.input("pipe:0", f="f32le", ac=channels, ar=rate_hz)
    written = ffmpeg.output(sound, str(output), **options)
    command: Command = written.global_args("-v", "error").overwrite_output().compile()
    return command


def writing_each(outputs: Iterable[tuple[Any, Path, Mapping[str, Any]]]) -> Command:
    """Returns the command that writes each stream to its file, by `writing`'s rules, in one pass."""
    written = [ffmpeg.output(stream, str(path), **options) for stream, path, options in outputs]
    return _compiled(ffmpeg.merge_outputs(*written), keep_clock=True)


def _compiled(written: Any, keep_clock: bool) -> Command:
    arguments = (*_QUIETLY, "-copyts") if keep_clock else _QUIETLY
    command: Command = written.global_args(*arguments).overwrite_output().compile()
    return command


def piping(stream: Any, **options: Any) -> Command:
    """Returns the command that writes one stream to the standard output."""
    command: Command = (
        ffmpeg.output(stream, "pipe:1", **options).global_args("-nostdin", "-v", "error").compile()
    )
    return command
