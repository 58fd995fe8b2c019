"""A tensor of its own for every output of a TFLite file."""

from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema


def separate_outputs(content: bytes) -> bytes:
    """The file with a copy for each output that shares its tensor with another one, or an input.

    A stress that is the state as well is one tensor with two names for the converter. Of such
    names, LiteRT.js returns one only. The copy is a RESHAPE to the same shape, which every
    interpreter has.

    Args:
        content: a TFLite file with one signature.

    Returns:
        The file; as it was, where no output shares its tensor.
    """
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    if len(model.signatureDefs or ()) != 1:
        return content
    signature = model.signatureDefs[0]
    graph = model.subgraphs[signature.subgraphIndex]
    taken = {int(place) for place in graph.inputs}
    places: list[int] = []
    for entry in signature.outputs:
        if entry.tensorIndex in taken:
            entry.tensorIndex = _add_copy(model, graph, entry.tensorIndex)
        taken.add(entry.tensorIndex)
        places.append(entry.tensorIndex)
    if not {int(place) for place in graph.outputs} ^ set(places):
        return content
    graph.outputs = np.array(places, np.int32)
    builder = flatbuffers.Builder(len(content))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _add_copy(model: Any, graph: Any, place: int) -> int:
    """Append a RESHAPE of a tensor to its own shape; returns the place of its result."""
    source = graph.tensors[place]
    shape = np.asarray(source.shape, np.int32)
    result = _tensor(b"%s_copy" % source.name, shape, source.type)
    result.quantization = source.quantization
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(shape.tobytes(), np.uint8)
    model.buffers.append(buffer)
    sizes = _tensor(b"%s_shape" % source.name, [len(shape)], schema.TensorType.INT32)
    sizes.buffer = len(model.buffers) - 1
    graph.tensors += [result, sizes]
    operator = schema.OperatorT()
    operator.opcodeIndex = _reshape_code(model)
    operator.inputs = [place, len(graph.tensors) - 1]
    operator.outputs = [len(graph.tensors) - 2]
    operator.builtinOptionsType = schema.BuiltinOptions.ReshapeOptions
    operator.builtinOptions = schema.ReshapeOptionsT()
    operator.builtinOptions.newShape = shape
    graph.operators.append(operator)
    return operator.outputs[0]


def _tensor(name: bytes, shape: Any, kind: int) -> Any:
    tensor = schema.TensorT()
    tensor.name, tensor.shape, tensor.type, tensor.buffer = name, shape, kind, 0
    return tensor


def _reshape_code(model: Any) -> int:
    """Place of RESHAPE among the operators' codes, added where it is not there."""
    wanted = schema.BuiltinOperator.RESHAPE
    for place, code in enumerate(model.operatorCodes):
        if max(code.builtinCode, code.deprecatedBuiltinCode) == wanted:
            return place
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = wanted
    code.version = 1
    model.operatorCodes.append(code)
    return len(model.operatorCodes) - 1
