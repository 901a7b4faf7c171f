"""Mixes a short span of a video whose new music is known only there.

The plan of the levels needs the loudness of the whole music. Outside the span, that of the old music stands
for it: a remix changes a part, so most of the old music, or music like it, remains.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from etbgm_kit.media.waveform import Samples
from etbgm_kit.types import Span
from etbgm_mixer import sound
from etbgm_mixer.loudness import FINE, SAMPLE_RATE_HZ, LoudnessMeter
from etbgm_mixer.mixing import music_bed
from etbgm_mixer.mixing.gains import Levels, Measured
from etbgm_mixer.mixing.levelling import at_samples
from etbgm_mixer.mixing.limiter import Limiter
from etbgm_mixer.mixing.mix import Mix, Parts
from etbgm_mixer.mixing.music_bed import PlacedCue
from etbgm_mixer.mixing.plan import Plan, plan
from etbgm_mixer.mixing.render import CODING_MARGIN_DB
from etbgm_mixer.types import MixSettings, OnProgress

LONGEST_S = 30.0
"""An excerpt is held in memory: 12 MB."""


def mix_excerpt(
    parts: Parts,
    settings: MixSettings,
    span: Span,
    music: Path | None,
    on_progress: OnProgress,
) -> Samples:
    """Returns [span) of the mix of `parts` with `music` in place of their cues there; None keeps the cues.

    The levels are those that `plan` gives the whole mix. Raises InvalidField for sound that cannot be read.
    """
    first, count = round(span.start_s * SAMPLE_RATE_HZ), _length(span)
    heard = _new(music, count) if music else _old(parts.cues, first, count)
    measured = Mix(parts, settings).measure(on_progress)
    if music:
        measured = _with(measured, heard, first)
    ceiling_dbtp = settings.max_true_peak_dbtp - CODING_MARGIN_DB
    planned = plan(measured, parts.speech_spans if parts.voice else (), settings, ceiling_dbtp, parts.bars)
    voice = _part(parts.voice, "speech", first, count)
    if settings.ambience_db is not None:
        ambience = _part(parts.ambience, "residual", first, count) * 10 ** (settings.ambience_db / 20)
    else:
        ambience = np.zeros_like(voice)
    mixed = _summed(planned, voice, ambience.astype(np.float32), heard, first)
    return _limited(mixed, ceiling_dbtp)


def _length(span: Span) -> int:
    return round(span.end_s * SAMPLE_RATE_HZ) - round(span.start_s * SAMPLE_RATE_HZ)


def _new(music: Path, count: int) -> Samples:
    with sound.opened(music, "music") as file:
        return sound.exactly(sound.read_stereo(file, count), count)


def _old(cues: Sequence[PlacedCue], first: int, count: int) -> Samples:
    """Returns samples [first, first + count) of the bed."""
    kept, at = [np.zeros((0, 2), np.float32)], 0
    for block in music_bed.blocks(cues):
        kept.append(block[max(0, first - at) : max(0, first + count - at)])
        at += len(block)
        if at >= first + count:
            break
    return sound.exactly(np.concatenate(kept), count)


def _part(path: Path | None, field: str, first: int, count: int) -> Samples:
    if path is None:
        return np.zeros((count, 2), np.float32)
    with sound.opened(path, field) as file:
        file.seek(min(first, file.frames))
        return sound.exactly(sound.read_stereo(file, count), count)


def _with(measured: Measured, music: Samples, first: int) -> Measured:
    """Returns what is measured with `music` from sample `first` on, to the nearest 10 ms."""
    meter = LoudnessMeter(2)
    meter.feed(music)
    levels: Levels = (measured.music.copy(), measured.music_peaks.copy())
    for whole, own in zip(levels, meter.fine(), strict=True):
        there = whole[round(first / FINE) :][: len(own)]
        there[:] = own[: len(there)]
    return replace(measured, music=levels[0], music_peaks=levels[1])


def _summed(planned: Plan, voice: Samples, ambience: Samples, music: Samples, first: int) -> Samples:
    gain, music_gain = (np.float32(10 ** (db / 20)) for db in (planned.gain_db, planned.music_gain_db))
    spoken = voice * at_samples(planned.voice_curve, first, len(voice))
    under = music * at_samples(planned.music_curve, first, len(music)) * music_gain
    mixed: Samples = (spoken + ambience + under) * gain
    return mixed


def _limited(mixed: Samples, ceiling_dbtp: float) -> Samples:
    limiter = Limiter(10 ** (ceiling_dbtp / 20), 2)
    flush = np.zeros((limiter.DELAY, 2), np.float32)
    limited: Samples = limiter.feed(np.concatenate([mixed, flush]))[0][limiter.DELAY :]
    return limited
