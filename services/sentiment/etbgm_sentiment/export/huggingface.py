"""Loads any Hugging Face sequence classifier from a local folder or the hub."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from torch import Tensor, nn
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    logging,
)

from etbgm_kit.types import Emotion
from etbgm_sentiment.export.heads import ManyLabels, OneLabel, SevenEmotions
from etbgm_sentiment.export.types import Exportable, ExportError
from etbgm_sentiment.labels import emotions_of
from etbgm_sentiment.model_folder import ModelFacts, Precision
from etbgm_sentiment.types import Probabilities

LONGEST = 512
"""Maximum tokens of a text, even if a model accepts more: phrases have a few dozen."""


@dataclass(frozen=True)
class Origin:
    """The location of a model, and the facts to write to its folder.

    `model` is a folder or a hub id; `revision` is the hub's branch, tag or commit.
    """

    model: str
    revision: str
    name: str
    source: str
    licence: str
    languages: tuple[str, ...]


class _Logits(nn.Module):
    """Returns only the logits of a Hugging Face model; token types, if the model uses them, are 0."""

    def __init__(self, network: PreTrainedModel) -> None:
        super().__init__()
        self.network = network

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        logits: Tensor = self.network(input_ids=input_ids, attention_mask=attention_mask).logits
        return logits


def load(origin: Origin, given: Mapping[str, Emotion], precision: Precision) -> Exportable:
    """Loads the classifier at `origin`; maps its labels to emotions by `given` or labels.toml.

    Raises:
        ExportError: it cannot be loaded, its weights are not safetensors, or it is not fine-tuned.
        UnknownLabels: a label's emotion is neither known nor given.
    """
    revision = {} if Path(origin.model).is_dir() else {"revision": origin.revision or "main"}
    with _reading(origin.model):
        config = AutoConfig.from_pretrained(origin.model, **revision)
    labels = [config.id2label[number] for number in range(config.num_labels)]
    emotions = emotions_of(labels, given)
    with _reading(origin.model):
        tokenizer = AutoTokenizer.from_pretrained(origin.model, **revision)
        network = _network(origin.model, revision)
    if not isinstance(tokenizer, PreTrainedTokenizerFast):
        raise ExportError(f"{origin.model} has no tokenizer that tokenizer.json can hold")
    facts = ModelFacts(
        name=origin.name,
        source=origin.source,
        revision=origin.revision or getattr(config, "_commit_hash", None) or "",
        licence=origin.licence,
        languages=origin.languages,
        max_length=_max_length(network, tokenizer),
        pad_id=tokenizer.pad_token_id or 0,
        tokens=config.vocab_size,
        precision=precision,
        labels=dict(zip(labels, emotions, strict=True)),
    )
    many = config.problem_type == "multi_label_classification"
    head = ManyLabels(emotions) if many else OneLabel(emotions)
    opinion = _opinion(network, tokenizer, head, facts.max_length)
    return Exportable(SevenEmotions(_Logits(network), head), tokenizer.backend_tokenizer, facts, opinion)


@contextmanager
def _reading(model: str) -> Iterator[None]:
    """Converts the libraries' exceptions about the model to one line."""
    try:
        yield
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        if isinstance(error, ExportError):
            raise
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise ExportError(f"{model} cannot be loaded: {reason}") from error


def _network(model: str, revision: Mapping[str, str]) -> PreTrainedModel:
    """Loads in 32 bits and only from safetensors, because pickles can run code."""
    # The one-line error below replaces the library's table of missing weights.
    logging.set_verbosity_error()
    network, report = AutoModelForSequenceClassification.from_pretrained(
        model, **revision, use_safetensors=True, dtype=torch.float32, output_loading_info=True
    )
    if missing := sorted(report["missing_keys"]):
        raise ExportError(f"{model} is not fine-tuned for classification: it has no {', '.join(missing)}")
    trained: PreTrainedModel = network.eval()
    return trained


def _max_length(network: PreTrainedModel, tokenizer: PreTrainedTokenizerFast) -> int:
    """Returns what tokenizer and position table allow; tables with a padding row (RoBERTa) start after it."""
    limits = [LONGEST, tokenizer.model_max_length]
    positions = getattr(network.config, "max_position_embeddings", None)
    if positions:
        limits.append(positions)
    for name, table in network.named_modules():
        if name.endswith("position_embeddings") and isinstance(table, nn.Embedding):
            reserved = 0 if table.padding_idx is None else table.padding_idx + 1
            limits.append(table.num_embeddings - reserved)
    return int(min(limits))


def _opinion(
    network: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, head: nn.Module, max_length: int
) -> Callable[[Sequence[str]], Probabilities]:
    """Returns a function that runs the original model in its own library, including token types."""

    def reference(texts: Sequence[str]) -> Probabilities:
        settings = {"truncation": True, "max_length": max_length, "return_tensors": "pt"}
        with torch.inference_mode():
            rows = [head(network(**tokenizer(text, **settings)).logits) for text in texts]
        probabilities: Probabilities = torch.cat(rows).numpy()
        return probabilities

    return reference
