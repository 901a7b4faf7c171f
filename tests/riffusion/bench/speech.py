"""How far the music gives way to speech before anything is ducked."""

import numpy as np
from numpy.typing import NDArray

from etbgm_kit.types import Emotion, Span
from etbgm_riffusion.types import Piece
from tests.riffusion.bench.pieces import RATE_HZ, bed_of, timeline_of
from tests.riffusion.bench.table import Claim

SPOKEN = Span(16.0, 36.0)
PAUSES = (Span(4.0, 15.0), Span(37.5, 48.0))
DURATION_S = 52.0
LOW_HZ, HIGH_HZ = 1000.0, 4000.0
LEAST_DB = 4.0
_MARGIN_S = 0.5


def measure(job: tuple[str, Emotion]) -> tuple[str, float]:
    """Energy at 1-4 kHz under speech against that in the pauses around it, dB."""
    style, emotion = job
    piece = Piece(timeline_of(0.0, DURATION_S, emotions=[emotion]), (SPOKEN,), 2, style)
    bed = bed_of(piece).mean(axis=1)
    spoken = _power(bed, Span(SPOKEN.start_s + _MARGIN_S, SPOKEN.end_s - _MARGIN_S))
    pause = np.mean([_power(bed, span) for span in PAUSES])
    return f"{emotion} {style}", float(10 * np.log10(spoken / pause))


def claims(found: list[tuple[str, float]]) -> list[Claim]:
    """How far it gives way in the middle of all: single pieces also differ because they go on.

    The level under speech is the mixer's; the composer dips by LEAST_DB at these frequencies alone.
    """
    median = float(np.median([gain_db for _, gain_db in found]))
    detail = [f"{name}: {gain_db:.1f} dB" for name, gain_db in found if gain_db > -LEAST_DB]
    name = f"1–4 kHz under speech relative to pauses, before the mix: median of {len(found)}, dB"
    return [Claim(name, median, f"≤ -{LEAST_DB:g}", median <= -LEAST_DB, detail)]


def _power(sound: NDArray[np.float32], span: Span) -> float:
    part = sound[round(span.start_s * RATE_HZ) : round(span.end_s * RATE_HZ)]
    power = np.abs(np.fft.rfft(part * np.hanning(len(part)))) ** 2
    frequency_hz = np.fft.rfftfreq(len(part), 1 / RATE_HZ)
    return float(power[(frequency_hz > LOW_HZ) & (frequency_hz < HIGH_HZ)].sum() / len(part))
