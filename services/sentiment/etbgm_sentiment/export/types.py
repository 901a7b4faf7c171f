"""The values that the steps of an export exchange."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tokenizers import Tokenizer

from etbgm_sentiment.export.heads import SevenEmotions
from etbgm_sentiment.model_folder import ModelFacts
from etbgm_sentiment.types import Probabilities


class ExportError(ValueError):
    """The model cannot be exported; the message says why in one line."""


@dataclass(frozen=True)
class Exportable:
    """A model that is ready to be written, and the reference for checking the graph.

    `reference` returns the probabilities (n, 7) of texts, computed one by one in 32 bits. It is
    called before the graph is written, because writing may round `model` itself.
    """

    model: SevenEmotions
    tokenizer: Tokenizer
    facts: ModelFacts
    reference: Callable[[Sequence[str]], Probabilities]
