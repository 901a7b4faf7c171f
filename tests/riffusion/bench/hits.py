"""Prints how often strong cuts meet a beat, and an accent that is heard, beside what chance would do.

usage: python -m tests.riffusion.bench.hits [--films 40] [--detail]
Real videos come from the folder that ETBGM_TEST_DATA names.
"""

import argparse
import itertools
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d
from scipy.signal import find_peaks

from etbgm_kit.types import Cut, Emotion
from etbgm_mixer.picture.look import look
from etbgm_riffusion.composer.compose import compose
from etbgm_riffusion.composer.pulse import TEMPO, strong
from etbgm_riffusion.composer.score import Score
from etbgm_riffusion.composer.styles import STYLES
from etbgm_riffusion.dataset.features import HOP, RATE_HZ, mono, onset_strength, spectrogram
from etbgm_riffusion.types import Hits, Piece
from tests.riffusion.bench.pieces import RATE_HZ as SOUND_HZ
from tests.riffusion.bench.pieces import sound_of, timeline_of
from tests.riffusion.bench.table import Claim, share, show

BEAT_S, ONSET_S = 0.08, 0.05
"""How near a beat, and how near an onset, a cut must be."""

LOUDEST = 0.1
"""Share of the onsets that count as accents."""

RHYTHMS = ((2.0, 8.0), (1.0, 4.0), (3.0, 12.0), (0.5, 1.5))
"""Shortest and longest shots of the made films, in seconds."""

VIDEOS = ("vlog/vlog_o1_lj_music.mp4", "vlog/vlog_o2_vertical_noise.mov", "video/real/skv_bikes.mp4",
          "video/real/nasa_13013.mp4", "video/real/mp_bbb_0_30.webm")  # fmt: skip
"""Real videos with cuts."""

Times = NDArray[np.float64]


@dataclass(frozen=True)
class Film:
    """A piece of music to make, and the strong cuts that it should meet."""

    name: str
    piece: Piece
    strong_s: tuple[float, ...]


def made(count: int) -> Iterator[Film]:
    """Films of 30 to 80 s with one to three emotions, in all styles and rhythms of cutting."""
    for number in range(count):
        chance = np.random.default_rng([7, number])
        duration_s = float(chance.uniform(30, 80))
        edges_s = np.linspace(0, duration_s, 2 + number % 3).tolist()
        emotions = [tuple(Emotion)[(number + i) % len(Emotion)] for i in range(len(edges_s))]
        low, high = RHYTHMS[number % len(RHYTHMS)]
        times_s = np.cumsum(chance.uniform(low, high, round(duration_s / low)))
        cuts = tuple(Cut(float(at), float(chance.uniform(0.3, 1))) for at in times_s if at < duration_s - 0.5)
        style = tuple(STYLES)[number % len(STYLES)]
        piece = Piece(timeline_of(*edges_s, emotions=emotions), (), number, style, cuts)
        yield Film(
            f"{number} {style}, shots of {low:g} to {high:g} s",
            piece,
            tuple(cut.time_s for cut in strong(cuts)),
        )


def real(folder: Path) -> Iterator[Film]:
    """The cuts of real videos, under neutral music of two styles."""
    for number, name in enumerate(VIDEOS):
        with av.open(str(folder / name)) as container:
            stream = container.streams.video[0]
            pixels = stream.codec_context.width * stream.codec_context.height
            duration_s, index = float(container.duration or 0) / av.time_base, stream.index
        cuts, _ = look(folder / name, index, 0.0, duration_s, pixels, lambda _: None)
        for style in ("pop", "cinematic"):
            timeline = timeline_of(0.0, duration_s, emotions=[Emotion.NEUTRAL])
            yield Film(
                f"{name} {style}",
                Piece(timeline, (), number, style, tuple(cuts)),
                tuple(cut.time_s for cut in strong(cuts)),
            )


def times(cuts: Sequence[Cut]) -> tuple[float, ...]:
    """The times of the strong ones."""
    return tuple(cut.time_s for cut in strong(cuts))


def beats_of(score: Score) -> Times:
    """The times of all beats."""
    return np.array([bar.time_s(float(beat)) for bar in score.bars for beat in range(round(bar.beats))])


def accents_of(score: Score) -> Times:
    """The times of the loudest tenth of the onsets that are heard."""
    envelope = onset_strength(spectrogram(mono(sound_of(score)[0], SOUND_HZ)))
    level = (envelope - envelope.min()) / max(np.ptp(envelope), 1e-9)
    frames = RATE_HZ / HOP
    around = uniform_filter1d(level, 2 * round(0.1 * frames) + 1)
    peaks, _ = find_peaks(level - around, height=0.07, distance=max(1, round(0.03 * frames)))
    loudest = peaks[np.argsort(-envelope[peaks])[: max(1, round(LOUDEST * len(peaks)))]]
    return np.asarray(np.sort(loudest) / frames)


def claims(films: Sequence[Film], what: str) -> Iterator[Claim]:
    """What is claimed of a group of films."""
    yield from _near(films, Hits.SUBTLE, beats_of, BEAT_S, f"{what}: strong cuts within 80 ms of a beat")
    yield from _near(films, Hits.STRONG, accents_of, ONSET_S, f"{what}: within 50 ms of a loud onset")
    off = [
        max(abs(length / section.beat_s - 1) for length in section.beats_s)
        for film in films
        for section in compose(replace(film.piece, hits=Hits.SUBTLE)).sections
        if section.beats_s
    ]
    worst = max(off, default=0.0)
    yield Claim(f"{what}: largest deviation of a section's tempo from its mean", worst, f"≤ {2 * TEMPO:.0%}",
                worst <= 2 * TEMPO)  # fmt: skip


def _near(
    films: Sequence[Film], hits: Hits, marks: Callable[[Score], Times], reach_s: float, what: str
) -> Iterator[Claim]:
    wrong, total, lucky, plain = [], 0, 0.0, 0
    for film in films:
        sys.stderr.write(".")
        sys.stderr.flush()
        found = marks(compose(replace(film.piece, hits=hits)))
        off = marks(compose(film.piece))
        far = [at for at in film.strong_s if np.abs(found - at).min(initial=9.0) > reach_s]
        wrong += [f"{film.name}: {len(far)} of {len(film.strong_s)}"] * len(far)
        total += len(film.strong_s)
        anywhere = np.arange(0.5, film.piece.timeline.duration_s - 0.5, 0.01)
        lucky += len(film.strong_s) * float(
            np.mean([np.abs(found - at).min(initial=9.0) <= reach_s for at in anywhere])
        )
        plain += sum(np.abs(off - at).min(initial=9.0) <= reach_s for at in film.strong_s)
    yield share(f"{what}, hits {hits}", total, wrong, 0.7)
    yield Claim("… at random times", lucky / max(1, total), "chance, %", True)
    yield Claim("… with hits off", plain / max(1, total), "for comparison, %", True)


def main() -> int:
    """0 when every claim is met."""
    parser = argparse.ArgumentParser(prog="python -m tests.riffusion.bench.hits", description=__doc__)
    parser.add_argument("--films", type=int, default=40)
    parser.add_argument("--detail", action="store_true")
    asked = parser.parse_args()
    groups = [claims(list(made(asked.films)), "made films")]
    if folder := os.environ.get("ETBGM_TEST_DATA"):
        groups.append(claims(list(real(Path(folder))), "real videos"))
    return 0 if show(itertools.chain(*groups), asked.detail) else 1


if __name__ == "__main__":
    sys.exit(main())
