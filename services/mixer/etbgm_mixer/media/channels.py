"""Decides how to treat the channels of extracted sound, and rewrites the few files that need it.

Summing the channels, as separation does, cancels a voice that is in antiphase: its right channel is
the left one upside down. A voice on one side only would stay there. Everything else stays untouched.
"""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from etbgm_kit.media.waveform import Samples
from etbgm_mixer import sound
from etbgm_mixer.loudness import SAMPLE_RATE_HZ

if TYPE_CHECKING:
    import soundfile

ANTIPHASE_DB = 8.0
"""The sum of the channels is at least this far below their difference in antiphase sound.

A polarity error with independent noise 12 dB down in each channel still reaches 12 dB; two
independent channels, the widest usual stereo, have 0 dB."""

ANTIPHASE_CORRELATION = -0.7
"""Antiphase channels correlate at most this much. Independent channels have 0."""

ONE_SIDED_DB = 20.0
"""The other channel is at least this far below a one-sided voice. Hard-panned stereo has its sounds in
both channels, so neither is so far down over the whole video."""

SILENT_DB = -100.0
"""Quieter sound has no channels to judge: it is less than the noise of 16 bits."""

VOICE_HZ = (200.0, 4000.0)
"""Only this band is judged, so that hum, wind, direct current and hiss do not matter."""


class Treatment(StrEnum):
    """What is done about the channels; `note` says so to the user."""

    NONE = "none"
    INVERT = "invert"
    LEFT = "left"
    RIGHT = "right"

    @property
    def note(self) -> str:
        """A sentence for the user; empty for NONE."""
        return _NOTES[self]


_NOTES = {
    Treatment.NONE: "",
    Treatment.INVERT: "The right channel was the left one with opposite polarity, which cancels in mono; "
    "it was inverted.",
    Treatment.LEFT: "Only the left channel carried sound, so it was centred.",
    Treatment.RIGHT: "Only the right channel carried sound, so it was centred.",
}


@dataclass(frozen=True, slots=True)
class ChannelEnergies:
    """Sums over all samples of left², right² and left · right, in the band of the voice."""

    left: float
    right: float
    product: float
    samples: int


def decide(energies: ChannelEnergies) -> Treatment:
    """Returns the treatment of stereo sound with these energies."""
    left, right = energies.left, energies.right
    loudest = max(left, right)
    if loudest <= energies.samples * 10 ** (SILENT_DB / 10):
        return Treatment.NONE
    if min(left, right) <= loudest * 10 ** (-ONE_SIDED_DB / 10):
        return Treatment.LEFT if left > right else Treatment.RIGHT
    both, twice = left + right, 2 * energies.product
    correlation = energies.product / np.sqrt(left * right)
    cancels = both + twice <= (both - twice) * 10 ** (-ANTIPHASE_DB / 10)
    return Treatment.INVERT if cancels and correlation <= ANTIPHASE_CORRELATION else Treatment.NONE


def measure(source: "soundfile.SoundFile") -> ChannelEnergies:
    """Returns the energies of a stereo file, read in blocks to its end."""
    from scipy.signal import butter, sosfilt

    band = butter(2, VOICE_HZ, "bandpass", fs=SAMPLE_RATE_HZ, output="sos")
    state = np.zeros((len(band), 2, 2))
    sums, samples = np.zeros((2, 2)), 0
    for block in sound.blocks(source):
        heard, state = sosfilt(band, block.T, zi=state)
        sums += heard @ heard.T
        samples += len(block)
    return ChannelEnergies(float(sums[0, 0]), float(sums[1, 1]), float(sums[0, 1]), samples)


def mend(audio: Path) -> tuple[str, ...]:
    """Rewrites a sound file if its voice would be lost or stay on one side; returns notes on it.

    Antiphase sound stays stereo with its right channel inverted; one-sided sound becomes mono. Every
    other file stays as it is, bit for bit.
    """
    mended = audio.with_name(f"mended-{audio.name}")
    with sound.opened(audio, "audio") as source:
        treatment = decide(measure(source)) if source.channels == 2 else Treatment.NONE
        if treatment is Treatment.NONE:
            return ()
        source.seek(0)
        with sound.created(mended, 2 if treatment is Treatment.INVERT else 1) as target:
            for block in sound.blocks(source):
                target.write(_treated(block, treatment))
    mended.replace(audio)
    return (treatment.note,)


def _treated(block: Samples, treatment: Treatment) -> Samples:
    if treatment is Treatment.INVERT:
        return block * np.array([1, -1], np.float32)
    side = 0 if treatment is Treatment.LEFT else 1
    return block[:, side : side + 1]
