"""Keras models -> .keras and SavedModel; what is needed to convert and calibrate TFLite files."""

import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

WEIGHTS = ("float32", "float16", "dynamic", "int8", "int16x8")
INTEGER = ("int8", "int16x8")  # need samples to calibrate on
SERVING, STEP = "serving_default", "step"
SAMPLES = 2000  # steps to calibrate on

Tensors = dict[str, tf.Tensor]


@dataclass(frozen=True)
class Format:
    """One way to run a model: a file, one of its endpoints, the precision of its weights."""

    file: str
    kind: str  # keras, saved_model, tflite
    endpoint: str
    weights: str = "float32"
    needs: tuple[str, ...] = ()  # modules to import before it opens


def tflite(endpoint: str, weights: str) -> Format:
    """`model.tflite`, `step.tflite`, `step_int8.tflite`, ..."""
    stem = {SERVING: "model", STEP: "step"}[endpoint]
    suffix = "" if weights == "float32" else f"_{weights}"
    return Format(f"{stem}{suffix}.tflite", "tflite", endpoint, weights)


def inputs_of(model: keras.Model) -> dict[str, keras.KerasTensor]:
    """Inputs by name."""
    if isinstance(model.input, dict):
        return dict(model.input)
    return {tensor.name: tensor for tensor in model.inputs}


def outputs_of(model: keras.Model) -> dict[str, keras.KerasTensor]:
    """Outputs by name; a single one goes by the name of the model's last layer."""
    if isinstance(model.output, dict):
        return dict(model.output)
    return dict(zip(model.output_names, model.outputs, strict=True))


def caller(model: keras.Model) -> Callable[[Tensors], Tensors]:
    """The model as a function of tensors by name, at inference."""

    def call(inputs: Tensors) -> Tensors:
        named = isinstance(model.input, dict)
        outputs = model(inputs if named else next(iter(inputs.values())), training=False)
        if isinstance(outputs, dict):
            return outputs
        return dict(zip(outputs_of(model), keras.tree.flatten(outputs), strict=True))

    return call


def specs(model: keras.Model, shapes: Mapping[str, Sequence[int | None]]) -> dict:
    """Signature of a model whose inputs get these shapes, or any batch where none is given."""
    return {
        name: tf.TensorSpec(shapes.get(name, (None, *each.shape[1:])), each.dtype, name=name)
        for name, each in inputs_of(model).items()
    }


def save_keras(path: Path, model: keras.Model) -> tuple[str, ...]:
    """Write `.keras` without optimizer state; return the modules that must be imported to open it.

    Keras opens its own layers by itself. Layers of anybody else must be registered before, and are
    by importing the module that defines them.
    """
    if model.compiled:
        model = bare(model)
    model.save(path)
    with zipfile.ZipFile(path) as archive:
        config = json.loads(archive.read("config.json"))

    def modules(node) -> set[str]:
        if isinstance(node, dict):
            inner = set().union(*map(modules, node.values()))
            return inner | ({node["module"]} if node.get("registered_name") else set())
        return set().union(*map(modules, node)) if isinstance(node, list) else set()

    return tuple(sorted(m for m in modules(config) if m and m.split(".")[0] != "keras"))


def save_endpoints(folder: Path, endpoints: Mapping[str, tuple[keras.Model, dict]]) -> None:
    """Write one SavedModel: endpoint name -> (model, its signature from `specs`)."""
    archive = keras.export.ExportArchive()
    for name, (model, signature) in endpoints.items():
        archive.track(model)
        archive.add_endpoint(name, caller(model), input_signature=[signature])
    archive.write_out(str(folder), verbose=False)


def bare(model: keras.Model) -> keras.Model:
    """A copy with the same weights, each layer called once."""
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    return copy


def parted(model: keras.Model, layer: str) -> tuple[keras.Model, keras.Model]:
    """Cut a model behind `layer`: front end -> `features` and its next states, and the rest.

    The states that `features` depends on go with the front end.

    Raises:
        ValueError: if there is no such layer.
    """
    model = bare(model)
    inputs, outputs = inputs_of(model), outputs_of(model)
    features = model.get_layer(layer).output
    features.name = "features"
    heard = _needed(inputs, features)
    nexts = [f"{name}_next" for name in heard if f"{name}_next" in outputs]
    front = keras.Model(
        {name: inputs.pop(name) for name in heard},
        {"features": features, **{name: outputs.pop(name) for name in nexts}},
    )
    return front, keras.Model({"features": features, **inputs}, outputs)


def _needed(inputs: Mapping[str, keras.KerasTensor], result: keras.KerasTensor) -> list[str]:
    """Names of the inputs that have a slope in the result."""
    if len(inputs) == 1:
        return list(inputs)
    values = {name: tf.zeros((1, *each.shape[1:])) for name, each in inputs.items()}
    with tf.GradientTape() as tape:
        tape.watch(values)
        answer = keras.Model(dict(inputs), result)(values)
    slopes = tape.gradient(answer, values)
    return [name for name, slope in slopes.items() if slope is not None]


def states_of(step: keras.Model) -> list[str]:
    """Names of the inputs that are fed back: those with an output `NAME_next`."""
    return [name for name in inputs_of(step) if f"{name}_next" in outputs_of(step)]


def main_input(model: keras.Model) -> str:
    """Name of the one input that is not a state."""
    states = states_of(model)
    (name,) = (name for name in inputs_of(model) if name not in states)
    return name


def visited(step: keras.Model, examples: np.ndarray, seed: int = 0) -> dict[str, np.ndarray]:
    """Inputs and states of steps that the model really takes, to calibrate integers on.

    Args:
        step: one-step model.
        examples: (paths, samples, ...) sequences of its input.
        seed: of the choice of `SAMPLES` steps.
    """
    shapes = {name: tuple(each.shape[1:]) for name, each in inputs_of(step).items()}
    main = main_input(step)
    x = examples.reshape(len(examples), -1, *shapes[main])
    run = tf.function(caller(step), input_signature=[specs(step, {})])
    states = {s: tf.zeros((len(x), *shapes[s])) for s in states_of(step)}
    seen = {name: [] for name in shapes}
    for t in range(x.shape[1]):
        now = {main: tf.constant(x[:, t]), **states}
        for name, values in now.items():
            seen[name].append(values.numpy())
        outputs = run({name: now[name] for name in shapes})
        states = {s: outputs[f"{s}_next"] for s in states}
    rows = np.random.default_rng(seed).permutation(x.shape[0] * x.shape[1])[:SAMPLES]
    return {name: np.concatenate(parts)[rows] for name, parts in seen.items()}


def multiply_accumulates(model: keras.Model, shapes: Mapping[str, Sequence[int]]) -> int:
    """Multiplications with a weight in one call, matrix products and convolutions."""
    graph = tf.function(caller(model)).get_concrete_function(specs(model, shapes)).graph
    total = 0
    for operation in graph.get_operations():
        if operation.type in ("MatMul", "BatchMatMulV2"):
            transposed = operation.type == "MatMul" and operation.get_attr("transpose_a")
            inner = operation.inputs[0].shape[-2 if transposed else -1]
        elif operation.type == "Conv2D":
            inner = np.prod(operation.inputs[1].shape[:3])
        elif operation.type == "DepthwiseConv2dNative":
            inner = np.prod(operation.inputs[1].shape[:2])
        else:
            continue
        total += int(np.prod(operation.outputs[0].shape)) * int(inner)
    return total
