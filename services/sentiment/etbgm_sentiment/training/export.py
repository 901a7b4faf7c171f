"""One int8 ONNX graph from fine-tuned weights, and how close it is to them."""

import json
import shutil
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import Tensor, nn

from etbgm_sentiment.goemotions import Row, single_label
from etbgm_sentiment.onnx_classifier import OnnxClassifier
from etbgm_sentiment.tokens import load_tokenizer
from etbgm_sentiment.training.batches import targets
from etbgm_sentiment.training.calibrate import Calibration, calibrate
from etbgm_sentiment.training.model import EmotionModel, base_folder, load_weights
from etbgm_sentiment.training.train import logits
from etbgm_sentiment.types import Probabilities


@dataclass(frozen=True)
class Parity:
    """int8 graph against the float model: share of equal argmax, and probability differences."""

    rows: int
    same_emotion: float
    mean_difference: float
    largest_difference: float


class CalibratedModel(nn.Module):
    """The graph that is exported: token numbers to calibrated probabilities."""

    def __init__(self, model: EmotionModel, calibration: Calibration) -> None:
        super().__init__()
        self.model = model
        self.register_buffer("biases", torch.tensor(calibration.biases))
        self.temperature = calibration.temperature

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Probabilities (batch, 7)."""
        logits = self.model(input_ids, attention_mask)
        return torch.softmax((logits + self.biases) / self.temperature, -1)


def export(weights: Path, held_out: list[Row], folder: Path) -> dict[str, object]:
    """Writes a model folder: int8, calibrated on the single-label rows of `held_out` and checked there.

    Returns the calibration and the parity, which lie in model.json and parity.json too.
    """
    folder.mkdir(parents=True, exist_ok=True)
    model = load_weights(weights)
    shutil.copyfile(base_folder() / "tokenizer.json", folder / "tokenizer.json")
    rows = single_label(held_out)
    texts = [row.text for row in rows]
    raw = logits(model, load_tokenizer(folder / "tokenizer.json"), texts)
    calibration = calibrate(raw, targets(rows).argmax(1).numpy())
    _write_graph(CalibratedModel(model, calibration).eval(), folder / "model.onnx")
    facts = {"name": "minilm", "licence": "Apache-2.0", "calibration": asdict(calibration)}
    (folder / "model.json").write_text(json.dumps(facts, indent=2) + "\n")
    parity = _parity(OnnxClassifier(folder).classify(texts), calibration.probabilities(raw))
    (folder / "parity.json").write_text(json.dumps(asdict(parity), indent=2) + "\n")
    return asdict(calibration) | asdict(parity)


def _write_graph(model: CalibratedModel, path: Path) -> None:
    batch, length = torch.export.Dim("batch"), torch.export.Dim("length", max=512)
    # Two tensors: torch.export takes one object given twice for one input.
    examples = (torch.ones(2, 8, dtype=torch.int64), torch.ones(2, 8, dtype=torch.int64))
    with tempfile.TemporaryDirectory() as scratch:
        exact = Path(scratch) / "exact.onnx"
        torch.onnx.export(
            model,
            examples,
            exact,
            input_names=["input_ids", "attention_mask"],
            output_names=["probabilities"],
            dynamic_shapes={
                "input_ids": {0: batch, 1: length},
                "attention_mask": {0: batch, 1: length},
            },
            dynamo=True,
            external_data=False,
        )
        # 7-bit weights: without VNNI instructions 8-bit ones overflow and results differ by machine.
        quantize_dynamic(exact, path, weight_type=QuantType.QInt8, per_channel=True, reduce_range=True)


def _parity(int8: Probabilities, exact: npt.NDArray[np.float64]) -> Parity:
    difference = np.abs(int8 - exact)
    same = float((int8.argmax(1) == exact.argmax(1)).mean())
    return Parity(len(exact), same, float(difference.mean()), float(difference.max()))
