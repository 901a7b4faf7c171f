"""Where sources are cut: loudness, beats, bars, and notes that are not cut."""

import io
from itertools import pairwise

import numpy as np
import pyloudnorm
import pytest

from etbgm_riffusion.dataset.audio import cut
from etbgm_riffusion.dataset.cutting import bars_of, sounding, starts_of
from etbgm_riffusion.dataset.pulse import Pulse, beats_of, listen
from etbgm_riffusion.diffusion.types import CLIP
from tests.riffusion.dataset.sounds import RATE_HZ, metre, plucks


def heard(sound: np.ndarray, block: int = 1 << 14) -> Pulse:
    return listen(sound[first : first + block] for first in range(0, len(sound), block))


def test_loudness_is_that_of_the_standard_in_any_blocks() -> None:
    """Within 0.05 LU of pyloudnorm, whose blocks begin elsewhere."""
    sound = metre(96, 12.0) * np.linspace(0.05, 1, 12 * RATE_HZ, dtype=np.float32)[:, None]
    expected = pyloudnorm.Meter(RATE_HZ).integrated_loudness(sound)
    found = {heard(sound, block).loudness_lufs for block in (1000, 4096, len(sound))}
    assert max(abs(loudness - expected) for loudness in found) < 0.05
    assert np.ptp(list(found)) < 1e-6


def test_silence_and_nothing_have_no_loudness() -> None:
    assert heard(np.zeros((RATE_HZ, 2), np.float32)).loudness_lufs == float("-inf")
    assert listen([]).frames == 0


@pytest.mark.parametrize("bpm", [72, 96, 131])
def test_beats_are_found_where_notes_begin(bpm: float) -> None:
    pulse = heard(metre(bpm, 24.0, first_s=0.37))
    beats, tempo_bpm = beats_of(pulse)
    assert tempo_bpm is not None
    assert min(abs(tempo_bpm / octave / bpm - 1) for octave in (0.5, 1, 2)) < 0.02
    period = 60 / bpm / 2
    off = (beats / 100 - 0.37 + period / 2) % period - period / 2
    assert np.percentile(np.abs(off), 90) < 0.03


@pytest.mark.parametrize("accent", [3, 4])
def test_bars_begin_with_the_accents(accent: int) -> None:
    pulse = heard(metre(100, 30.0, accent))
    beats = np.round(np.arange(0, 29.9, 0.6) * 100).astype(np.intp)
    assert np.array_equal(bars_of(pulse, beats), beats[::accent])


def test_clips_begin_right_before_bars_and_cover_the_source() -> None:
    sound = metre(120, 40.0, first_s=0.25)
    pulse = heard(sound)
    starts = starts_of(pulse, beats_of(pulse)[0])
    assert len(starts) >= 7
    distances = [(start / 100 - 0.25 + 1) % 2 - 1 for start in starts]
    assert np.mean(np.abs(distances) < 0.06) >= 0.8, "two seconds to a bar"
    assert all(CLIP * 3 // 4 <= later - earlier <= CLIP + 200 for earlier, later in pairwise(starts))
    assert starts[-1] + CLIP <= pulse.frames


def test_without_a_pulse_clips_begin_before_notes() -> None:
    times = np.cumsum(np.random.default_rng(5).uniform(0.35, 1.6, 40))
    pulse = heard(plucks(*times, duration_s=float(times[-1]) + 1))
    starts = np.array(starts_of(pulse, np.zeros(0, np.intp))) / 100
    through = [start for start in starts if any(0.03 < start - time < 0.2 for time in times)]
    assert through == [], "no cut through the loud part of a note"


def test_a_source_as_long_as_a_clip_gives_one_and_a_shorter_one_none() -> None:
    for duration_s, clips in ((5.13, 1), (5.0, 0)):
        pulse = heard(metre(90, duration_s))
        assert len(starts_of(pulse, beats_of(pulse)[0])) == clips


def test_silent_clips_are_left_out() -> None:
    sound = metre(120, 24.0)
    sound[round(8 * RATE_HZ) : round(16 * RATE_HZ)] = 0
    pulse = heard(sound)
    assert sounding(pulse, [0, 900, 1700]) == [0, 1700]


def test_cutting_returns_the_same_samples_for_any_blocks() -> None:
    sound = np.random.default_rng(0).uniform(-1, 1, (9000, 2)).astype(np.float32)
    starts = [0, 700, 3000, 8500]
    for block in (100, 999, 9000):
        blocks = (sound[first : first + block] for first in range(0, 9000, block))
        clips = list(cut(blocks, starts, 1000))
        for start, clip in zip(starts, clips, strict=True):
            wanted = np.zeros((1000, 2), np.float32)
            wanted[: len(sound[start : start + 1000])] = sound[start : start + 1000]
            np.testing.assert_array_equal(clip, wanted)


def test_cutting_stops_reading_after_the_last_clip() -> None:
    log = io.StringIO()

    def blocks():
        for number in range(100):
            log.write(f"{number} ")
            yield np.zeros((100, 2), np.float32)

    assert len(list(cut(blocks(), [50], 200))) == 1
    assert len(log.getvalue().split()) <= 4
