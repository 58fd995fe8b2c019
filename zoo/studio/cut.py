"""A classifier of clips cut behind its front end, so that a page can occlude its spectrogram."""

from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

LAYER = "standardize"  # the last layer of the front end, in the names of its tensors
FEATURES, LEVEL, FRAMES = "features", "level", "frames"


def cut_behind_front_end(content: bytes) -> tuple[bytes, bytes] | None:
    """The front end of a model and the network behind it, each as a file of its own.

    The first returns `features`, the spectrogram after trimming and standardization, and `level`,
    the one before (1, frames, bands, 1); where frames were trimmed, also `frames` (1, frames): the
    one of `level` that each row of `features` is a copy of. The second goes from `features` to the
    outputs of the model.

    Args:
        content: a TFLite file with one graph and one signature.

    Returns:
        Both files; None where there is no such front end.
    """
    front = schema.ModelT.InitFromPackedBuf(content, 0)
    if len(front.subgraphs) != 1 or len(front.signatureDefs or ()) != 1:
        return None
    places = _places(front)
    if places is None:
        return None
    network = schema.ModelT.InitFromPackedBuf(content, 0)
    signature = front.signatureDefs[0]
    inputs, outputs = (
        {each.name.decode(): int(each.tensorIndex) for each in entries}
        for entries in (signature.inputs, signature.outputs)
    )
    _keep(front, inputs, places)
    if not _keep(network, {FEATURES: places[FEATURES]}, outputs):
        return None
    return _packed(front), _packed(network)


def _places(model: Any) -> dict[str, int] | None:
    """Tensors of the outputs that are added."""
    graph = model.subgraphs[0]
    maker = {int(out): each for each in graph.operators for out in each.outputs}
    outputs = [place for place in maker if LAYER in graph.tensors[place].name.decode()]
    if not outputs:
        return None
    features = level = max(outputs)
    while level in maker and LAYER in graph.tensors[level].name.decode():
        level = int(maker[level].inputs[0])
    trim = maker.get(level)
    if trim is None or _kind(model, trim) != schema.BuiltinOperator.GATHER:
        return {FEATURES: features, LEVEL: level}
    return {FEATURES: features, LEVEL: int(trim.inputs[0]), FRAMES: int(trim.inputs[1])}


def _keep(model: Any, inputs: dict[str, int], outputs: dict[str, int]) -> bool:
    """Leave only what computes these outputs from these inputs; whether that is possible."""
    graph, signature = model.subgraphs[0], model.signatureDefs[0]
    needed, operators = set(outputs.values()), []
    for each in reversed(graph.operators):
        made = {int(out) for out in each.outputs}
        if needed & made and not made & set(inputs.values()):
            operators.append(each)
            needed |= made | {int(place) for place in each.inputs if place >= 0}
    made = {int(out) for each in operators for out in each.outputs}
    constants = needed - made - set(inputs.values())
    if any(model.buffers[graph.tensors[place].buffer].data is None for place in constants):
        return False  # it needs another input
    kept = sorted(needed | set(inputs.values()))
    new = {old: k for k, old in enumerate(kept)} | {-1: -1}
    for each in operators:
        each.inputs = np.array([new[int(place)] for place in each.inputs], np.int32)
        each.outputs = np.array([new[int(place)] for place in each.outputs], np.int32)
    graph.operators = operators[::-1]
    graph.tensors = [graph.tensors[place] for place in kept]
    graph.inputs = np.array([new[place] for place in inputs.values()], np.int32)
    graph.outputs = np.array([new[place] for place in outputs.values()], np.int32)
    signature.inputs = [_entry(name, new[place]) for name, place in inputs.items()]
    signature.outputs = [_entry(name, new[place]) for name, place in outputs.items()]
    used = {each.buffer for each in graph.tensors}
    for k, buffer in enumerate(model.buffers):
        if k not in used:
            buffer.data = None
    model.metadata = None  # of the converter, in buffers that are gone
    return True


def _entry(name: str, place: int) -> Any:
    entry = schema.TensorMapT()
    entry.name, entry.tensorIndex = name, place
    return entry


def _kind(model: Any, operator: Any) -> int:
    code = model.operatorCodes[operator.opcodeIndex]
    return max(code.builtinCode, code.deprecatedBuiltinCode)


def _packed(model: Any) -> bytes:
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())
