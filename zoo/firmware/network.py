"""Cut the network behind the front end out of a TFLite file.

TensorFlow Lite Micro has no kernel for the Fourier transform of TFLite. So the front end is written
in C, and the remaining model takes its features as input.
"""

from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from zoo.edge.graph import Graph

FEATURES = "features"
_TOLERANCE = 1e-2  # of features, in their unit


def split_network(
    content: bytes, model: Graph, inputs: dict[str, np.ndarray], features: np.ndarray
) -> bytes | None:
    """TFLite file from `features` and the states to the outputs and the next states.

    The tensor to cut at is found by its values: it is the last one that equals the features.

    Args:
        content: of the whole file.
        model: its graph.
        inputs: of a step, by name.
        features: (frames, bands) of that step, computed independently.

    Returns:
        The file; None: no tensor equals the features, or the outputs depend on the sound in another
        way, too.
    """
    place = _feature_tensor(content, model, inputs, features)
    if place is None:
        return None
    needed = {name: _needed(model, end, place) for name, end in model.outputs.items()}
    waveform = model.inputs[model.main_input]
    kept = {name: needs for name, needs in needed.items() if waveform not in needs[1]}
    if not all(name in kept for name in model.outputs if not name.endswith("_next")):
        return None
    operators = sorted(set().union(*(needs[0] for needs in kept.values())))
    ends = set().union(*(needs[1] for needs in kept.values()))
    entries = {FEATURES: place} | {n: i for n, i in model.inputs.items() if i in ends}
    return _cut(content, operators, entries, {name: model.outputs[name] for name in kept})


def _feature_tensor(
    content: bytes, model: Graph, inputs: dict[str, np.ndarray], features: np.ndarray
) -> int | None:
    """Place of the last computed tensor whose values are the features."""
    interpreter = Interpreter(
        model_content=content,
        experimental_preserve_all_tensors=True,
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    interpreter.allocate_tensors()
    for name, value in inputs.items():
        interpreter.set_tensor(model.inputs[name], value)
    interpreter.invoke()
    result = None
    for operator in model.operators:
        for place in operator.outputs:
            tensor = model.tensors[place]
            if tensor.type == "FLOAT32" and np.prod(tensor.shape) == features.size:
                value = interpreter.get_tensor(place).ravel()
                if np.allclose(value, features.ravel(), rtol=0, atol=_TOLERANCE):
                    result = place
    return result


def _needed(model: Graph, end: int, start: int) -> tuple[set[int], set[int]]:
    """Operations between two tensors, and the other inputs of the graph that these need."""
    producer = {place: k for k, op in enumerate(model.operators) for place in op.outputs}
    operators: set[int] = set()
    entries: set[int] = set()
    open_places = [end]
    while open_places:
        place = open_places.pop()
        if place == start or place < 0:
            continue
        if place in producer:
            if producer[place] not in operators:
                operators.add(producer[place])
                open_places += model.operators[producer[place]].inputs
        elif model.tensors[place].data is None:
            entries.add(place)
    return operators, entries


def _cut(
    content: bytes, operators: list[int], inputs: dict[str, int], outputs: dict[str, int]
) -> bytes:
    """File with these operations only, and with the tensors and constants that they use."""
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    graph = model.subgraphs[0]
    graph.operators = [graph.operators[k] for k in operators]
    used = set(inputs.values()) | set(outputs.values())
    for operator in graph.operators:
        used |= {int(i) for i in (*operator.inputs, *operator.outputs) if i >= 0}
    order = sorted(used)
    new_place = {old: new for new, old in enumerate(order)} | {-1: -1}
    graph.tensors = [graph.tensors[k] for k in order]
    for operator in graph.operators:
        operator.inputs = [new_place[int(i)] for i in operator.inputs]
        operator.outputs = [new_place[int(i)] for i in operator.outputs]
    buffers = [schema.BufferT()]  # by convention the first one is empty
    for tensor in graph.tensors:
        if model.buffers[tensor.buffer].data is None:
            tensor.buffer = 0
        else:
            buffers.append(model.buffers[tensor.buffer])
            tensor.buffer = len(buffers) - 1
    model.buffers, model.metadata, model.metadataBuffer = buffers, None, None
    graph.inputs = [new_place[place] for place in inputs.values()]
    graph.outputs = [new_place[place] for place in outputs.values()]
    signature = model.signatureDefs[0]
    signature.inputs = [_entry(name, new_place[place]) for name, place in inputs.items()]
    signature.outputs = [_entry(name, new_place[place]) for name, place in outputs.items()]
    builder = flatbuffers.Builder(len(content))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _entry(name: str, place: int) -> Any:
    entry = schema.TensorMapT()
    entry.name, entry.tensorIndex = name.encode(), place
    return entry
