"""The emotion of a source: stated by its owner, or guessed.

A guess is the composer's emotion that the music resembles most.

The composer plays short pieces of each emotion. What is heard in them, less their style, is the reference;
the guess is the nearest one, by linear discriminant analysis with a diagonal covariance. Its confidence is
the share of that emotion in the likelihoods. The labels of a manifest or of folders are better.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import product
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError

from etbgm_kit.artifacts.revision import revision_of
from etbgm_kit.types import Emotion, EmotionSpan, EmotionTimeline, Span
from etbgm_riffusion.composer.engine import ComposerEngine
from etbgm_riffusion.dataset.features import heard
from etbgm_riffusion.dataset.manifest import Entry
from etbgm_riffusion.dataset.types import EmotionFrom
from etbgm_riffusion.types import Piece

FEATURES = ("onset rate", "tempo", "centroid", "register", "mode", "roughness", "flatness", "onset contrast")

_STYLES = ("acoustic", "cinematic", "electronic", "pop")
_RANDOM_SEED, _LENGTH_S, _RATE_HZ = 1, 20.0, 44100
_TEMPERATURE = 6.0
"""Divides the squared distances: the features are not independent of each other."""

Vector = NDArray[np.float64]


def stated(source: str, entry: Entry) -> tuple[Emotion, EmotionFrom] | None:
    """Returns the emotion that the manifest, or else the nearest folder, states for a source."""
    if entry.emotion:
        return entry.emotion, "manifest"
    for part in reversed(PurePosixPath(source).parts[:-1]):
        if part.lower() in tuple(Emotion):
            return Emotion(part.lower()), "folder"
    return None


class Guess(NamedTuple):
    """An emotion, and the share of the likelihood that it has, in [1/7, 1]."""

    emotion: Emotion
    confidence: float


class _Reference(BaseModel):
    revision: str
    means: list[list[float]]
    spread: list[float]


class Profiles:
    """The reference; the composer plays it when the first guess is wanted, in about half a minute."""

    def __init__(self, composer: ComposerEngine, cache: Path) -> None:
        """`composer` must be loaded; `cache` is the file that keeps the reference for the next time."""
        self._composer, self._cache = composer, cache

    def guess(self, features: Mapping[str, float]) -> Guess:
        """Returns the nearest emotion for what `features.heard` found."""
        means, spread = self._reference
        apart = (_vector(features) - means) / spread
        likely = -np.sum(np.clip(apart, -6, 6) ** 2, axis=1) / (2 * _TEMPERATURE)
        shares = np.exp(likely - likely.max())
        shares /= shares.sum()
        best = int(shares.argmax())
        return Guess(tuple(Emotion)[best], round(float(shares[best]), 3))

    @cached_property
    def _reference(self) -> tuple[Vector, Vector]:
        """Returns the mean of each emotion, (7, features), and the spread of each feature around them."""
        revision = revision_of(__name__, facts=self._composer.info().revision)
        try:
            known = _Reference.model_validate_json(self._cache.read_bytes())
        except (FileNotFoundError, ValidationError):
            known = None
        if known is None or known.revision != revision:
            pieces = product(Emotion, _STYLES)
            means, spread = fitted([_vector(heard(self._played(*piece), _RATE_HZ)) for piece in pieces])
            known = _Reference(revision=revision, means=means.tolist(), spread=spread.tolist())
            self._cache.parent.mkdir(parents=True, exist_ok=True)
            self._cache.write_text(known.model_dump_json())
        return np.array(known.means), np.array(known.spread)

    def _played(self, emotion: Emotion, style: str) -> NDArray[np.float32]:
        span = Span(0.0, _LENGTH_S)
        timeline = EmotionTimeline(_LENGTH_S, (EmotionSpan(span, emotion, 0.9),))
        composed = self._composer.compose(Piece(timeline, (), _RANDOM_SEED, style))
        played = self._composer.sound(composed, span, _RATE_HZ, lambda _: None)
        return np.concatenate([parts[0] for parts in played])


def fitted(vectors: Sequence[Vector]) -> tuple[Vector, Vector]:
    """Returns means (emotions, features), spreads (features,) of vectors ordered by emotion, style."""
    grouped = np.stack(vectors).reshape(len(Emotion), -1, len(FEATURES))
    means = grouped.mean(axis=1)
    spread = np.sqrt(np.mean((grouped - means[:, None]) ** 2, axis=(0, 1)))
    return means, np.maximum(spread, 1e-6)


def _vector(features: Mapping[str, float]) -> Vector:
    values = dict(features)
    for name in ("onset rate", "tempo", "centroid"):
        values[name] = float(np.log(max(values[name], 0.1)))
    return np.array([values[name] for name in FEATURES])
