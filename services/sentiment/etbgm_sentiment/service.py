"""The whole way: transcript, phrases, probabilities, timeline."""

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
"""Progress is reported, and a call that was given up ends, after this many phrases.

A quarter of a second with MiniLM, some seconds with models of DistilRoBERTa's size.
"""

OnProgress = Callable[[float], None]
"""Called with the share done, [0, 1]; may raise to end the work."""


class SentimentService:
    """Answers questions with one classifier, which `load` gets from `make`.

    `make` also gives advice on what would be better, in sentences; raises RuntimeError.
    """

    def __init__(self, make: Callable[[], tuple[Classifier, tuple[str, ...]]]) -> None:
        self._make = make
        self._classifier: Classifier | None = None
        self._advice: tuple[str, ...] = ()

    def load(self) -> None:
        """Makes the classifier; all else raises NotReady before."""
        self._classifier, self._advice = self._make()

    @property
    def advice(self) -> tuple[str, ...]:
        """What would be better than this classifier, in sentences."""
        return self._advice

    @property
    def engine(self) -> EngineInfo:
        """The classifier, its revision extended by that of phrases and smoothing."""
        info = self._loaded.info
        revision = revision_of(__name__, "etbgm_sentiment.converters", facts=info.revision)
        return replace(info, revision=revision)

    @property
    def languages(self) -> tuple[str, ...]:
        """BCP-47 tags of the languages that the classifier reads; () when it reads any."""
        return self._loaded.languages

    def analyse(self, request: AnalyzeRequest, on_progress: OnProgress) -> Analysis:
        """Phrases, their probabilities and the timeline; raises what `on_progress` raises."""
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
