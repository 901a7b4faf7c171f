"""Computes the gains that bring speech, music and their sum to the requested loudness.

All values are computed from measured energies: those of uncorrelated sounds add up.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from etbgm_kit.types import Span
from etbgm_mixer import loudness
from etbgm_mixer.loudness import Energies
from etbgm_mixer.mixing.lifting import pauses
from etbgm_mixer.types import MixSettings, OriginalAudio

MOST_GAIN_DB = 40.0
"""Largest total gain: quieter sound stays below the target, because its noise would become too loud."""

MOST_SPEECH_GAIN_DB = 75.0
"""The same for speech alone, whose pauses are silent or, if it was clean, at least 35 LU below it."""

ROUNDS = 8
"""Iterations of the search for the gain; each leaves about a third of the error."""

SILENT_LUFS = -70.0

SILENT_SPEECH_LUFS = -110.0
"""Sound in which speech was found is silent only below this: 24 bits reach to -146 dBFS."""


Levels = tuple[Energies, Energies]
"""Energy and peak per 10 ms, (steps,) each."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Energy and peak per 10 ms, (steps,) each, of the voice, the music and the lowered ambience."""

    voice: Energies
    voice_peaks: Energies
    music: Energies
    music_peaks: Energies
    ambience: Energies
    ambience_peaks: Energies


def music_gain_db(measured: Measured, spans: Sequence[Span], settings: MixSettings) -> float:
    """Returns the gain that puts the music as far below the speech as requested; 0 without a voice."""
    voice, music = loudness.coarse(measured.voice), loudness.coarse(measured.music)
    if spans:
        spoken = loudness.mean_lufs(loudness.within(voice, spans))
        under = loudness.mean_lufs(loudness.within(music, spans))
        wanted = settings.speech_to_music_lu
    else:
        spoken, under = loudness.integrated_lufs(voice), loudness.integrated_lufs(music)
        wanted = settings.speech_to_music_lu - settings.music_lift_db
    if spoken < (SILENT_SPEECH_LUFS if spans else SILENT_LUFS) or under < SILENT_LUFS:
        return 0.0
    return spoken - wanted - under


def most_gain_db(spans: Sequence[Span], settings: MixSettings) -> float:
    """Returns the largest total gain."""
    alone = settings.original_audio is OriginalAudio.SPEECH_ONLY and settings.ambience_db is None
    return MOST_SPEECH_GAIN_DB if spans and alone else MOST_GAIN_DB


def total_gain_db(
    measured: Measured, music_db: float, target_lufs: float, ceiling_db: float, most_db: float
) -> float:
    """Returns the gain of the sum, up to `most_db`, that reaches the target after a limiter at `ceiling_db`.

    The limiter's effect is estimated: each 10 ms whose peak would exceed the ceiling is
    reduced by the excess.
    """
    music = 10 ** (music_db / 20)
    energies = measured.voice + measured.ambience + measured.music * music**2
    peaks = measured.voice_peaks + measured.ambience_peaks + measured.music_peaks * music
    ceiling = 10 ** (ceiling_db / 20)
    gain_db = 0.0
    for _ in range(ROUNDS):
        gain = 10 ** (gain_db / 20)
        limited = gain * np.minimum(1, ceiling / np.maximum(gain * peaks, 1e-9))
        reached = loudness.loudness_lufs(loudness.coarse(energies * limited**2))
        if not np.isfinite(reached):
            return 0.0
        gain_db = min(gain_db + target_lufs - reached, most_db)
    return gain_db


def speech_over_music_lu(measured: Measured, spans: Sequence[Span], music_db: float) -> float | None:
    """Returns how much louder speech is than music in the speech spans; None if either is silent there."""
    spoken, under = (
        loudness.mean_lufs(loudness.within(loudness.coarse(fine), spans))
        for fine in (measured.voice, measured.music)
    )
    difference = spoken - under - music_db
    return difference if np.isfinite(difference) else None


def lift_lu(measured: Measured, spans: Sequence[Span]) -> float | None:
    """Returns how much louder the music is in the pauses than under speech; None without speech or pauses."""
    music = loudness.coarse(measured.music)
    between = pauses(spans, len(music) * loudness.STEP_S)
    difference = loudness.mean_lufs(loudness.within(music, between)) - loudness.mean_lufs(
        loudness.within(music, spans)
    )
    return difference if np.isfinite(difference) else None
