"""Multiply-accumulates and memory of one call of a TFLite graph."""

from math import log2, prod

from zoo.edge.graph import Graph, Operator

# Not counted: loops and branches are known at run time only; the others have many forms.
UNCOUNTED = {
    *("WHILE", "IF", "CALL_ONCE", "CONV_3D", "CONV_3D_TRANSPOSE", "SVDF", "LSTM", "RNN"),
    *("UNIDIRECTIONAL_SEQUENCE_LSTM", "BIDIRECTIONAL_SEQUENCE_LSTM"),
    *("UNIDIRECTIONAL_SEQUENCE_RNN", "BIDIRECTIONAL_SEQUENCE_RNN"),
}
_ALIGNMENT = 16  # bytes; of tensors in TensorFlow Lite Micro's arena


COUNTED = "matrix products, convolutions and Fourier transforms, front end included"


def multiply_accumulates(graph: Graph) -> int:
    """Multiply-accumulates of one call: matrix products, convolutions, Fourier transforms.

    The one count of this package: in manifests and cards, in budgets and in headers for firmware it
    is that of the whole TFLite file, front end included; of a model with a step, of its step file.
    Normalisations, windows and activations are not counted, as is usual. A real Fourier transform
    of N samples counts as N log2 N: N / 4 log2 N butterflies of a complex product each.
    """
    return sum(_macs(graph, operator) for operator in graph.operators)


def _macs(graph: Graph, operator: Operator) -> int:
    shapes: list[tuple[int, ...]] = [
        graph.tensors[i].shape if i >= 0 else () for i in operator.inputs
    ]
    if not operator.outputs:
        return 0
    output = graph.tensors[operator.outputs[0]].shape
    match operator.name:
        case "FULLY_CONNECTED":  # weights (outputs, inputs)
            return prod(output) * shapes[1][-1]
        case "CONV_2D":  # weights (outputs, rows, columns, channels of a group)
            return prod(output) * prod(shapes[1][1:])
        case "DEPTHWISE_CONV_2D":  # weights (1, rows, columns, outputs)
            return prod(output) * prod(shapes[1][1:3])
        case "TRANSPOSE_CONV":  # output shape, weights (outputs, rows, columns, inputs), input
            return prod(shapes[2]) * prod(shapes[1][:3])
        case "BATCH_MATMUL":
            transposed = operator.options is not None and operator.options.adjX
            return prod(output) * shapes[0][-2 if transposed else -1]
        case "RFFT2D":
            length = 2 * (output[-1] - 1)
            return round(prod(output[:-1]) * length * log2(length)) if length > 1 else 0
        case _:
            return 0


def uncounted(graph: Graph) -> list[str]:
    """Operations of the graph whose multiply-accumulates are not counted."""
    return [name for name in graph.operator_names if name in UNCOUNTED]


def state_bytes(graph: Graph) -> int:
    """Bytes of the states that one step passes to the next."""
    return sum(graph.tensors[graph.inputs[name]].size for name in graph.states)


def arena_bytes(graph: Graph) -> int:
    """Bytes of inputs, outputs and intermediate tensors, memory shared over their lifetimes.

    Planned greedily, the largest tensor first, each at the lowest offset where it fits, as
    TensorFlow Lite Micro does. Its own records and the scratch memory of its kernels come on top.
    """
    offsets = arena_offsets(graph)
    return max((offset + _arena_size(graph, place) for place, offset in offsets.items()), default=0)


def arena_offsets(graph: Graph) -> dict[int, int]:
    """Place of every tensor that is no constant -> where it lies in the arena [bytes]."""
    placed: list[tuple[int, int, int, int]] = []  # offset, end, first and last operation
    lifetimes = _lifetimes(graph)
    offsets: dict[int, int] = {}
    by_size = sorted(lifetimes, key=lambda place: -graph.tensors[place].size)
    for place in by_size:
        first, last = lifetimes[place]
        size = _arena_size(graph, place)
        offset = 0
        for start, end, begins, ends in sorted(placed):
            if begins <= last and first <= ends:  # lifetimes overlap
                if offset + size <= start:
                    break
                offset = max(offset, end)
        placed.append((offset, offset + size, first, last))
        offsets[place] = offset
    return offsets


def _arena_size(graph: Graph, place: int) -> int:
    return -(-graph.tensors[place].size // _ALIGNMENT) * _ALIGNMENT


def _lifetimes(graph: Graph) -> dict[int, tuple[int, int]]:
    """Place of a tensor -> first and last operation that needs it."""
    spans: dict[int, tuple[int, int]] = {}
    end = len(graph.operators)

    def extend(place: int, when: int) -> None:
        if place >= 0 and graph.tensors[place].data is None:
            first, last = spans.get(place, (when, when))
            spans[place] = min(first, when), max(last, when)

    for place in graph.inputs.values():
        extend(place, 0)
    for when, operator in enumerate(graph.operators):
        for place in (*operator.inputs, *operator.outputs):
            extend(place, when)
    for place in graph.outputs.values():
        extend(place, end)
    return spans
