"""Turns a transcript into phrases, probabilities and a timeline."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from etbgm_kit.artifacts.revision import revision_of
from etbgm_kit.errors import NotReady
from etbgm_kit.types import Emotion, EngineInfo
from etbgm_sentiment.classifier import Classifier
from etbgm_sentiment.phrases import phrases
from etbgm_sentiment.smoothing import smooth
from etbgm_sentiment.types import Analysis, AnalyzeRequest, Phrase, Probabilities

BLOCK_PHRASES = 128
"""Number of phrases after which progress is reported and a cancelled call ends.

They take 0.25 s with MiniLM and several seconds with models of DistilRoBERTa's size.
"""

OnProgress = Callable[[float], None]
"""Called with the completed share, [0, 1]; may raise to stop the work."""


class SentimentService:
    """Analyses transcripts with one classifier, which `load` gets from `make`.

    `make` also returns advice on better options, in sentences. It may raise RuntimeError.
    """

    def __init__(self, make: Callable[[], tuple[Classifier, tuple[str, ...]]]) -> None:
        self._make = make
        self._classifier: Classifier | None = None
        self._advice: tuple[str, ...] = ()

    def load(self) -> None:
        """Creates the classifier; until then, everything that needs it raises NotReady."""
        self._classifier, self._advice = self._make()

    @property
    def advice(self) -> tuple[str, ...]:
        """Advice on better classifiers, in sentences."""
        return self._advice

    @property
    def engine(self) -> EngineInfo:
        """The classifier; its revision also covers phrases and smoothing."""
        info = self._loaded.info
        revision = revision_of(__name__, "etbgm_sentiment.converters", facts=info.revision)
        return replace(info, revision=revision)

    @property
    def languages(self) -> tuple[str, ...]:
        """BCP-47 tags of the languages that the classifier supports; () if it supports any."""
        return self._loaded.languages

    def analyse(self, request: AnalyzeRequest, on_progress: OnProgress) -> Analysis:
        """Returns phrases, their probabilities and the timeline. Raises what `on_progress` raises."""
        parts = phrases(request.transcript)
        probabilities = self._classify(parts, on_progress)
        spans = [part.span for part in parts]
        timeline = smooth(spans, probabilities, request.duration_s, request.smoothing, request.min_duration_s)
        return Analysis(parts, probabilities, timeline, request.smoothing, self.engine)

    def _classify(self, parts: tuple[Phrase, ...], on_progress: OnProgress) -> Probabilities:
        blocks = [np.zeros((0, len(Emotion)), np.float32)]
        for start in range(0, len(parts), BLOCK_PHRASES):
            on_progress(start / len(parts))
            blocks.append(self._loaded.classify([part.text for part in parts[start : start + BLOCK_PHRASES]]))
        return np.concatenate(blocks)

    @property
    def _loaded(self) -> Classifier:
        if self._classifier is None:
            raise NotReady
        return self._classifier
