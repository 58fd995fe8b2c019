"""Gates of a recurrent network as further outputs of its step in a TFLite file."""

from collections.abc import Iterator
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

LSTM_GATES = ("input_gate", "forget_gate", "candidate", "output_gate")  # Keras' order in a kernel
GRU_GATES = ("update_gate", "reset_gate", "candidate")


def with_gates(content: bytes) -> bytes:
    """The file with an output for each gate of each layer, such as `forget_gate_0`.

    A gate is what the sigmoid, or for the candidate the tanh, makes of one part of a layer's
    pre-activations, which a SPLIT takes apart in Keras' order. The step computes it anyway, so
    nothing else of the file changes.

    Args:
        content: a TFLite file with one graph and one signature.

    Returns:
        The file; as it was, where no layer has gates.
    """
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    gates = list(_gates(model))
    if not gates:
        return content
    graph, signature = model.subgraphs[0], model.signatureDefs[0]
    graph.outputs = np.append(graph.outputs, [place for _, place in gates]).astype(np.int32)
    for name, place in gates:
        entry = schema.TensorMapT()
        entry.name, entry.tensorIndex = name, place
        signature.outputs.append(entry)
    builder = flatbuffers.Builder(len(content))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _gates(model: Any) -> Iterator[tuple[str, int]]:
    """Name and tensor of each gate, layer by layer."""
    if len(model.subgraphs) != 1 or len(model.signatureDefs or ()) != 1:
        return
    operators = model.subgraphs[0].operators
    kinds = [_kind(model, each) for each in operators]
    maker = {int(out): k for k, each in enumerate(operators) for out in each.outputs}
    layers: list[dict[int, int]] = []  # of each layer: part of the pre-activations -> gate
    layer_of: dict[int, int] = {}  # SPLIT -> layer
    for k, operator in enumerate(operators):
        if kinds[k] not in (schema.BuiltinOperator.LOGISTIC, schema.BuiltinOperator.TANH):
            continue
        split, part = _part(operators, kinds, maker, int(operator.inputs[0]))
        if split is None:
            continue
        if split not in layer_of:
            layer_of[split] = len(layers)
            layers.append({})
        layers[layer_of[split]][part] = int(operator.outputs[0])
    for layer, parts in enumerate(layers):
        names = {4: LSTM_GATES, 3: GRU_GATES}.get(len(parts))
        if names:
            yield from ((f"{name}_{layer}", parts[k]) for k, name in enumerate(names))


def _kind(model: Any, operator: Any) -> int:
    code = model.operatorCodes[operator.opcodeIndex]
    return max(code.builtinCode, code.deprecatedBuiltinCode)


def _part(
    operators: Any, kinds: list[int], maker: dict[int, int], tensor: int
) -> tuple[int | None, int]:
    """The SPLIT that a tensor comes from, itself or as the first term of a sum; which part."""
    at = maker.get(tensor)
    if at is not None and kinds[at] == schema.BuiltinOperator.ADD:
        tensor = int(operators[at].inputs[0])  # GRU: input's part + state's part
        at = maker.get(tensor)
    if at is None or kinds[at] != schema.BuiltinOperator.SPLIT:
        return None, 0
    return at, [int(each) for each in operators[at].outputs].index(tensor)
