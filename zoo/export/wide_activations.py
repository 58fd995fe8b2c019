"""TFLite files with weights of 8 bits: what multiplies them gets 16 bits instead of 8.

A step feeds its states back, so what is rounded at the entrance of a matrix product comes back in
the next step. With activations of 8 bits a trained LSTM was 54 % off after 200 steps; the rounding
of its weights to 8 bits alone costs a hundredth of that.
"""

from collections.abc import Iterator
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

_OPERATOR, _TYPE = schema.BuiltinOperator, schema.TensorType
_EDGES = (_OPERATOR.QUANTIZE, _OPERATOR.DEQUANTIZE)
_LARGEST = 32767
_HEADROOM = 4.0  # a value may be so many times the largest one of the calibration


def widen_activations(content: bytes) -> bytes:
    """Replace the 8-bit inputs and outputs of matrix products by 16-bit ones.

    A tensor q of scale s and zero point z, s (q − z), becomes one of zero point 0 and the scale
    4 max |s (q − z)| / 32767; a bias of 32 bits one of 64 bits in the scale of its product. Weights
    stay as they are.

    Args:
        content: a TFLite file whose 8-bit activations lie between QUANTIZE, FULLY_CONNECTED and
            DEQUANTIZE only, all else being float.

    Returns:
        The file; as it was, where no activation has 8 bits.

    Raises:
        ValueError: another operation works on 8-bit activations.
    """
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    if not sum(_widen(model, graph) for graph in model.subgraphs):
        return content
    for code in model.operatorCodes:
        if _kind(code) == _OPERATOR.FULLY_CONNECTED:
            code.version = max(code.version, 7)  # the first one with 16-bit activations
        elif _kind(code) == _OPERATOR.QUANTIZE:
            code.version = max(code.version, 2)
        elif _kind(code) == _OPERATOR.DEQUANTIZE:
            code.version = max(code.version, 3)
    builder = flatbuffers.Builder(len(content))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _kind(code: Any) -> int:
    return max(code.builtinCode, code.deprecatedBuiltinCode)


def _widen(model: Any, graph: Any) -> int:
    """Widen one graph; returns the number of activations."""
    products = []
    activations: set[int] = set()
    for operator in graph.operators:
        kind = _kind(model.operatorCodes[operator.opcodeIndex])
        places = [i for i in (*operator.inputs, *operator.outputs) if i >= 0]
        small = {i for i in places if graph.tensors[i].type == _TYPE.INT8}
        if kind == _OPERATOR.FULLY_CONNECTED:
            if operator.inputs[0] in small:
                products.append(operator)
            small -= {operator.inputs[1]}
        elif small and kind not in _EDGES:
            raise ValueError(
                "its 8-bit activations meet operations that are no matrix products, whose rounding "
                "would be fed back"
            )
        activations |= small
    _check_constants(model, graph, activations)
    biases = list(_biases(model, graph, products))
    for index in activations:
        tensor = graph.tensors[index]
        tensor.type = _TYPE.INT16
        scale, zero = _scale(tensor)
        tensor.quantization.scale = [_HEADROOM * scale * max(127 - zero, 128 + zero) / _LARGEST]
        tensor.quantization.zeroPoint = [0]
    for operator, values in biases:
        _write_bias(model, graph, operator, values)
    return len(activations)


def _check_constants(model: Any, graph: Any, activations: set[int]) -> None:
    for index in activations:
        data = model.buffers[graph.tensors[index].buffer].data
        if data is not None and len(data):
            raise ValueError("one of its constants of 8 bits is no matrix of weights")


def _scale(tensor: Any) -> tuple[float, int]:
    return float(tensor.quantization.scale[0]), int(tensor.quantization.zeroPoint[0])


def _biases(model: Any, graph: Any, products: list[Any]) -> Iterator[tuple[Any, np.ndarray]]:
    """Every product with a bias, and the numbers that the bias stands for."""
    for operator in products:
        if len(operator.inputs) > 2 and operator.inputs[2] >= 0:
            bias = graph.tensors[operator.inputs[2]]
            whole = np.frombuffer(bytes(model.buffers[bias.buffer].data), np.int32)
            yield operator, whole * np.asarray(bias.quantization.scale, np.float64)


def _write_bias(model: Any, graph: Any, operator: Any, values: np.ndarray) -> None:
    source, weights, bias = (graph.tensors[i] for i in operator.inputs[:3])
    scale = float(source.quantization.scale[0]) * np.asarray(weights.quantization.scale, np.float64)
    whole = np.rint(values / scale).astype(np.int64)
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(whole.tobytes(), np.uint8)
    model.buffers.append(buffer)
    bias.buffer, bias.type = len(model.buffers) - 1, _TYPE.INT64
    bias.quantization.scale = [float(each) for each in np.atleast_1d(scale)]
    bias.quantization.zeroPoint = [0] * len(bias.quantization.scale)
