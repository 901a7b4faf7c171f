"""Pieces and a synthesiser for the music's tests."""

import itertools
from collections.abc import Callable

import pytest

from etbgm_kit.types import Emotion, EmotionSpan, EmotionTimeline, Span
from etbgm_riffusion.composer.sound.installed import find_soundfont, find_synth
from etbgm_riffusion.composer.sound.synth import Synth
from etbgm_riffusion.types import Piece

MakePiece = Callable[..., Piece]


@pytest.fixture(scope="session")
def make_piece() -> MakePiece:
    """Makes a piece from its sections' edges in seconds and their emotions, repeated as needed."""

    def make(
        *edges_s: float,
        emotions: tuple[Emotion, ...] = tuple(Emotion),
        speech: tuple[tuple[float, float], ...] = (),
        random_seed: int = 1,
        style: str = "cinematic",
    ) -> Piece:
        spans = tuple(
            EmotionSpan(Span(*edges), emotion, 0.9)
            for edges, emotion in zip(itertools.pairwise(edges_s), itertools.cycle(emotions), strict=False)
        )
        timeline = EmotionTimeline(edges_s[-1], spans)
        return Piece(timeline, tuple(Span(*edges) for edges in speech), random_seed, style)

    return make


@pytest.fixture(scope="session")
def synth() -> Synth:
    """The synthesiser that the engine would use."""
    return find_synth(find_soundfont(None))
