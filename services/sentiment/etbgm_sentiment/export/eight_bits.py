"""Stores a graph's matrices with 8 bits a weight; onnxruntime makes them float32 again when it loads them."""

from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

_HIGHEST = 127

Floats = npt.NDArray[np.float32]


def store_eight_bits(model: ModelProto, block: int) -> None:
    """Replaces each constant matrix of a MatMul: every `block` inputs of an output share a float16 scale.

    The nodes that multiply weights and scales have constant inputs, so onnxruntime runs them
    once, when it loads the graph. Products are those of float32 at its speed: the kernels for
    8-bit weights with inputs rounded per token (MatMulNBits) take 1.6 times as long where a
    processor has AVX2 alone.
    """
    tables = {tensor.name: tensor for tensor in model.graph.initializer}
    nodes: list[NodeProto] = []
    for name in dict.fromkeys(node.input[1] for node in model.graph.node if node.op_type == "MatMul"):
        if name in tables and len(tables[name].dims) == 2 and tables[name].dims[0] % block == 0:
            nodes += _stored(model, tables[name], block)
    for place, node in enumerate(nodes):
        model.graph.node.insert(place, node)


def _stored(model: ModelProto, matrix: TensorProto, block: int) -> list[NodeProto]:
    """Replaces `matrix` by its weights, scales and shape; returns the nodes that make it again."""
    values = numpy_helper.to_array(matrix).astype(np.float32)
    weights, scales = _rounded(values.reshape(-1, block, values.shape[1]))
    name = matrix.name
    parts: dict[str, npt.NDArray[Any]] = {"weights": weights, "scales": scales}
    parts["shape"] = np.array(values.shape)
    model.graph.initializer.remove(matrix)
    model.graph.initializer.extend(
        numpy_helper.from_array(part, f"{name}.{key}") for key, part in parts.items()
    )
    return [
        helper.make_node("Cast", [f"{name}.weights"], [f"{name}.floats"], to=TensorProto.FLOAT),
        helper.make_node("Cast", [f"{name}.scales"], [f"{name}.steps"], to=TensorProto.FLOAT),
        helper.make_node("Mul", [f"{name}.floats", f"{name}.steps"], [f"{name}.blocks"]),
        helper.make_node("Reshape", [f"{name}.blocks", f"{name}.shape"], [name]),
    ]


def _rounded(blocks: Floats) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float16]]:
    """Integers in [-127, 127] and the scale of each block, (blocks, block, n) and (blocks, 1, n)."""
    highest: Floats = np.abs(blocks).max(1, keepdims=True)
    scales = np.maximum(highest / _HIGHEST, np.finfo(np.float16).smallest_normal).astype(np.float16)
    weights = np.rint(blocks / scales.astype(np.float32))
    return np.clip(weights, -_HIGHEST, _HIGHEST).astype(np.int8), scales
