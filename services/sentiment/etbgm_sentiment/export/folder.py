"""Writes model folders."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from etbgm_sentiment.export.graph import write_graph
from etbgm_sentiment.export.parity import SENTENCES, Parity, compare
from etbgm_sentiment.export.types import Exportable, ExportError
from etbgm_sentiment.model_folder import GRAPH, PARITY, TOKENIZER, write_facts
from etbgm_sentiment.onnx_classifier import OnnxClassifier


def write_folder(model: Exportable, folder: Path, sentences: Sequence[str] = SENTENCES) -> Parity:
    """Writes the model to `folder` for the server, and compares both on `sentences`.

    The parity is also written to parity.json. The graph runs on this machine's CPU.

    Raises:
        ExportError: the model is too large, cannot be traced, or returns non-finite numbers at its precision.
        BrokenModel: the written model does not return probabilities.
    """
    folder.mkdir(parents=True, exist_ok=True)
    reference = model.reference(sentences)
    model.tokenizer.save(str(folder / TOKENIZER), pretty=False)
    write_facts(folder, model.facts)
    write_graph(model.model, folder / GRAPH, model.facts.precision, model.facts.max_length)
    probabilities = OnnxClassifier(folder).classify(sentences)
    if not np.isfinite(probabilities).all():
        raise ExportError(f"{model.facts.precision} is too coarse for this model: it gives no numbers")
    parity = compare(probabilities, reference)
    (folder / PARITY).write_text(json.dumps(asdict(parity), indent=2) + "\n")
    return parity
