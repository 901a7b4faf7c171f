"""Stores word tables whose values have 4 bits as such, without loss."""

import numpy as np
import numpy.typing as npt
import onnx
from onnx import ModelProto, NodeProto, TensorProto, numpy_helper
from onnxruntime.quantization.matmul_nbits_quantizer import (
    DefaultWeightOnlyQuantConfig,
    MatMulNBitsQuantizer,
)

_LOWEST = -8
"""Each block's extreme value: the others are multiples of an eighth of it."""

_TOLERANCE = 1e-4
"""Of a step: float16 scales times small integers are nearly exact in float32."""

Floats = npt.NDArray[np.float32]


def keep_four_bits(model: ModelProto, block: int) -> ModelProto:
    """Returns `model` with packed tables where all of a table's blocks of `block` values have 4 bits."""
    tables = {tensor.name: tensor for tensor in model.graph.initializer}
    packed = [
        node.name
        for node in model.graph.node
        if node.op_type == "Gather"
        and node.input[0] in tables
        and has_four_bits(numpy_helper.to_array(tables[node.input[0]]), block)
    ]
    if not packed:
        return model
    config = DefaultWeightOnlyQuantConfig(
        block_size=block, is_symmetric=True, bits=4, op_types_to_quantize=("Gather",)
    )
    quantiser = MatMulNBitsQuantizer(model, nodes_to_include=packed, algo_config=config)
    quantiser.process()
    quantised: ModelProto = quantiser.model.model
    for node in list(quantised.graph.node):
        if node.op_type == "GatherBlockQuantized":
            _halve_scales(quantised, node)
    return quantised


def has_four_bits(table: npt.NDArray[np.generic], block: int) -> bool:
    """Whether each block is a scale times integers in [-8, 7], with -8 among them."""
    if table.ndim != 2 or table.shape[1] % block or table.dtype != np.float32:
        return False
    blocks: Floats = table.astype(np.float32, copy=False).reshape(-1, block)
    extremes = np.take_along_axis(blocks, np.abs(blocks).argmax(1, keepdims=True), axis=1)
    steps = np.divide(blocks, extremes / _LOWEST, out=np.zeros_like(blocks), where=extremes != 0)
    return bool(np.abs(steps - steps.round()).max() < _TOLERANCE and steps.max() < -_LOWEST)


def _halve_scales(model: ModelProto, node: NodeProto) -> None:
    """Stores the node's scales as float16, the source's type; its output is cast back to float32."""
    scales = next(tensor for tensor in model.graph.initializer if tensor.name == node.input[2])
    halves = numpy_helper.to_array(scales).astype(np.float16)
    scales.CopyFrom(numpy_helper.from_array(halves, scales.name))
    result = node.output[0]
    node.output[0] = f"{result}_float16"
    cast = onnx.helper.make_node("Cast", [node.output[0]], [result], to=TensorProto.FLOAT)
    model.graph.node.insert(list(model.graph.node).index(node) + 1, cast)
