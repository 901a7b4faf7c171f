"""What classifies phrases; one engine per file implements it."""

from collections.abc import Sequence
from typing import Protocol

from etbgm_kit.types import EngineInfo
from etbgm_sentiment.types import Probabilities


class Classifier(Protocol):
    """Texts to the probabilities of the seven emotions."""

    @property
    def info(self) -> EngineInfo:
        """What the results are made with."""
        ...

    @property
    def languages(self) -> tuple[str, ...]:
        """BCP-47 tags of the languages that it reads; () when it reads any."""
        ...

    def classify(self, texts: Sequence[str]) -> Probabilities:
        """Calibrated probabilities, float32 (n, 7) in the order of Emotion, rows summing to 1.

        The same texts give the same rows; other texts beside them may move a row by rounding.
        """
        ...
