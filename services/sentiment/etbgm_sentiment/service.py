"""Turns a transcript and the voice that speaks it into phrases, probabilities and a timeline."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from etbgm_kit.artifacts.revision import revision_of
from etbgm_kit.artifacts.store import ArtifactStore
from etbgm_kit.errors import NotReady
from etbgm_kit.types import Emotion, EngineInfo, Span
from etbgm_sentiment.arousal import arousals, with_arousal
from etbgm_sentiment.classifier import Classifier
from etbgm_sentiment.phrases import phrases
from etbgm_sentiment.seen import WEIGHT, pauses, probabilities_of, with_picture
from etbgm_sentiment.smoothing import NOTHING_SEEN, Seen, smooth
from etbgm_sentiment.types import Analysis, AnalyzeRequest, Arousal, Phrase, Probabilities
from etbgm_sentiment.voice import read_voices

BLOCK_PHRASES = 128
"""Number of phrases after which progress is reported and a cancelled call ends.

They take about a second with the built-in model and several seconds with models of DistilRoBERTa's size.
"""

OnProgress = Callable[[float], None]
"""Called with the completed share, [0, 1]; may raise to stop the work."""

VOICE_SHARE = 0.2
"""Share of the work that goes to the voice, 0.002 CPU seconds per second of speech; classification varies."""


class SentimentService:
    """Analyses transcripts with one classifier, which `load` gets from `make`, and speech from `store`.

    `make` also returns advice on better options, in sentences. It may raise RuntimeError.
    """

    def __init__(self, store: ArtifactStore, make: Callable[[], tuple[Classifier, tuple[str, ...]]]) -> None:
        self._store, self._make = store, make
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
        """Returns phrases, their probabilities and arousal, and the timeline.

        Raises InvalidField, NotFound, NotReady, and what `on_progress` raises.
        """
        parts = phrases(request.transcript)
        heard = self._listen(request, parts, lambda done: on_progress(VOICE_SHARE * done))
        probabilities = self._classify(
            parts, lambda done: on_progress(VOICE_SHARE + (1 - VOICE_SHARE) * done)
        )
        spans = [part.span for part in parts]
        timeline = smooth(
            spans,
            probabilities,
            request.duration_s,
            request.smoothing,
            request.min_duration_s,
            _seen(request, spans),
        )
        timeline = with_arousal(timeline, parts, heard)
        timeline = with_picture(timeline, request.picture) if request.picture else timeline
        return Analysis(parts, probabilities, heard, timeline, request.smoothing, self.engine)

    def _listen(
        self, request: AnalyzeRequest, parts: tuple[Phrase, ...], on_progress: OnProgress
    ) -> tuple[Arousal, ...]:
        """Returns the arousal of each phrase."""
        if request.speech is None:
            return (None,) * len(parts)
        with self._store.borrow(request.speech, "speech") as path:
            return arousals(read_voices(path, [part.span for part in parts], on_progress))

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


def _seen(request: AnalyzeRequest, spans: Sequence[Span]) -> Seen:
    """Returns what the picture says where nobody speaks."""
    if request.picture is None:
        return NOTHING_SEEN
    rows = probabilities_of(request.picture)
    found = pauses(spans, request.speech_spans, request.duration_s, len(rows))
    return Seen([at_s for at_s, _ in found], rows[[number for _, number in found]], WEIGHT)
