"""Writes a model as one ONNX file at the requested precision."""

import logging
import tempfile
from pathlib import Path

import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic

from etbgm_sentiment.export.eight_bits import store_eight_bits
from etbgm_sentiment.export.four_bits import keep_four_bits
from etbgm_sentiment.export.heads import SevenEmotions
from etbgm_sentiment.export.types import ExportError
from etbgm_sentiment.model_folder import Precision

LARGEST_BYTES = 2**31 - 2**20
"""Maximum weights of one ONNX file: protobuf's limit less a megabyte for the graph itself."""

_MATRIX_BLOCK = 64
"""Weights of a matrix, in 8 bits, that share a scale."""

_WORD_BLOCK = 32
"""Values of a word table in 4 bits that share a scale: the block of e5's published tables."""


def write_graph(model: SevenEmotions, path: Path, precision: Precision, max_length: int) -> None:
    """Writes `model`; fp16 precision modifies it.

    Raises:
        ExportError: the model is too large, or torch cannot trace it.
    """
    if precision is Precision.FP16:
        model.logits.half()
    weights = sum(tensor.nbytes for tensor in [*model.parameters(), *model.buffers()])
    if weights > LARGEST_BYTES:
        raise ExportError(f"weights of {weights / 1e9:.1f} GB do not fit into one ONNX file (2 GB)")
    if precision is not Precision.INT8:
        _trace(model, path, max_length)
        return
    with tempfile.TemporaryDirectory() as scratch:
        exact = Path(scratch) / "exact.onnx"
        _trace(model, exact, max_length)
        _quantise(exact, path)


def _trace(model: SevenEmotions, path: Path, max_length: int) -> None:
    batch, length = torch.export.Dim("batch"), torch.export.Dim("length", max=max_length)
    # Two tensors, because torch.export treats the same object passed twice as one input.
    examples = (torch.ones(2, 8, dtype=torch.int64), torch.ones(2, 8, dtype=torch.int64))
    try:
        torch.onnx.export(
            model.eval(),
            examples,
            path,
            input_names=["input_ids", "attention_mask"],
            output_names=["probabilities"],
            dynamic_shapes={
                "input_ids": {0: batch, 1: length},
                "attention_mask": {0: batch, 1: length},
            },
            dynamo=True,
            external_data=False,
            verbose=False,
        )
    except torch.onnx.OnnxExporterError as error:
        raise ExportError("torch cannot trace this architecture for any batch and length") from error


def _quantise(exact: Path, path: Path) -> None:
    """Stores matrices in 8 bits in blocks, to be multiplied as float32, and word tables in 8 bits.

    Word tables that were quantised to 4 bits in the same blocks before keep exactly these values.

    onnxruntime's usual dynamic quantisation rounds a whole batch by one scale, so a text's
    neighbours change its probabilities (measured on our model: by 0.006 on average, 0.14 at
    most; the likeliest emotion changes for 1 text in 50).
    """
    logging.getLogger("onnxruntime.quantization.matmul_nbits_quantizer").setLevel(logging.ERROR)
    logging.getLogger().addFilter(_no_advice)
    model = onnx.load(exact)
    store_eight_bits(model, _MATRIX_BLOCK)
    model = keep_four_bits(model, _WORD_BLOCK)
    quantize_dynamic(model, path, op_types_to_quantize=["Gather"], weight_type=QuantType.QInt8)


def _no_advice(record: logging.LogRecord) -> bool:
    """Drops onnxruntime's advice to preprocess, which applies to other networks."""
    return "pre-processing before quantization" not in record.getMessage()
