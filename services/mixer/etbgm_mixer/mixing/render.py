"""Renders a mix to the finished video and limits the true peaks of its decoded sound."""

from dataclasses import dataclass, replace
from pathlib import Path

from etbgm_mixer.media import mux
from etbgm_mixer.media.mux import Incomplete
from etbgm_mixer.mixing import true_peak
from etbgm_mixer.mixing.mix import Mix
from etbgm_mixer.types import Container, MediaFacts, MixReport, OnProgress

CODING_MARGIN_DB = 1.2
"""Lossy coding raises peaks, so the limiter starts this far below the bound and goes lower if needed."""

CODINGS = 3
"""The sound is mixed and encoded at most this many times."""

SHORT_S = 0.1
"""A result whose sound ends this much before the video has lost some of it."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """The video, its music stem, loudness over time as JSON, and the measured results."""

    video: Path
    music: Path
    levels: bytes
    report: MixReport


def render(
    mix: Mix,
    video: Path,
    facts: MediaFacts,
    container: Container,
    folder: Path,
    on_progress: OnProgress,
    timeout_s: float,
) -> Rendered:
    """Mixes, encodes and measures; repeats with a lower ceiling while encoded peaks exceed the bound.

    Raises Unreadable, TimeoutError, and Incomplete if a part of the video is missing in the result.
    """
    mixdown, music, output = folder / "mix.wav", folder / "music.flac", folder / f"out.{container}"
    measured = mix.measure(lambda share: on_progress(0.2 * share))
    bound_dbtp = mix.settings.max_true_peak_dbtp
    ceiling_dbtp = bound_dbtp - CODING_MARGIN_DB
    for _ in range(CODINGS):
        reached = mix.render(measured, ceiling_dbtp, mixdown, music, lambda s: on_progress(0.2 + 0.5 * s))
        notes = mux.mux(
            video, facts, mixdown, container, output, lambda s: on_progress(0.7 + 0.3 * s), timeout_s,
            mix.settings.keep_original_tracks,
        )  # fmt: skip
        peak_dbtp, sound_s = true_peak.of_sound(output, timeout_s)
        if sound_s < facts.duration_s - SHORT_S:
            raise Incomplete("video", f"lasts {facts.duration_s:.2f} s, the result's sound {sound_s:.2f} s")
        if peak_dbtp <= bound_dbtp:
            break
        ceiling_dbtp -= peak_dbtp - bound_dbtp + 0.1
    report = mix.report(reached, peak_dbtp)
    report = replace(report, notes=(*report.notes, *notes))
    return Rendered(output, music, mix.levels_json(reached), report)
