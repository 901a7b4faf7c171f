"""The protocol of phrase classifiers; each engine has its own file."""

from collections.abc import Sequence
from typing import Protocol

from etbgm_kit.types import EngineInfo
from etbgm_sentiment.types import Probabilities


class Classifier(Protocol):
    """Maps texts to the probabilities of the seven emotions."""

    @property
    def info(self) -> EngineInfo:
        """The engine behind the results."""
        ...

    @property
    def languages(self) -> tuple[str, ...]:
        """BCP-47 tags of the supported languages; () if it supports any."""
        ...

    def classify(self, texts: Sequence[str]) -> Probabilities:
        """Returns calibrated probabilities, float32 (n, 7) in the order of Emotion; each row sums to 1.

        The same texts give the same rows; other texts in the batch may change a row by rounding.
        """
        ...
