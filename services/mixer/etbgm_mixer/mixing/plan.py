"""Plans a mix from what was measured: gains over time of speech and music, and the gain of their sum."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from etbgm_kit.types import Bar, Span
from etbgm_mixer.loudness import Energies
from etbgm_mixer.mixing import gains, levelling, lifting, placing, wanted
from etbgm_mixer.mixing.gains import Measured
from etbgm_mixer.mixing.levelling import Decibels, Phrase
from etbgm_mixer.types import MixSettings, OriginalAudio

ROUNDS = 3
"""Lowering peaks lowers the loudness, which raises the gain and the peaks: after 3 rounds by < 0.1 dB."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Gains of the sum and, relative to it, of the music, in dB; linear gains of both per 10 ms.

    `measured` is what `Measured` becomes through the two curves.
    """

    gain_db: float
    music_gain_db: float
    voice_curve: Energies
    music_curve: Energies
    phrases: Sequence[Phrase]
    measured: Measured


def plan(
    measured: Measured,
    spans: Sequence[Span],
    settings: MixSettings,
    ceiling_dbtp: float,
    bars: Sequence[Bar] = (),
) -> Plan:
    """Returns the plan that reaches the requested loudness and balance under a limiter at the ceiling.

    The balance is that of the whole video; what the user wants in spans changes the music there alone.
    """
    balanced = _balanced(measured, spans, settings, ceiling_dbtp, bars)
    asked = wanted.curve(settings.music_levels, len(measured.voice))
    return replace(
        balanced,
        music_curve=balanced.music_curve * asked,
        measured=_through(balanced.measured, np.ones(len(asked)), asked),
    )


def _balanced(
    measured: Measured, spans: Sequence[Span], settings: MixSettings, ceiling_dbtp: float, bars: Sequence[Bar]
) -> Plan:
    """Returns the plan that reaches the requested loudness and balance.

    Only separated speech is levelled; an original that is kept remains unchanged, and so do the peaks
    of music alone.
    """
    spoken = levelling.phrases(measured.voice, spans)
    lift_db = lifting.curve_db(measured.music, spans, settings, bars)
    planner = _Planner(measured, spoken, spans, settings, ceiling_dbtp, lift_db)
    if settings.original_audio is not OriginalAudio.SPEECH_ONLY or not spoken:
        flat = np.zeros(len(measured.voice))
        return planner.plan(flat, flat)
    level_db = levelling.gain_db(measured.voice, spoken)
    planned = planner.plan(level_db, np.zeros(len(level_db)))
    levelled = planned
    for _ in range(ROUNDS):
        voice_relief_db, music_relief_db = _relief_db(levelled.measured, planned, ceiling_dbtp)
        planned = planner.plan(level_db + voice_relief_db, music_relief_db)
    return planned


def _relief_db(levelled: Measured, planned: Plan, ceiling_dbtp: float) -> tuple[Decibels, Decibels]:
    """Returns the curves that lower speech and music where their peaks are too high at the planned gains."""
    music_peaks = levelled.music_peaks * 10 ** (planned.music_gain_db / 20)
    peaks = levelled.voice_peaks + music_peaks + levelled.ambience_peaks
    ceiling = 10 ** ((ceiling_dbtp - planned.gain_db) / 20)
    loudest = np.argmax([levelled.voice_peaks, music_peaks, levelled.ambience_peaks], axis=0)
    voice_db, music_db = (levelling.relief_db(peaks, loudest == which, ceiling) for which in (0, 1))
    return voice_db, music_db


@dataclass(frozen=True, slots=True)
class _Planner:
    """What all rounds have in common."""

    measured: Measured
    spoken: Sequence[Phrase]
    spans: Sequence[Span]
    settings: MixSettings
    ceiling_dbtp: float
    lift_db: Decibels

    def plan(self, voice_db: Decibels, music_relief_db: Decibels) -> Plan:
        """Returns the plan for speech with that curve and music with that relief besides its placing."""
        settings, voice = self.settings, levelling.linear(voice_db)
        moved_db = self.lift_db + music_relief_db
        mixed = _through(self.measured, voice, levelling.linear(moved_db))
        music_db = gains.music_gain_db(mixed, self.spans, settings)
        under = mixed.music * 10 ** (music_db / 10)
        place_db = placing.curve_db(mixed.voice, under, self.spoken, settings.speech_to_music_lu)
        music = levelling.linear(moved_db + place_db)
        mixed = _through(self.measured, voice, music)
        most_db = gains.most_gain_db(self.spans, settings)
        gain_db = gains.total_gain_db(
            mixed, music_db, settings.target_loudness_lufs, self.ceiling_dbtp, most_db
        )
        return Plan(gain_db, music_db, voice, music, self.spoken, mixed)


def _through(measured: Measured, voice: Energies, music: Energies) -> Measured:
    """Returns what is measured after the linear gains of speech and music."""
    return replace(
        measured,
        voice=measured.voice * voice**2,
        voice_peaks=measured.voice_peaks * voice,
        music=measured.music * music**2,
        music_peaks=measured.music_peaks * music,
    )
