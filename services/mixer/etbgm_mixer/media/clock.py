"""Gives a video a clock that runs evenly where its own does not.

Transport streams restart their clock where recordings were joined, AVI stores no presentation
times: ffmpeg mends both as it copies the packets into another container, which all further
work then reads in place of the video.
"""

from dataclasses import replace
from pathlib import Path

from etbgm_mixer.media import commands, ffmpeg
from etbgm_mixer.media.probe import Limits, probe
from etbgm_mixer.types import MediaFacts

NOTE = "The file's timestamps were missing or restarted, so they were rebuilt."

COPY_S = 600.0
"""Time within which the copy must be written."""


def steady_facts(video: Path, folder: Path, limits: Limits) -> tuple[Path, MediaFacts]:
    """Probes `video`; returns the file to read from now on, it or a copy in `folder`, and the facts.

    Raises Unreadable, TooLarge, TimeoutError.
    """
    facts = probe(video, limits)
    if facts.is_steady:
        return video, facts
    copy = rebuilt(video, folder)
    found = probe(copy, limits)
    return copy, replace(
        found,
        container=facts.container,
        brand=facts.brand,
        size_bytes=facts.size_bytes,
        notes=(NOTE,),
        is_steady=False,
    )


def steady_file(video: Path, folder: Path, facts: MediaFacts) -> Path:
    """Returns the file that `facts` describe: `video` or a copy in `folder`. Raises as `rebuilt`."""
    return video if facts.is_steady else rebuilt(video, folder)


def rebuilt(video: Path, folder: Path) -> Path:
    """Copies the pictures, sounds and subtitles of `video` to a Matroska file in `folder`.

    No packet is left out. Raises Unreadable, TimeoutError.
    """
    copy = folder / "rebuilt.mkv"
    source = commands.source(video, fflags="+genpts")
    streams = [source["v"], source["a?"], source["s?"]]
    options = {"c": "copy", "copyinkf": None, "max_interleave_delta": 0}
    command = commands.writing(streams, copy, options, keep_clock=False)
    otherwise = "has timestamps that cannot be rebuilt"
    ffmpeg.convert(command, 1.0, lambda _: None, COPY_S, otherwise)
    return copy
