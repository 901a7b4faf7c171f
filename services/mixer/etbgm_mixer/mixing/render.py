"""Renders a mix to the finished video and limits the true peaks of its decoded sound."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from etbgm_mixer.media import mux
from etbgm_mixer.media.mux import Incomplete
from etbgm_mixer.media.tracks import Listing
from etbgm_mixer.mixing import true_peak
from etbgm_mixer.mixing.mix import Mix, Outputs
from etbgm_mixer.mixing.waveform import waveform_json
from etbgm_mixer.types import Container, MediaFacts, MixReport, OnProgress

CODING_MARGIN_DB = 1.2
"""Lossy coding raises peaks, so the limiter starts this far below the bound and goes lower if needed."""

CODINGS = 3
"""The sound is mixed and encoded at most this many times."""

SHORT_S = 0.1
"""A result whose sound ends this much before the video has lost some of it."""


@dataclass(frozen=True, slots=True)
class Target:
    """The original video with its facts, the container to write, and a folder for the files.

    Each program that runs has `timeout_s`. `listing` is what `ffmpeg.inspect` says of the video, if known.
    """

    video: Path
    facts: MediaFacts
    container: Container
    folder: Path
    timeout_s: float
    listing: Listing | None = None


@dataclass(frozen=True, slots=True)
class Rendered:
    """The video, its music stem, waveform and loudness over time as JSON, and the measured results."""

    video: Path
    music: Path
    waveform: bytes
    levels: bytes
    report: MixReport


def render(mix: Mix, target: Target, on_progress: OnProgress, on_preview: Callable[[Path], None]) -> Rendered:
    """Mixes, encodes and measures; repeats with a lower ceiling while encoded peaks exceed the bound.

    `on_preview` receives the sound of each attempt, AAC in MP4, before the video is written; the last one
    is that of the result. Raises Unreadable, TimeoutError, and Incomplete if a part of the video is missing
    in the result.
    """
    mixdown, music, preview = (target.folder / name for name in ("mix.wav", "music.flac", "preview.m4a"))
    output = target.folder / f"out.{target.container}"
    outputs = Outputs(mixdown, music, lambda: mux.encoder(preview, target.timeout_s))
    measured = mix.measure(lambda share: on_progress(0.2 * share))
    bound_dbtp = mix.settings.max_true_peak_dbtp
    ceiling_dbtp = bound_dbtp - CODING_MARGIN_DB
    for _ in range(CODINGS):
        reached = mix.render(measured, ceiling_dbtp, outputs, lambda s: on_progress(0.2 + 0.6 * s))
        on_preview(preview)
        keep_audio = mix.settings.keep_original_tracks
        notes, peak_dbtp = _written((mixdown, preview), target, output, keep_audio, on_progress)
        if peak_dbtp <= bound_dbtp:
            break
        ceiling_dbtp -= peak_dbtp - bound_dbtp + 0.1
    report = mix.report(reached, peak_dbtp)
    report = replace(report, notes=(*report.notes, *notes))
    return Rendered(output, music, waveform_json(mixdown), mix.levels_json(reached), report)


def _written(
    sound: tuple[Path, Path], target: Target, output: Path, keep_audio: bool, on_progress: OnProgress
) -> tuple[tuple[str, ...], float]:
    """Writes the video with `sound`, the mixdown and the same encoded; returns notes and its true peak.

    Encoded sound that the video gets as it is, is measured while the video is written.
    """
    facts, is_copied = target.facts, mux.copies_sound(target.container)
    with ThreadPoolExecutor(1) as beside:
        early = beside.submit(true_peak.of_preview, sound[1]) if is_copied else None
        notes = mux.mux(
            target.video, facts, sound[0], target.container, output, lambda s: on_progress(0.8 + 0.2 * s),
            target.timeout_s, keep_audio, sound[1], target.listing,
        )  # fmt: skip
        if early:
            peak_dbtp, sound_s = early.result(), mux.sound_s(output, target.timeout_s)
        else:
            peak_dbtp, sound_s = true_peak.of_video(output, target.timeout_s)
    if sound_s < facts.duration_s - SHORT_S:
        raise Incomplete("video", f"lasts {facts.duration_s:.2f} s, the result's sound {sound_s:.2f} s")
    return notes, peak_dbtp
