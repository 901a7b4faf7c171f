"""Assembles the sound of cues from the canvases that they overlap."""

from collections.abc import Iterator

import numpy as np

from etbgm_riffusion.composer.sound.master import mastered, reach
from etbgm_riffusion.composer.sound.synth import Parts
from etbgm_riffusion.diffusion.grid import COLUMNS_PER_S, Place, joined, places_of, reaching
from etbgm_riffusion.diffusion.painter import Painter
from etbgm_riffusion.diffusion.shelf import Shelf
from etbgm_riffusion.engine import OnProgress
from etbgm_riffusion.spectrogram.params import SpectrogramParams
from etbgm_riffusion.types import CueRequest, DiffusionSettings, Piece, Stereo

PARAMS = SpectrogramParams(stereo=True)
"""Riffusion's parameters, in its stereo layout."""

_KEPT_PER_CALL = 4
"""Finished canvases that are cached per call, 12 MB each: the next cue begins in this cue's last canvas,
which this cue reaches after three others."""

_Key = tuple[Piece, DiffusionSettings, str, Place, int]


class Cues:
    """Paints the canvases that cues need, each only once if they are requested in close succession."""

    def __init__(self, painter: Painter, calls: int) -> None:
        """`calls` is the number of concurrent calls."""
        self._painter = painter
        self._canvases: Shelf[_Key, Stereo] = Shelf(_KEPT_PER_CALL * calls)

    def sound(
        self, request: CueRequest, settings: DiffusionSettings, revision: str, on_progress: OnProgress
    ) -> Iterator[Parts]:
        """Returns the cue's sound in blocks of one part; peaks, start and end are treated as by the composer.

        A cached canvas is reused only for the same `revision` of weights, prompts and adapters.
        `on_progress` receives the fraction done and may raise to stop.
        """
        rate, duration_s = request.sample_rate_hz, request.piece.timeline.duration_s
        first, last, total = (
            round(time_s * rate) for time_s in (request.cue.start_s, request.cue.end_s, duration_s)
        )
        begin, end = reach(first, last, total)
        places = reaching(places_of(duration_s), begin, end, rate)

        def sound_of(place: Place) -> Stereo:
            done = places.index(place)

            def report_canvas(share: float) -> None:
                on_progress((done + share) / len(places))

            def paint() -> Stereo:
                return _resampled(
                    self._painter.sound(request.piece, place, settings, report_canvas), place, rate
                )

            key = (request.piece, settings, revision, place, rate)
            return self._canvases.get(key, paint, lambda: report_canvas(0.0))

        return mastered(joined(places, sound_of, begin, end, rate), first, last, total, rate)


def _resampled(sound: Stereo, place: Place, sample_rate_hz: int) -> Stereo:
    """Resamples a whole canvas, so that the result does not depend on where a cue begins."""
    if sample_rate_hz == PARAMS.sample_rate_hz:
        return sound
    import soxr

    resampled = np.zeros((place.width * sample_rate_hz // COLUMNS_PER_S, 2), np.float32)
    new = soxr.resample(sound, PARAMS.sample_rate_hz, sample_rate_hz, quality="VHQ")[: len(resampled)]
    resampled[: len(new)] = new
    return resampled
