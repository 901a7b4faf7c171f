"""Loads our own classifier from the folder that `etbgm-sentiment train` wrote."""

from collections.abc import Sequence
from pathlib import Path

import torch

from etbgm_kit.types import Emotion
from etbgm_sentiment.export.heads import Calibrated, SevenEmotions
from etbgm_sentiment.export.types import Exportable
from etbgm_sentiment.goemotions import Row, single_label
from etbgm_sentiment.model_folder import ModelFacts, Precision
from etbgm_sentiment.tokens import MAX_TOKENS, tokenise
from etbgm_sentiment.training.batches import targets, tensors
from etbgm_sentiment.training.calibrate import calibrate
from etbgm_sentiment.training.model import PAD, load_model
from etbgm_sentiment.training.train import logits
from etbgm_sentiment.training.vocabulary import LANGUAGES
from etbgm_sentiment.types import Probabilities


def load(folder: Path, held_out: Sequence[Row], precision: Precision) -> Exportable:
    """Loads the model in `folder` and calibrates it on the single-label rows of `held_out`."""
    network, tokenizer = load_model(folder)
    rows = single_label(list(held_out))
    raw = logits(network, tokenizer, [row.text for row in rows])
    calibration = calibrate(raw, targets(rows).argmax(1).numpy())
    model = SevenEmotions(network, Calibrated(calibration.temperature, calibration.biases)).eval()

    def reference(texts: Sequence[str]) -> Probabilities:
        with torch.inference_mode():
            answers = [model(*tensors([ids])) for ids in tokenise(tokenizer, texts)]
        probabilities: Probabilities = torch.cat(answers).numpy()
        return probabilities

    facts = ModelFacts(
        name="e5-goemotions",
        source="multilingual-e5-small, fine-tuned by ET-BGM on GoEmotions in English and Korean",
        revision="",
        licence="Apache-2.0",
        languages=LANGUAGES,
        max_length=MAX_TOKENS,
        pad_id=PAD,
        tokens=network.encoder.config.vocab_size,
        precision=precision,
        labels={emotion: emotion for emotion in Emotion},
    )
    return Exportable(model, tokenizer, facts, reference)
