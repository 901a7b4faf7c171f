"""Tiny sequence classifiers of each family, with the tokenizers of their families, made in seconds."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    DistilBertConfig,
    DistilBertForSequenceClassification,
    PretrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaForSequenceClassification,
)

HARTMANN = ("anger", "disgust", "fear", "joy", "neutral", "sadness", "surprise")
"""Labels of j-hartmann/emotion-english-distilroberta-base."""

GOEMOTIONS = (
    *("admiration", "amusement", "anger", "annoyance", "approval", "caring", "confusion", "curiosity"),
    *("desire", "disappointment", "disapproval", "disgust", "embarrassment", "excitement", "fear"),
    *("gratitude", "grief", "joy", "love", "nervousness", "optimism", "pride", "realization", "relief"),
    *("remorse", "sadness", "surprise", "neutral"),
)
"""The 28 labels of GoEmotions, in their order."""

WORDS = {
    "anger": "furious angry mad enraged",
    "disgust": "disgusting filthy rotten revolting",
    "fear": "scared afraid terrified frightened",
    "joy": "happy glad wonderful delighted",
    "neutral": "square wooden northern printed",
    "sadness": "sad lonely heartbroken crying",
    "surprise": "surprised amazed astonished unexpected",
}
TEMPLATES = (
    "I am so {}",
    "that was {} again",
    "they say it is {} today",
    "how {} we all were",
    "{}",
    "she felt {} and he did not",
)
SIZES = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 128}


def sentences() -> Iterator[tuple[str, str]]:
    """Every template with every word, and the label."""
    for label, words in WORDS.items():
        for word in words.split():
            yield from ((template.format(word), label) for template in TEMPLATES)


def bert(folder: Path, labels: Sequence[str] = HARTMANN, *, many: bool = False) -> Path:
    """WordPiece, token types, padding 0."""
    tokenizer = _bert_tokenizer()
    config = BertConfig(
        vocab_size=len(tokenizer), max_position_embeddings=40, **SIZES, **_named(labels, many)
    )
    return _save(BertForSequenceClassification(_random(config)), tokenizer, folder)


def roberta(folder: Path, labels: Sequence[str] = HARTMANN, *, many: bool = False) -> Path:
    """Byte-level BPE, padding 1, positions counted from 2."""
    tokenizer = _roberta_tokenizer()
    config = _roberta_config(tokenizer, labels, many=many)
    return _save(RobertaForSequenceClassification(_random(config)), tokenizer, folder)


def distilbert(folder: Path, labels: Sequence[str] = HARTMANN, *, many: bool = False) -> Path:
    """WordPiece, no token types."""
    tokenizer = _bert_tokenizer(types=False)
    config = DistilBertConfig(
        vocab_size=len(tokenizer),
        max_position_embeddings=40,
        dim=64,
        n_layers=2,
        n_heads=2,
        hidden_dim=128,
        **_named(labels, many),
    )
    return _save(DistilBertForSequenceClassification(_random(config)), tokenizer, folder)


def trained(folder: Path) -> Path:
    """A RoBERTa-like classifier that has learnt `sentences`."""
    tokenizer = _roberta_tokenizer()
    network = RobertaForSequenceClassification(_random(_roberta_config(tokenizer, HARTMANN), 0.05))
    texts, labels = zip(*sentences(), strict=True)
    inputs = tokenizer(list(texts), padding=True, return_tensors="pt")
    wanted = torch.tensor([HARTMANN.index(label) for label in labels])
    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3)
    network.eval()  # without dropout it learns in a second
    for _ in range(40):
        network(**inputs, labels=wanted).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    return _save(network, tokenizer, folder)


def _roberta_config(
    tokenizer: PreTrainedTokenizerFast, labels: Sequence[str], *, many: bool = False
) -> RobertaConfig:
    sizes = {"vocab_size": len(tokenizer), "max_position_embeddings": 42, "type_vocab_size": 1, **SIZES}
    return RobertaConfig(**sizes, **_named(labels, many))


def _random(config: PretrainedConfig, spread: float = 0.2) -> PretrainedConfig:
    """The same weights each time, spread enough for texts to differ in what they give."""
    torch.manual_seed(1)
    config.initializer_range = spread
    return config


def _named(labels: Sequence[str], many: bool) -> dict[str, object]:
    named: dict[str, object] = {"id2label": dict(enumerate(labels)), "num_labels": len(labels)}
    return named | ({"problem_type": "multi_label_classification"} if many else {})


def _save(network: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, folder: Path) -> Path:
    network.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _bert_tokenizer(*, types: bool = True) -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    trainer = trainers.WordPieceTrainer(vocab_size=400, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator((text for text, _ in sentences()), trainer)
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.decoder = decoders.WordPiece()
    names = ["input_ids", "token_type_ids", "attention_mask"] if types else ["input_ids", "attention_mask"]
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", model_input_names=names
    )


def _roberta_tokenizer() -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=500,
        special_tokens=["<s>", "<pad>", "</s>", "<unk>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator((text for text, _ in sentences()), trainer)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    tokenizer.decoder = decoders.ByteLevel()
    names = ["input_ids", "attention_mask"]
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", unk_token="<unk>", model_input_names=names
    )
