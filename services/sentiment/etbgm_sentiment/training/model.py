"""The multilingual encoder e5 with mean pooling and a linear head, and its folder."""

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch import Tensor, nn
from transformers import BertConfig, BertModel

from etbgm_kit.types import Emotion
from etbgm_sentiment.model_folder import TOKENIZER
from etbgm_sentiment.tokens import MAX_TOKENS, load_tokenizer
from etbgm_sentiment.training.e5 import E5File, Sizes
from etbgm_sentiment.training.vocabulary import make_tokenizer, needed_pieces, pruned

WEIGHTS = "weights.safetensors"

PAD = 1
"""The token that pads a batch: <pad> follows <s>."""

DROPOUT = 0.1

FROZEN_SHARE = 4
"""One layer in four stays as it is: the lowest three of e5's twelve."""

POOLED_SCALE = 4.0
"""e5's mean vectors are short and close together; scaled, the head learns at the encoder's pace."""

_LAYER_PARTS = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "fi": "intermediate.dense",
    "fo": "output.dense",
}
_LAYER_NORMS = {"aln": "attention.output.LayerNorm", "oln": "output.LayerNorm"}


class EmotionModel(nn.Module):
    """Token numbers to seven logits in the order of Emotion.

    All embeddings are frozen: the comments touch few of the tokens, and the rest would drift away
    from them; languages without training data would be lost. The lowest layers are frozen for the
    same reason (Wu & Dredze, "Beto, Bentz, Becas", EMNLP 2019, section 5).
    """

    def __init__(self, encoder: BertModel) -> None:
        super().__init__()
        self.encoder = encoder
        layers = encoder.encoder.layer
        for part in (encoder.embeddings, *layers[: len(layers) // FROZEN_SHARE]):
            part.requires_grad_(requires_grad=False)
        self.dropout = nn.Dropout(DROPOUT)
        self.head = nn.Linear(encoder.config.hidden_size, len(Emotion))

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Logits (batch, 7) from int64 (batch, length) numbers and their mask of 0 and 1."""
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        mask = attention_mask.unsqueeze(-1).to(hidden.dtype)
        pooled = POOLED_SCALE * (hidden * mask).sum(1) / mask.sum(1)
        logits: Tensor = self.head(self.dropout(pooled))
        return logits


def base_model(file: E5File) -> tuple[EmotionModel, Tokenizer]:
    """Returns e5 under an untrained head, with the tokens that our languages need, and its tokenizer."""
    kept = needed_pieces(file.pieces)
    encoder = BertModel(_config(file.sizes, len(kept)), add_pooling_layer=False)
    encoder.load_state_dict(_encoder_weights(file, kept))
    tokenizer = make_tokenizer(pruned(file.pieces, kept))
    tokenizer.enable_truncation(MAX_TOKENS)
    return EmotionModel(encoder), tokenizer


def save_model(model: EmotionModel, tokenizer: Tokenizer, folder: Path) -> None:
    """Writes weights.safetensors, config.json and tokenizer.json."""
    model.encoder.config.save_pretrained(folder)
    tokenizer.save(str(folder / TOKENIZER), pretty=False)
    save_file(model.state_dict(), folder / WEIGHTS)


def load_model(folder: Path, max_length: int = MAX_TOKENS) -> tuple[EmotionModel, Tokenizer]:
    """Returns the model in `folder` for texts of at most `max_length` tokens, and its tokenizer.

    Raises:
        OSError: a file is missing.
    """
    config = BertConfig.from_pretrained(folder)
    config.max_position_embeddings = min(max_length, config.max_position_embeddings)
    model = EmotionModel(BertModel(config, add_pooling_layer=False))
    weights = load_file(folder / WEIGHTS)
    positions = "encoder.embeddings.position_embeddings.weight"
    weights[positions] = weights[positions][: config.max_position_embeddings]
    model.load_state_dict(weights)
    return model.eval(), load_tokenizer(folder / TOKENIZER, max_length)


def _config(sizes: Sizes, tokens: int) -> BertConfig:
    return BertConfig(
        vocab_size=tokens,
        hidden_size=sizes.hidden,
        num_hidden_layers=sizes.layers,
        num_attention_heads=sizes.heads,
        intermediate_size=sizes.feed_forward,
        max_position_embeddings=sizes.positions,
        type_vocab_size=sizes.types,
        layer_norm_eps=sizes.epsilon,
    )


def _encoder_weights(file: E5File, kept: list[int]) -> dict[str, Tensor]:
    """Returns BertModel's state from the tensors in `file`, with the word embeddings of `kept`."""
    hidden, sizes = file.sizes.hidden, file.sizes
    words = file.tensor("emb.word", (sizes.vocabulary, hidden))[kept]
    state = {"embeddings.word_embeddings.weight": torch.from_numpy(words)}
    named = {
        "embeddings.position_embeddings.weight": ("emb.pos", (sizes.positions, hidden)),
        "embeddings.token_type_embeddings.weight": ("emb.type", (sizes.types, hidden)),
        "embeddings.LayerNorm.weight": ("emb.ln.w", (hidden,)),
        "embeddings.LayerNorm.bias": ("emb.ln.b", (hidden,)),
    }
    shapes = {"fi": (sizes.feed_forward, hidden), "fo": (hidden, sizes.feed_forward)}
    for layer in range(sizes.layers):
        for short, long in _LAYER_PARTS.items():
            shape = shapes.get(short, (hidden, hidden))
            named[f"encoder.layer.{layer}.{long}.weight"] = (f"l{layer}.{short}.w", shape)
            named[f"encoder.layer.{layer}.{long}.bias"] = (f"l{layer}.{short}.b", shape[:1])
        for short, long in _LAYER_NORMS.items():
            named[f"encoder.layer.{layer}.{long}.weight"] = (f"l{layer}.{short}.w", (hidden,))
            named[f"encoder.layer.{layer}.{long}.bias"] = (f"l{layer}.{short}.b", (hidden,))
    return state | {key: torch.from_numpy(file.tensor(*place)) for key, place in named.items()}
