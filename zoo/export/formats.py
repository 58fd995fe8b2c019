"""Keras models -> .keras and SavedModel; what is needed to convert and calibrate TFLite files."""

import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

import zoo.registration

WEIGHTS = ("float32", "float16", "dynamic", "int8", "int16x8")
INTEGER = ("int8", "int16x8")  # need inputs to calibrate on
SERVING, STEP = "serving_default", "step"
CALIBRATION_STEPS = 2000

Tensors = dict[str, tf.Tensor]
Shapes = Mapping[str, Sequence[int | None]]


@dataclass(frozen=True)
class Format:
    """One way to run a saved model.

    Attributes:
        file: name in its folder.
        kind: "keras", "saved_model" or "tflite".
        endpoint: signature of the file.
        weights: precision, one of `WEIGHTS`.
        needs: modules that must be imported before the file opens.
    """

    file: str
    kind: str
    endpoint: str
    weights: str = "float32"
    needs: tuple[str, ...] = ()


def tflite_format(endpoint: str, weights: str) -> Format:
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
    """Outputs by name; a single one has the name of the model's last layer."""
    if isinstance(model.output, dict):
        return dict(model.output)
    return dict(zip(model.output_names, model.outputs, strict=True))


def make_caller(model: keras.Model) -> Callable[[Tensors], Tensors]:
    """The model as a function of tensors by name, at inference."""

    def call(inputs: Tensors) -> Tensors:
        is_named = isinstance(model.input, dict)
        outputs = model(inputs if is_named else next(iter(inputs.values())), training=False)
        if isinstance(outputs, dict):
            return outputs
        return dict(zip(outputs_of(model), keras.tree.flatten(outputs), strict=True))

    return call


def input_specs(model: keras.Model, shapes: Shapes) -> dict[str, tf.TensorSpec]:
    """Signature of a model whose inputs get these shapes, or any batch where none is given."""
    return {
        name: tf.TensorSpec(shapes.get(name, (None, *each.shape[1:])), each.dtype, name=name)
        for name, each in inputs_of(model).items()
    }


def one_row(model: keras.Model) -> dict[str, tuple[int | None, ...]]:
    """Shapes of the inputs with a batch of one."""
    return {name: (1, *each.shape[1:]) for name, each in inputs_of(model).items()}


def save_keras(path: Path, model: keras.Model) -> tuple[str, ...]:
    """Write `.keras` without optimizer state; return the modules that must be imported to open it.

    Keras opens its own layers by itself. All classes of this package are registered by
    `zoo.registration`; layers of anybody else by the module that defines them.
    """
    if model.compiled:
        model = copy_model(model)
    model.save(path)
    with zipfile.ZipFile(path) as archive:
        config = json.loads(archive.read("config.json"))
    modules = sorted(module for module in _modules(config) if module.split(".")[0] != "keras")
    names = [zoo.registration.__name__ if m.split(".")[0] == "zoo" else m for m in modules]
    return tuple(dict.fromkeys(names))


def _modules(node: Any) -> set[str]:
    """Modules of the registered classes in a Keras config."""
    if isinstance(node, dict):
        inner: set[str] = set().union(*map(_modules, node.values()))
        return inner | ({node["module"]} if node.get("registered_name") else set()) - {None}
    return set().union(*map(_modules, node)) if isinstance(node, list) else set()


def save_endpoints(folder: Path, endpoints: Mapping[str, tuple[keras.Model, dict]]) -> None:
    """Write one SavedModel: endpoint name -> (model, its signature from `input_specs`).

    Raises:
        OSError: if TensorFlow cannot write it, such as to a full disk.
    """
    archive = keras.export.ExportArchive()
    for name, (model, signature) in endpoints.items():
        archive.track(model)
        archive.add_endpoint(name, make_caller(model), input_signature=[signature])
    try:
        archive.write_out(str(folder), verbose=False)
    except tf.errors.OpError as error:
        raise OSError(f"{folder}: cannot be written: {' '.join(str(error).split())}") from None


def copy_model(model: keras.Model) -> keras.Model:
    """A copy with the same weights, not compiled, each layer called once."""
    # not clone_model: it drops what a ConvNetModel carries
    copy = type(model).from_config(model.get_config())
    copy.set_weights(model.get_weights())
    return copy


def split_model(model: keras.Model, layer: str) -> tuple[keras.Model, keras.Model]:
    """Split a model behind a layer: front end -> `features` and its next states, and the rest.

    The states that `features` depends on belong to the front end.

    Args:
        model: with inputs and outputs by name.
        layer: name of the last layer of the front end.

    Raises:
        ValueError: if there is no such layer.
    """
    model = copy_model(model)
    inputs, outputs = inputs_of(model), outputs_of(model)
    features = model.get_layer(layer).output
    features.name = "features"
    front_inputs = _inputs_needed(inputs, features)
    nexts = [f"{name}_next" for name in front_inputs if f"{name}_next" in outputs]
    front = keras.Model(
        {name: inputs.pop(name) for name in front_inputs},
        {"features": features, **{name: outputs.pop(name) for name in nexts}},
    )
    return front, keras.Model({"features": features, **inputs}, outputs)


def _inputs_needed(inputs: Mapping[str, keras.KerasTensor], result: keras.KerasTensor) -> list[str]:
    """Names of the inputs that the result has a gradient with respect to."""
    if len(inputs) == 1:
        return list(inputs)
    values = {name: tf.zeros((1, *each.shape[1:])) for name, each in inputs.items()}
    with tf.GradientTape() as tape:
        tape.watch(values)
        output = keras.Model(dict(inputs), result)(values)
    gradients = tape.gradient(output, values)
    return [name for name, gradient in gradients.items() if gradient is not None]


def states_of(step: keras.Model) -> list[str]:
    """Names of the inputs that are fed back: those with an output `NAME_next`."""
    return [name for name in inputs_of(step) if f"{name}_next" in outputs_of(step)]


def main_input(model: keras.Model) -> str:
    """Name of the one input that is not a state."""
    states = states_of(model)
    (name,) = (name for name in inputs_of(model) if name not in states)
    return name


def visited_states(step: keras.Model, examples: np.ndarray, seed: int = 0) -> dict[str, np.ndarray]:
    """Inputs and states of steps on the trajectories of a step model, to calibrate integers on.

    Args:
        step: one-step model.
        examples: (paths, samples, ...) sequences of its input.
        seed: of the choice of `CALIBRATION_STEPS` steps.

    Returns:
        Input name -> (steps, ...).
    """
    shapes = {name: tuple(each.shape[1:]) for name, each in inputs_of(step).items()}
    main = main_input(step)
    x = examples.reshape(len(examples), -1, *shapes[main])
    run = tf.function(make_caller(step), input_signature=[input_specs(step, {})])
    states = {s: tf.zeros((len(x), *shapes[s])) for s in states_of(step)}
    values: dict[str, list[np.ndarray]] = {name: [] for name in shapes}
    for t in range(x.shape[1]):
        now = {main: tf.constant(x[:, t]), **states}
        for name, value in now.items():
            values[name].append(value.numpy())
        outputs = run({name: now[name] for name in shapes})
        states = {s: outputs[f"{s}_next"] for s in states}
    rows = np.random.default_rng(seed).permutation(x.shape[0] * x.shape[1])[:CALIBRATION_STEPS]
    return {name: np.concatenate(parts)[rows] for name, parts in values.items()}
