"""Distillation: an earlier model's probabilities for the training rows, which join the labels as targets.

Few annotators labelled each comment; the probabilities also tell which other labels are plausible
(Hinton et al., "Distilling the Knowledge in a Neural Network", 2015; with a teacher of the same size:
Furlanello et al., "Born-Again Neural Networks", ICML 2018).
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from etbgm_kit.artifacts.hashes import sha256_of
from etbgm_kit.artifacts.revision import revision_of
from etbgm_sentiment.goemotions import Row
from etbgm_sentiment.training.model import WEIGHTS, load_model
from etbgm_sentiment.training.train import logits

TAUGHT = "taught-{}.npy"
"""The probabilities of the originals, kept in the run's folder: an interrupted run does not ask again.

The name has the revision of teacher, texts and code, so that another teacher's are not taken for it.
"""

TAUGHT_SHARE = 0.5
"""Weight of the teacher in the target: the same as that of the labels."""


def taught(teacher: Path, languages: Sequence[list[Row]], out: Path) -> Tensor:
    """The probabilities that the model in `teacher` gives to the rows, (n, 7), one language after the other.

    It reads the first language, the original; translations get the probabilities of their original.
    They are uncalibrated, as the labels weigh rare emotions alike for teacher and student.

    Raises:
        OSError: a file of the teacher is missing.
        ValueError: a row of another language has no original.
    """
    originals = languages[0]
    texts = [row.text for row in originals]
    path = out / TAUGHT.format(revision_of(__name__, facts=(sha256_of(teacher / WEIGHTS), texts)))
    if path.is_file():
        probabilities = torch.from_numpy(np.load(path))
    else:
        model, tokenizer = load_model(teacher)
        probabilities = torch.from_numpy(logits(model, tokenizer, texts)).softmax(1)
        np.save(path, probabilities.numpy())
    places = {row.number: place for place, row in enumerate(originals)}
    return probabilities[_places_of([row for rows in languages for row in rows], places)]


def _places_of(rows: Sequence[Row], places: dict[int, int]) -> list[int]:
    strangers = [row.number for row in rows if row.number not in places]
    if strangers:
        raise ValueError(f"row {strangers[0] + 1} of a translation has no original in the first language")
    return [places[row.number] for row in rows]
