"""Stress-history models as functions of arrays: saved models, `.keras` files, SavedModel folders.

Any model is accepted whose one input is (strain ε [-], rate ε̇ [1/s], time step Δt [s]), of shape
(batch, time, 3), and that returns stress, (batch, time, 1).
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo import manifest
from zoo.causes import cause_of
from zoo.certificate.facts import ModelFacts
from zoo.data.maxwell import Material
from zoo.data.probes import TrainedRange
from zoo.folders import find
from zoo.full_precision import without_tf32
from zoo.metrics.regression import Predictor
from zoo.models.loading import (
    BATCH_SIZE,
    load_keras_model,
    load_saved_model,
)
from zoo.provenance import require_trust

if TYPE_CHECKING:
    import keras

EXPECTED = (
    "one input (batch, time, 3): strain, rate, dt; an output `prediction` or a single output "
    "(batch, time, 1)"
)


def open_model(name: str | Path, *, trust: bool = False) -> tuple[Predictor, ModelFacts]:
    """A stress-history model as a function of arrays, and what is known of it.

    Of a folder that `zoo.export` wrote, the Keras file is opened. A SavedModel folder of anybody
    else can do whatever TensorFlow can: it is opened only if you trust it.

    Args:
        name: of a saved model, such as "hysteresis-lstm"; or a folder with `manifest.json`, a
            folder with `saved_model.pb`, or a `.keras` file.
        trust: open a folder with `saved_model.pb`.

    Returns:
        Function x (paths, time, 3) float32 -> stress (paths, time, 1) float32; name, true law,
        trained range and unit of stress as far as they are known.

    Raises:
        ValueError: in one line, if there is no such model, or its input and outputs do not fit.
    """
    path = find(name)
    if (path / manifest.NAME).is_file():
        model, entries = load_keras_model(path)
        facts = model_facts(entries, path)
        width = 3 + len(facts.covariates)
        return _checked(_keras_function(model, path, width), path, width), facts
    facts = ModelFacts(path.resolve().stem)
    if (path / "saved_model.pb").is_file():
        require_trust(path, {}, trust)
        return _checked(_saved_model_function(path, path), path), facts
    if path.is_file() and path.suffix == ".keras":
        return _checked(_keras_function(load_keras_model(path)[0], path), path), facts
    raise ValueError(
        f"{path}: no model there. Expected a folder with {manifest.NAME} or saved_model.pb, or a "
        ".keras file."
    )


def model_facts(entries: Mapping[str, Any], path: Path) -> ModelFacts:
    """Name, `material`, `trained_range` and unit of stress, as a manifest gives them.

    Args:
        entries: the manifest.
        path: of its folder, for messages.

    Raises:
        ValueError: if an entry is missing or cannot be read.
    """
    material, trained = entries.get("material"), entries.get("trained_range")
    try:
        signature = entries["signatures"]["serving_default"]
        prediction = signature["outputs"].get("prediction", {})
        unit = prediction.get("unit") or ModelFacts.unit
        features = signature.get("inputs", {}).get("x", {}).get("features") or [{}]
        loading = features[0].get("name", "strain"), features[0].get("unit", "-")
        is_strain = loading[0] in ("strain", "stretch")
        return ModelFacts(
            name=entries["name"],
            material=Material(**material) if material else None,
            trained=TrainedRange.from_entry(trained) if trained else None,
            unit=unit,
            description=entries.get("description", ""),
            loading=("strain", "-") if is_strain else loading,
            covariates=tuple(each["name"] for each in features[3:]),
            response="stress" if is_strain else prediction.get("meaning", "").split(" at ")[0],
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(
            f"{path / manifest.NAME}: expected name, signatures and, if known, material and "
            f"trained_range. Received: {type(error).__name__}: {cause_of(error)}. Export the "
            "model again."
        ) from None


def _keras_function(model: "keras.Model", path: Path, width: int = 3) -> Predictor:
    """A Keras model with one input; layers of this package open too."""
    import keras  # imported here: it takes seconds, and `model_facts` runs without it
    import tensorflow as tf

    if isinstance(model, keras.Sequential) and model.built:
        # one that was just read has no `input` and `output` until it is called
        model = keras.Model(model.inputs, model.outputs[0])
    inputs, outputs = getattr(model, "inputs", None), getattr(model, "outputs", None)
    if not inputs or not outputs:
        raise ValueError(f"{path}: the model has no fixed inputs. Expected {EXPECTED}.")
    if any(getattr(layer, "stateful", False) for layer in model.layers):
        raise ValueError(
            f"{path}: a layer is stateful, so a prediction depends on the one before. Build it "
            "with stateful=False."
        )
    _require_input(path, [tuple(each.shape) for each in inputs], width)
    is_named = isinstance(model.output, dict)
    names = list(model.output) if is_named else list(model.output_names)
    chosen = _stress_output(path, names)
    key = next(iter(model.input)) if isinstance(model.input, dict) else None

    def call(x: Any) -> Any:
        result = model(x if key is None else {key: x}, training=False)
        return result[chosen] if is_named else keras.tree.flatten(result)[names.index(chosen)]

    signature = [tf.TensorSpec((None, None, width), inputs[0].dtype)]
    return _in_batches(tf.function(call, input_signature=signature))


def _saved_model_function(folder: Path, path: Path) -> Predictor:
    """`serving_default` of a SavedModel."""
    import tensorflow as tf  # imported here: see _keras_function

    loaded = load_saved_model(folder)
    if "serving_default" not in loaded.signatures:
        raise ValueError(
            f"{path}: no signature serving_default; there are {sorted(loaded.signatures)}. "
            f"Expected {EXPECTED}."
        )
    serve = loaded.signatures["serving_default"]
    specs = serve.structured_input_signature[1]
    shapes = [() if s.shape.rank is None else tuple(s.shape) for s in specs.values()]
    _require_input(path, shapes)
    (name, spec), chosen = *specs.items(), _stress_output(path, list(serve.structured_outputs))

    def call(x: np.ndarray, loaded: Any = loaded) -> Any:  # its variables live as long as it does
        return serve(**{name: tf.cast(x, spec.dtype)})[chosen]

    return _in_batches(call)


def _require_input(path: Path, shapes: Sequence[tuple[int | None, ...]], width: int = 3) -> None:
    if len(shapes) != 1 or len(shapes[0]) != 3 or shapes[0][2] not in (None, width):
        raise ValueError(
            f"{path}: the model takes {', '.join(map(str, shapes))}. Expected {EXPECTED}."
        )
    for axis, size in zip(("batch", "time"), shapes[0], strict=False):
        if size is not None:
            raise ValueError(
                f"{path}: {axis} is fixed at {size}. Save the model with {axis} None, so that it "
                f"takes paths of any number and length; expected {EXPECTED}."
            )


def _stress_output(path: Path, names: Sequence[str]) -> str:
    """Name of the output that is the stress."""
    if "prediction" in names:
        return "prediction"
    if len(names) == 1:
        return names[0]
    raise ValueError(f"{path}: the model returns {', '.join(names)}. Expected {EXPECTED}.")


def _in_batches(run: Callable[[Any], Any]) -> Predictor:
    def predict(x: np.ndarray) -> np.ndarray:
        starts = range(0, len(x), BATCH_SIZE)
        with without_tf32():  # errors of a model are smaller than those of TF32
            parts = [np.asarray(run(x[start : start + BATCH_SIZE])) for start in starts]
        return np.concatenate(parts)

    return predict


def _checked(predict: Predictor, path: Path, width: int = 3) -> Predictor:
    """The same function, once it has returned the right shape for a small input."""
    x = np.zeros((2, 5, width), np.float32)
    x[..., 2] = 0.1
    try:
        shape = predict(x).shape
    except Exception as error:  # a graph raises whatever its ops raise
        raise ValueError(
            f"{path}: the model fails on x (2, 5, 3): {cause_of(error)}. Expected {EXPECTED}."
        ) from None
    if shape != (2, 5, 1):
        raise ValueError(
            f"{path}: for x (2, 5, 3) the model returns shape {shape}. Expected {EXPECTED}."
        )
    return predict
