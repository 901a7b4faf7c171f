"""The pieces that are measured, as sound."""

import itertools
from collections.abc import Iterable, Sequence
from functools import cache

import numpy as np

from etbgm_kit.types import Emotion, EmotionSpan, EmotionTimeline, Span
from etbgm_riffusion.composer.compose import compose
from etbgm_riffusion.composer.score import Score
from etbgm_riffusion.composer.sound.installed import find_soundfont, find_synth
from etbgm_riffusion.composer.sound.render import render
from etbgm_riffusion.composer.sound.synth import Synth
from etbgm_riffusion.composer.styles import STYLES
from etbgm_riffusion.types import Piece, Stereo

RATE_HZ = 44100
SURE = 0.9
"""Probability of the emotions in made timelines."""


def timeline_of(*edges_s: float, emotions: Iterable[Emotion]) -> EmotionTimeline:
    """Spans between neighbouring edges, with the emotions in order."""
    spans = zip(itertools.pairwise(edges_s), emotions, strict=False)
    return EmotionTimeline(
        edges_s[-1], tuple(EmotionSpan(Span(*edges), emotion, SURE) for edges, emotion in spans)
    )


def piece_of(emotion: Emotion, random_seed: int, duration_s: float, style: str | None = None) -> Piece:
    """A piece of one emotion; styles go round with the random seeds unless one is named."""
    named = style or tuple(STYLES)[random_seed % len(STYLES)]
    return Piece(timeline_of(0.0, duration_s, emotions=[emotion]), (), random_seed, named)


def sound_of(score: Score, cue: Span | None = None, roles: Sequence[str] = ()) -> np.ndarray:
    """The music bed and the stems of `roles`, (1 + roles, samples, 2) float32 at RATE_HZ."""
    whole = Span(0.0, score.duration_s)
    blocks = render(score, cue or whole, synth(), RATE_HZ, _unheard, roles)
    return np.concatenate(list(blocks), axis=1)


def bed_of(piece: Piece, performance_seed: int | None = None) -> Stereo:
    """The music bed, (samples, 2)."""
    bed: Stereo = sound_of(compose(piece, performance_seed))[0]
    return bed


def _unheard(share: float) -> None:
    """Takes progress reports."""


@cache
def synth() -> Synth:
    """The synthesiser that the engine would use."""
    return find_synth(find_soundfont(None))
