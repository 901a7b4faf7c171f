"""The mood of picture and sound as curves of arousal and valence, second by second. Pure.

Arousal is the mean of three curves: motion, pace of the cuts, and energy of the sound (Hanjalic & Xu,
"Affective
video content representation and modeling", IEEE Transactions on Multimedia 7, 2005), each smoothed by a
Kaiser
window. Their window of a minute suits films of hours; this one suits videos of minutes. Valence is weaker
evidence: bright and colourful is pleasant (Valdez & Mehrabian, "Effects of color on emotions", Journal of
Experimental Psychology: General 123, 1994), with a little for warm colours.
"""

from collections.abc import Sequence

import numpy as np

from etbgm_kit.types import Cut, PictureMood
from etbgm_mixer.picture.groups import Floats
from etbgm_mixer.picture.seconds import Looks

WINDOW_S = 9
"""Length of the Kaiser window, whose middle half has nine tenths of its weight: half a musical phrase."""

KAISER_BETA = 5.0
"""As in Hanjalic & Xu."""

MOTION = 2.5
"""Motion (`Looks.motion`) of a usual shot: a hand-held camera, or one thing that moves."""

SHOT_S = 5.0
"""Length of a usual shot in online videos."""

LOUD_DB, QUIET_DB = -12.0, -42.0
"""Energy of loud and of quiet sound in dBFS; the middle counts as usual."""

SHARES = (0.45, 0.35, 0.2)
"""Shares of motion, cuts and sound."""

LIGHT, COLOUR = 0.42, 0.12
"""Light and colour of a usual picture (`Looks`)."""

BRIGHT_PLEASURE, COLOURFUL_PLEASURE = 0.69, 0.22
"""Weights of brightness and saturation in Valdez & Mehrabian's equation for pleasure."""

WARM_PLEASURE = 0.1
"""Weight of warmth, which they found to be small."""

PLAIN = 0.03
"""Contrast (`Looks.contrast`) from which a picture shows something."""

STILL = 0.1
"""Motion of a photograph; what stands still says half as much."""


def mood(looks: Looks, cuts: Sequence[Cut], energy_db: Floats) -> PictureMood:
    """Returns the mood of a video with these looks, cuts and energies of its sound (seconds,) in dBFS."""
    count = len(looks.motion)
    moving = np.tanh(np.log2(np.maximum(looks.motion, 1e-3) / MOTION) / 2)
    pace = np.tanh(np.log2(SHOT_S / shot_lengths_s(cuts, count)) / 2)
    loud = np.clip((energy_db - (LOUD_DB + QUIET_DB) / 2) / ((LOUD_DB - QUIET_DB) / 2), -1, 1)
    arousal = sum(share * smoothed(curve) for share, curve in zip(SHARES, (moving, pace, loud), strict=True))
    pleasure = (
        BRIGHT_PLEASURE * np.tanh((looks.light - LIGHT) / 0.15)
        + COLOURFUL_PLEASURE * np.tanh((looks.colour - COLOUR) / 0.08)
        + WARM_PLEASURE * np.tanh(looks.warmth / 0.1)
    )
    moves = 0.5 + 0.5 * np.minimum(1.0, looks.motion / STILL)
    certainty = np.minimum(1.0, looks.contrast / PLAIN) * moves
    curves = np.clip(arousal, -1, 1), smoothed(np.clip(pleasure, -1, 1)), smoothed(certainty)
    return PictureMood(*(tuple(curve.round(4).tolist()) for curve in curves))


def shot_lengths_s(cuts: Sequence[Cut], count: int) -> Floats:
    """Returns the length of the shot in the middle of each second, from cut to cut, (count,)."""
    edges_s = np.array([0.0, *(cut.time_s for cut in cuts), float(count)])
    places = np.clip(np.searchsorted(edges_s, np.arange(count) + 0.5, side="right"), 1, len(edges_s) - 1)
    lengths: Floats = np.maximum(edges_s[places] - edges_s[places - 1], 0.04)
    return lengths


def smoothed(curve: Floats) -> Floats:
    """Returns the curve smoothed by a Kaiser window; at the ends, by what there is of it."""
    window = np.kaiser(WINDOW_S, KAISER_BETA)
    sums = np.convolve(curve, window, mode="full")
    weights = np.convolve(np.ones(len(curve)), window, mode="full")
    half = WINDOW_S // 2
    means: Floats = (sums / weights)[half : half + len(curve)]
    return means
