"""From a Keras step model to a program: operations on scalars, by TensorFlow's graph."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from zoo.cells.material.base import MaterialCell
from zoo.solver.program import (
    CONSTANT,
    DT,
    OLD,
    RATE,
    STRAIN,
    Elementwise,
    Product,
    Program,
    Ref,
    Total,
    require_identifiers,
)

# Operations with a translation, by TensorFlow's names.
UNARY = (
    *("Neg", "Square", "Sqrt", "Rsqrt", "Exp", "Expm1", "Log", "Log1p", "Abs", "Sign", "Tanh"),
    *("Sin", "Cos"),
    *("Sigmoid", "Softplus", "Relu", "Reciprocal", "LogicalNot", "StopGradient"),
)
BINARY = (
    *("AddV2", "BiasAdd", "Sub", "Mul", "RealDiv", "Pow", "Maximum", "Minimum"),
    *("SquaredDifference", "LogicalAnd", "LogicalOr"),
    *("Less", "LessEqual", "Greater", "GreaterEqual", "Equal"),
)
ELEMENTWISE = (*UNARY, *BINARY, "SelectV2")

# Operations that rearrange scalars, on arrays of references; constants come as arrays.
MOVES: dict[str, Callable[[Any, list[np.ndarray]], Any]] = {
    "Identity": lambda op, a: a[0],
    "OnesLike": lambda op, a: np.ones(np.shape(a[0])),
    "ZerosLike": lambda op, a: np.zeros(np.shape(a[0])),
    "Reshape": lambda op, a: a[0].reshape(op.outputs[0].shape),
    "ExpandDims": lambda op, a: a[0].reshape(op.outputs[0].shape),
    "Squeeze": lambda op, a: a[0].reshape(op.outputs[0].shape),
    "ConcatV2": lambda op, a: np.concatenate(a[:-1], axis=int(a[-1])),
    "Pack": lambda op, a: np.stack(a, axis=op.get_attr("axis")),
    "Transpose": lambda op, a: a[0].transpose(a[1].astype(int)),
    "Split": lambda op, a: np.split(a[1], op.get_attr("num_split"), axis=int(a[0])),
    "SplitV": lambda op, a: np.split(a[0], np.cumsum(a[1].astype(int))[:-1], axis=int(a[2])),
    "GatherV2": lambda op, a: np.take(a[0], a[1].astype(int), axis=int(a[2])),
    "Slice": lambda op, a: _slice(a[0], a[1].astype(int), a[2].astype(int)),
    "StridedSlice": lambda op, a: _strided_slice(op, *a),
    "Tile": lambda op, a: np.tile(a[0], a[1].astype(int).tolist()),
    "BroadcastTo": lambda op, a: np.broadcast_to(a[0], a[1].astype(int)),
}


def trace(step: keras.Model, name: str) -> Program:
    """Trace a one-step model of stress.

    Args:
        step: from `zoo.recurrent.step_model`: inputs `x` (batch, 3), strain, rate, dt, and states
            (batch, width); outputs `prediction` (batch, 1) and `STATE_next`.
        name: of the program; letters, digits and underscores.

    Raises:
        ValueError: a model of another kind, or with an operation without a translation.
    """
    if not isinstance(step.input, dict):
        raise ValueError(f"A solver needs a step model. Received: {step.name}.")
    widths = {each: tensor.shape[-1] for each, tensor in step.input.items()}
    return trace_function(lambda inputs: step(inputs, training=False), widths, name)


def trace_function(
    run: Callable[[dict[str, Any]], dict[str, Any]],
    widths: dict[str, int],
    name: str,
    constants: Mapping[str, Sequence[float]] | None = None,
) -> Program:
    """Trace any TensorFlow function of one step, such as the endpoint `step` of a SavedModel.

    Args:
        run: tensors by name, each (1, width), to outputs by name, as in `trace`.
        widths: of every input; states stand in the state vector in this order.
        name: as in `trace`.
        constants: further inputs, (1, count), that stay arguments of the program -> their values.

    Raises:
        ValueError: a bad name, other inputs, several predictions, or an operation without a
            translation.
    """
    constants = {each: tuple(map(float, values)) for each, values in (constants or {}).items()}
    require_identifiers(name, [*widths, *constants])
    if widths.get("x") != 3:
        raise ValueError(
            "A solver needs a step model with the input `x` (batch, 3): strain, rate, dt. "
            f"Received: inputs {widths}."
        )
    given = {each: len(values) for each, values in constants.items()}
    function, outputs = _frozen(run, {**widths, **given})
    graph, known = function.graph, _constants(function)
    program = Program(name, {s: width for s, width in widths.items() if s != "x"})
    program.sizes |= {STRAIN: 1, RATE: 1, DT: 1}
    arrays = {"x": _array([Ref(STRAIN, 0), Ref(RATE, 0), Ref(DT, 0)], (1, 3))}
    for state, width in program.states.items():
        program.sizes[OLD + state] = width
        arrays[state] = _array([Ref(OLD + state, k) for k in range(width)], (1, width))
    program.constants = constants
    for each, width in given.items():
        program.sizes[CONSTANT + each] = width
        arrays[each] = _array([Ref(CONSTANT + each, k) for k in range(width)], (1, width))
    values: dict[str, np.ndarray] = {}
    for operation in graph.get_operations():
        if operation.type == "NoOp":
            continue
        if operation.name in known:
            results = known[operation.name]
        elif operation.type == "Placeholder":
            results = [arrays[operation.name]]
        else:
            inputs = [values[tensor.name] for tensor in operation.inputs]
            results = _operation(program, operation, inputs)
        values |= dict(zip((t.name for t in operation.outputs), results, strict=True))
    prediction = values[outputs["prediction"]]
    if prediction.size != 1:
        raise ValueError(f"A solver needs one stress. Received: {prediction.size} predictions.")
    program.stress = prediction.item()
    for state in program.states:
        program.next_states += values[outputs[f"{state}_next"]].ravel().tolist()
    if {"energy", "dissipation"} <= outputs.keys():
        program.energy = values[outputs["energy"]].item()
        program.dissipation = values[outputs["dissipation"]].item()
    return program


def trace_law(model: keras.Model, name: str) -> Program | None:
    """Trace a model of one material cell, its constants as arguments, with energy and dissipation.

    A weight `log_NAME` becomes the positive constant NAME itself; others stay as they are.

    Args:
        model: from `zoo.recurrent.recurrent_model`.
        name: of the program; letters, digits and underscores.

    Returns:
        None for a model of another kind, or a cell whose weights are no named constants.

    Raises:
        ValueError: as `trace_function`.
    """
    layers = [layer for layer in model.layers if layer.weights]
    cell = getattr(layers[0], "cell", None) if len(layers) == 1 else None
    if not isinstance(cell, MaterialCell) or model.input.shape[-1] != 3:
        return None
    if not getattr(cell, "constants", dict)():
        return None
    weights = {weight.name.removeprefix("log_"): weight for weight in cell.weights}
    values = {each: np.ravel(keras.ops.convert_to_numpy(w)) for each, w in weights.items()}
    for each, weight in weights.items():
        values[each] = values[each].astype(float)
        if weight.name.startswith("log_"):
            values[each] = np.exp(values[each])

    def run(inputs: dict[str, Any]) -> dict[str, Any]:
        given = []
        for each, weight in weights.items():
            value = keras.ops.reshape(inputs[each], weight.shape)
            is_log = weight.name.startswith("log_")
            given.append((weight, keras.ops.log(value) if is_log else value))
        with keras.StatelessScope(state_mapping=given):
            state = cell.State(*(inputs[f"{field}_0"] for field in cell.State._fields))
            state, quantities = cell.step(inputs["x"], state)
        outputs = {"prediction": quantities[next(iter(cell.visible))]}
        energies = {"energy", "dissipation"} & quantities.keys()
        outputs |= {each: quantities[each] for each in energies}
        return outputs | {f"{field}_0_next": value for field, value in state._asdict().items()}

    widths = {"x": 3} | {f"{field}_0": cell.visible[field] for field in cell.State._fields}
    return trace_function(run, widths, name, {each: v.tolist() for each, v in values.items()})


def _frozen(run: Callable, widths: dict[str, int]) -> tuple[Any, dict[str, str]]:
    """One step of one path as a function, weights as constants; output -> tensor that holds it."""
    import tensorflow as tf  # `zoo export --help` and the writers need none
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    specs = {name: tf.TensorSpec((1, width), name=name) for name, width in widths.items()}

    def call(inputs: dict[str, Any]) -> dict[str, Any]:
        return {n: tf.identity(value, name=f"out_{n}") for n, value in run(inputs).items()}

    function = tf.function(call, autograph=False).get_concrete_function(specs)
    names = list(function.structured_outputs)
    function = convert_variables_to_constants_v2(function)
    places = {op.name.rsplit("/", 1)[-1]: op for op in function.graph.get_operations()}
    return function, {name: places[f"out_{name}"].outputs[0].name for name in names}


def _constants(function: Any) -> dict[str, list[np.ndarray]]:
    """Outputs of every operation that depends on no input, computed by TensorFlow."""
    import tensorflow as tf  # as above

    fixed: dict[str, list[Any]] = {}
    for operation in function.graph.get_operations():
        inputs = {tensor.op.name for tensor in operation.inputs}
        if operation.type not in ("Placeholder", "NoOp") and inputs <= fixed.keys():
            fixed[operation.name] = list(operation.outputs)
    # An inlined function ties its constants to its inputs by order, which means nothing here.
    definition = function.graph.as_graph_def()
    for node in definition.node:
        data = [name for name in node.input if not name.startswith("^")]
        del node.input[:]
        node.input.extend(data)
    free = tf.compat.v1.wrap_function(lambda: tf.import_graph_def(definition, name=""), [])
    fetches = [free.graph.get_tensor_by_name(t.name) for each in fixed.values() for t in each]
    values = iter(free.prune([], fetches)())
    # As Python's own numbers, so that arrays may mix them with references.
    return {
        name: [np.asarray(next(values)).astype(object) for _ in outputs]
        for name, outputs in fixed.items()
    }


def _operation(program: Program, operation: Any, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Rearrange scalars, or append an operation; one array of scalars for each output."""
    kind = operation.type
    if kind in MOVES:
        result = MOVES[kind](operation, inputs)
        return result if isinstance(result, list) else [result]
    if kind == "Cast":
        return [inputs[0]]  # truth values and counts are numbers here
    shape = tuple(operation.outputs[0].shape)
    out = f"v{len(program.steps)}"
    if kind in ELEMENTWISE:
        args = tuple(tuple(np.broadcast_to(a, shape).ravel().tolist()) for a in inputs)
        program.steps.append(Elementwise(kind, out, args))
    elif kind in ("MatMul", "BatchMatMulV2"):
        a, b = inputs
        if kind == "MatMul":
            a = a.T if operation.get_attr("transpose_a") else a
            b = b.T if operation.get_attr("transpose_b") else b
        a, b = (each.reshape(each.shape[-2:]) for each in (a, b))
        (rows, inner), columns = a.shape, b.shape[1]
        factors = tuple(a.ravel().tolist()), tuple(b.ravel().tolist())
        program.steps.append(Product(out, *factors, (rows, inner, columns)))
    elif kind in ("Sum", "Mean"):
        values, axes = inputs[0], np.atleast_1d(inputs[1]).astype(int).tolist()
        axes = [axis % values.ndim for axis in axes]
        kept = [axis for axis in range(values.ndim) if axis not in axes]
        rows = values.transpose(kept + axes).reshape(int(np.prod(shape, dtype=int)), -1)
        program.steps.append(Total(out, tuple(map(tuple, rows.tolist()))))
        if kind == "Mean":
            program.sizes[out] = len(rows)
            total = tuple(Ref(out, k) for k in range(len(rows)))
            share = (1.0 / rows.shape[1],) * len(rows)
            out = f"v{len(program.steps)}"
            program.steps.append(Elementwise("Mul", out, (total, share)))
    else:
        raise ValueError(
            f"The operation {kind} of the model has no translation to a solver yet. "
            f"There is one for: {', '.join(sorted((*ELEMENTWISE, *MOVES, 'MatMul', 'Sum')))}."
        )
    size = int(np.prod(shape, dtype=int))
    program.sizes[out] = size
    return [_array([Ref(out, k) for k in range(size)], shape)]


def _array(refs: list[Ref], shape: tuple[int, ...]) -> np.ndarray:
    array = np.empty(len(refs), dtype=object)
    array[:] = refs
    return array.reshape(shape)


def _slice(values: np.ndarray, begin: np.ndarray, size: np.ndarray) -> np.ndarray:
    ends = [n if s < 0 else b + s for b, s, n in zip(begin, size, values.shape, strict=True)]
    return values[tuple(slice(b, e) for b, e in zip(begin, ends, strict=True))]


def _strided_slice(
    operation: Any, values: np.ndarray, begin: np.ndarray, end: np.ndarray, strides: np.ndarray
) -> np.ndarray:
    """TensorFlow's slice, whose bits mark the open ends of a range."""

    def bit(mask: str, axis: int) -> bool:
        return bool(operation.get_attr(f"{mask}_mask") >> axis & 1)

    index: list[Any] = []
    for axis, (b, e, s) in enumerate(zip(begin, end, strides, strict=True)):
        if bit("ellipsis", axis):
            index.append(Ellipsis)
        elif bit("new_axis", axis):
            index.append(None)
        elif bit("shrink_axis", axis):
            index.append(int(b))
        else:
            index.append(
                slice(
                    None if bit("begin", axis) else int(b),
                    None if bit("end", axis) else int(e),
                    int(s),
                )
            )
    result = values[tuple(index)]
    return result if isinstance(result, np.ndarray) else _array([result], ())
