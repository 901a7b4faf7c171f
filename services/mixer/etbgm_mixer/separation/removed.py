"""Measures how much sound about as loud as the speech was removed: music, singing or noise.

Such sound may be wanted, so the user is told about it.
"""

from collections.abc import Sequence

import numpy as np

from etbgm_kit.media.vad import Mono
from etbgm_kit.media.waveform import Samples
from etbgm_kit.types import Span
from etbgm_mixer import loudness
from etbgm_mixer.loudness import STEP_S, LoudnessMeter

NEAR_LU = 3.0
"""Removed sound counts from this far below the speech. Quieter background is usually unwanted."""

NOTABLE_S = 5.0
"""Shorter sounds, such as a passing car, are not worth a note."""


class RemovedMeter:
    """Compares the speech with the residual, block by block. `channels` is the residual's number."""

    def __init__(self, channels: int) -> None:
        self._speech, self._residual = LoudnessMeter(1), LoudnessMeter(channels)
        self._channels = channels

    def feed(self, speech: Mono, residual: Samples) -> None:
        """Takes the next (samples,) of the speech and (samples, channels) of the residual."""
        self._speech.feed(speech[:, None])
        self._residual.feed(residual)

    def loud_s(self, spans: Sequence[Span]) -> float:
        """Returns for how long the residual was about as loud as the speech in `spans`, in seconds.

        Counts blocks of 400 ms, one every 100 ms (BS.1770-4), whose mean over the channels is at
        most NEAR_LU below the mean speech.
        """
        spoken_lufs = loudness.mean_lufs(loudness.within(self._speech.energies(), spans))
        if not np.isfinite(spoken_lufs):
            return 0.0
        removed_lufs = loudness.momentary_lufs(self._residual.energies() / self._channels)
        return STEP_S * int(np.count_nonzero(removed_lufs >= spoken_lufs - NEAR_LU))


def notes(loud_s: float) -> tuple[str, ...]:
    """Returns a sentence for the user if that much sound about as loud as the speech is unusual."""
    if loud_s < NOTABLE_S:
        return ()
    return (
        f"Separation removed {loud_s:.0f} s of sound about as loud as the speech, such as music or singing; "
        "--original-audio keep leaves it in the result.",
    )
