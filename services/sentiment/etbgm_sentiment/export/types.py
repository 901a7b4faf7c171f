"""What the parts of an export hand to each other."""

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
    """A model ready to be written, and its own opinion, against which the graph is checked.

    `reference` gives the probabilities (n, 7) of texts, one by one, in 32 bits; it is
    asked before the graph is written, which may round `model` itself.
    """

    model: SevenEmotions
    tokenizer: Tokenizer
    facts: ModelFacts
    reference: Callable[[Sequence[str]], Probabilities]
