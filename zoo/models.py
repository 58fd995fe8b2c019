"""Any stress model as a function of arrays: a saved model, a `.keras` file, a SavedModel folder."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from zoo.data.maxwell import Material
    from zoo.data.probes import TrainedRange

BATCH = 128
EXPECTED = (
    "one input (batch, time, 3): stretch, rate, dt; an output `prediction` or a single output "
    "(batch, time, 1)"
)
Predict = Callable[["np.ndarray"], "np.ndarray"]


@dataclass(frozen=True)
class Facts:
    """What is known of a model that was opened.

    Attributes:
        name: for the page.
        material: the true law; None where nobody knows it.
        trained: range it was trained on; None where nobody wrote it down.
        unit: of stress.
        description: a sentence, or nothing.
    """

    name: str
    material: "Material | None" = None
    trained: "TrainedRange | None" = None
    unit: str = "MPa"
    description: str = ""


def open_model(path: Path) -> tuple[Predict, Facts]:
    """A model as a function of arrays, and what is known of it.

    Only a folder that `zoo.export` wrote can be verified before it is opened. Open other files only
    if you trust where they came from: a SavedModel can do whatever TensorFlow can.

    Args:
        path: a folder with `manifest.json`, a folder with `saved_model.pb`, or a `.keras` file.

    Returns:
        (paths, time, 3) float32 -> (paths, time, 1) float32; facts.

    Raises:
        ValueError: in one line, if there is no such model, or its input and outputs do not fit.
    """
    path = Path(path)
    if (path / "manifest.json").is_file():
        from zoo.manifest import verify_folder

        manifest = verify_folder(path)
        facts = facts_of(manifest, path)
        return _checked(_served(path / "serving", path), path), facts
    facts = Facts(path.resolve().stem)
    if (path / "saved_model.pb").is_file():
        return _checked(_served(path, path), path), facts
    if path.is_file() and path.suffix == ".keras":
        return _checked(_keras(path), path), facts
    raise ValueError(
        f"{path}: no model there. Expected a folder with manifest.json or saved_model.pb, or a "
        ".keras file."
    )


def facts_of(manifest: dict[str, Any], path: Path) -> Facts:
    """What a manifest says: name, `material`, `trained_range`, unit of stress."""
    from zoo.data.maxwell import Material
    from zoo.data.probes import TrainedRange

    material, trained = manifest.get("material"), manifest.get("trained_range")
    try:
        outputs = manifest["signatures"]["serving_default"]["outputs"]
        unit = outputs.get("prediction", {}).get("unit") or Facts.unit
        return Facts(
            name=manifest["name"],
            material=Material(**material) if material else None,
            trained=TrainedRange.from_entry(trained) if trained else None,
            unit=unit,
            description=manifest.get("description", ""),
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(
            f"{path / 'manifest.json'}: expected name, signatures and, if known, material and "
            f"trained_range. Received: {type(error).__name__}: {_first_line(error)}. Export the "
            "model again."
        ) from None


def _keras(path: Path) -> Predict:
    """A `.keras` file; layers of this package open too."""
    import keras
    import tensorflow as tf

    import zoo.recurrent  # noqa: F401  registers layers

    try:
        model = keras.saving.load_model(path, compile=False)
    except Exception as error:  # Keras raises whatever its parts raise
        raise ValueError(f"{path}: Keras cannot open it: {_first_line(error)}") from None
    if isinstance(model, keras.Sequential) and model.built:
        # one that was just read has no `input` and `output` until it is called
        model = keras.Model(model.inputs, model.outputs[0])
    inputs, outputs = getattr(model, "inputs", None), getattr(model, "outputs", None)
    if not inputs or not outputs:
        raise ValueError(f"{path}: the model has no fixed inputs. Expected {EXPECTED}.")
    if any(getattr(layer, "stateful", False) for layer in model.layers):
        raise ValueError(
            f"{path}: a layer is stateful, so an answer depends on the one before. Build it with "
            "stateful=False."
        )
    _require_input(path, [tuple(each.shape) for each in inputs])
    named = isinstance(model.output, dict)
    names = list(model.output) if named else list(model.output_names)
    chosen = _chosen(path, names)
    key = next(iter(model.input)) if isinstance(model.input, dict) else None

    def call(x):
        answer = model(x if key is None else {key: x}, training=False)
        return answer[chosen] if named else keras.tree.flatten(answer)[names.index(chosen)]

    signature = [tf.TensorSpec((None, None, 3), inputs[0].dtype)]
    return _batched(tf.function(call, input_signature=signature))


def _served(folder: Path, path: Path) -> Predict:
    """`serving_default` of a SavedModel."""
    import tensorflow as tf

    try:
        loaded = tf.saved_model.load(str(folder))
    except Exception as error:  # TensorFlow raises whatever its parts raise
        raise ValueError(f"{path}: TensorFlow cannot open it: {_first_line(error)}") from None
    if "serving_default" not in loaded.signatures:
        raise ValueError(
            f"{path}: no signature serving_default; there are {sorted(loaded.signatures)}. "
            f"Expected {EXPECTED}."
        )
    serve = loaded.signatures["serving_default"]
    specs = serve.structured_input_signature[1]
    shapes = [() if s.shape.rank is None else tuple(s.shape) for s in specs.values()]
    _require_input(path, shapes)
    (name, spec), chosen = *specs.items(), _chosen(path, list(serve.structured_outputs))

    def call(x):
        return serve(**{name: tf.cast(x, spec.dtype)})[chosen]

    predict = _batched(call)
    predict.loaded = loaded  # its variables live as long as it does
    return predict


def _require_input(path: Path, shapes: Sequence[tuple[int | None, ...]]) -> None:
    if len(shapes) != 1 or len(shapes[0]) != 3 or shapes[0][2] not in (None, 3):
        raise ValueError(
            f"{path}: the model takes {', '.join(map(str, shapes))}. Expected {EXPECTED}."
        )
    for what, size in zip(("batch", "time"), shapes[0], strict=False):
        if size is not None:
            raise ValueError(
                f"{path}: {what} is fixed at {size}. Save the model with {what} None, so that it "
                f"takes paths of any number and length; expected {EXPECTED}."
            )


def _chosen(path: Path, names: Sequence[str]) -> str:
    """The output that is the stress."""
    if "prediction" in names:
        return "prediction"
    if len(names) == 1:
        return names[0]
    raise ValueError(f"{path}: the model returns {', '.join(names)}. Expected {EXPECTED}.")


def _batched(run: Callable) -> Predict:
    import numpy as np

    def predict(x: "np.ndarray") -> "np.ndarray":
        parts = [np.asarray(run(x[start : start + BATCH])) for start in range(0, len(x), BATCH)]
        return np.concatenate(parts)

    return predict


def _checked(predict: Predict, path: Path) -> Predict:
    """The same function, if it answers one small question as it should."""
    import numpy as np

    x = np.zeros((2, 5, 3), np.float32)
    x[..., 2] = 0.1
    try:
        shape = predict(x).shape
    except Exception as error:  # a graph raises whatever its ops raise
        raise ValueError(
            f"{path}: the model fails on x (2, 5, 3): {_first_line(error)}. Expected {EXPECTED}."
        ) from None
    if shape != (2, 5, 1):
        raise ValueError(
            f"{path}: the model answers x (2, 5, 3) with {shape}. Expected {EXPECTED}."
        )
    return predict


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
