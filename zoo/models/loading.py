"""A saved model as a function of named arrays: from its Keras file, SavedModel or TFLite file."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.causes import cause_of
from zoo.files import private_folder
from zoo.folders import find, list_folders
from zoo.full_precision import without_tf32
from zoo.manifest import copy_verified, read_manifest, verified_bytes, verify_folder
from zoo.provenance import require_trust

if TYPE_CHECKING:
    import keras

BATCH_SIZE = 128
KERAS_FILE, SERVING = "model.keras", "serving"

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class LoadedModel:
    """A verified saved model, opened.

    Attributes:
        folder: of the saved model.
        manifest: its manifest.
        kind: as given to `load`.
        opened: a `keras.Model`, TensorFlow's object or a LiteRT interpreter. Keep this
            `LoadedModel` as long as you use it: the variables live as long as it does.
        shapes: input name -> shape, None where any size will do.
        run: inputs by name, checked -> outputs by name.
        batch_size: rows given to `run` at once.
    """

    folder: Path
    manifest: dict[str, Any]
    kind: str
    opened: Any = field(repr=False)
    shapes: Mapping[str, Sequence[int | None]] = field(repr=False)
    run: Callable[[Arrays], Mapping[str, Any]] = field(repr=False)
    batch_size: int = field(default=BATCH_SIZE, repr=False)

    def predict(self, **inputs: Any) -> Arrays:
        """Outputs for named input arrays.

        Args:
            **inputs: name -> array with its batch axis, such as x (batch, time, 3) or waveform
                (batch, samples); names, shapes, units and meaning stand in
                `manifest["signatures"]`.

        Returns:
            Output name -> float32 array, the batch axis first.

        Raises:
            ValueError: in one line, if a name or a shape is not one that the model takes, or an
                array is not finite.
        """
        arrays = self._checked(inputs)
        rows = len(next(iter(arrays.values())))
        parts = [
            self.run({name: x[start : start + self.batch_size] for name, x in arrays.items()})
            for start in range(0, rows, self.batch_size)
        ]
        return {
            name: np.concatenate([np.asarray(part[name]) for part in parts]) for name in parts[0]
        }

    def _checked(self, inputs: Mapping[str, Any]) -> Arrays:
        if set(inputs) != set(self.shapes):
            raise ValueError(
                f"{self.folder.name} takes {', '.join(self.shapes)}. "
                f"Received: {', '.join(inputs) or 'nothing'}."
            )
        arrays = {name: np.asarray(value, np.float32) for name, value in inputs.items()}
        rows = len(next(iter(arrays.values()))) if next(iter(arrays.values())).ndim else 0
        for name, shape in self.shapes.items():
            expected = (rows, *shape[1:])
            fits = arrays[name].ndim == len(expected) and all(
                size in (None, given)
                for size, given in zip(expected, arrays[name].shape, strict=True)
            )
            if not fits or not rows:
                sizes = ", ".join(
                    "any" if size is None else str(size) for size in ("batch", *shape[1:])
                )
                raise ValueError(
                    f"`{name}` of {self.folder.name} must have shape ({sizes}). "
                    f"Received: {arrays[name].shape}."
                )
            if not np.isfinite(arrays[name]).all():
                raise ValueError(
                    f"`{name}` of {self.folder.name} must be finite: what its files make of NaN "
                    "or infinity means nothing. Received: NaN or infinity."
                )
        return arrays

    @property
    def keras(self) -> "keras.Model":
        """The Keras model.

        Raises:
            ValueError: if the model was not loaded with kind "keras".
        """
        if self.kind != "keras":
            raise ValueError(f"Load it with kind='keras'. Received: kind={self.kind!r}.")
        return self.opened

    @property
    def signatures(self) -> Mapping[str, Callable[..., Any]]:
        """TensorFlow functions of the SavedModel by name: `serving_default`, and `step` if any.

        Raises:
            ValueError: if the model was not loaded with kind "saved_model".
        """
        if self.kind != "saved_model":
            raise ValueError(f"Load it with kind='saved_model'. Received: kind={self.kind!r}.")
        return self.opened.signatures


def list_models() -> dict[str, dict[str, Any]]:
    """Name -> manifest of every saved model: `task`, `description`, `parameters`, `metrics`, ...

    They are looked for in `zoo.folders.model_roots()`.

    Raises:
        ValueError: if a manifest was changed; the text names it.
    """
    return {folder.name: read_manifest(folder) for folder in list_folders()}


def load(name: str | Path, kind: str = "keras", *, trust: bool = False) -> LoadedModel:
    """Verify a saved model and open it; the bytes that were hashed are those that are opened.

    Args:
        name: such as "scenes-tiny", or a folder; see `zoo.folders.find`.
        kind: "keras" for the Keras model; that of a recurrent model has cells of this package,
            which return every state by name. "saved_model" for TensorFlow's SavedModel. "tflite" or
            the name of a TFLite file of the folder, such as "model_int8.tflite", for LiteRT.
        trust: open a SavedModel of unknown origin, which can run any program. Those that are
            shipped or that you exported open without it.

    Raises:
        ValueError: in one line: no such model, a file that was changed, a kind that is not there, a
            SavedModel of unknown origin, a Keras file with classes that are not known.
    """
    folder = find(name)
    manifest = verify_folder(folder)
    signature = manifest["signatures"]["serving_default"]
    shapes = {name: entry["shape"] for name, entry in signature["inputs"].items()}
    if kind == "keras":
        # Imported here: a command that only lists models must not import Keras.
        from zoo.recurrent import is_plain, visible_model
        from zoo.registration import open_keras_content

        content = verified_bytes(folder, manifest, KERAS_FILE)
        model = open_keras_content(content, folder / KERAS_FILE)
        if is_plain(model):
            model = visible_model(model)
        run = _keras_function(model, list(signature["outputs"]))
        return LoadedModel(folder, manifest, kind, model, shapes, run)
    if kind == "saved_model":
        require_trust(folder, manifest, trust)
        with private_folder() as private:
            copy_verified(folder, manifest, private, below=SERVING)
            loaded = load_saved_model(private / SERVING, shown=folder / SERVING)
        serve = loaded.signatures["serving_default"]
        return LoadedModel(folder, manifest, kind, loaded, shapes, lambda inputs: serve(**inputs))
    return _load_tflite(folder, manifest, kind)


def load_keras_model(name: str | Path) -> "tuple[keras.Model, dict[str, Any]]":
    """The Keras model of a `.keras` file as it is, and its manifest, empty without a folder.

    Args:
        name: of a saved model, its folder, or a `.keras` file.

    Raises:
        ValueError: in one line: no such model, or one that was changed or cannot be opened.
    """
    path = find(name)
    # Imported here: see load.
    from zoo.registration import open_keras_content, open_keras_file

    if path.is_dir():
        manifest = verify_folder(path)
        content = verified_bytes(path, manifest, KERAS_FILE)
        return open_keras_content(content, path / KERAS_FILE), manifest
    if path.suffix != ".keras":
        raise ValueError(
            f"{path}: expected a .keras file, as model.save('name.keras') writes it, or a saved "
            "model."
        )
    return open_keras_file(path), {}


def load_saved_model(folder: str | Path, shown: str | Path | None = None) -> Any:
    """Open a SavedModel folder with TensorFlow; only open one that you trust.

    Args:
        folder: to open.
        shown: path for messages; None: `folder`.

    Raises:
        ValueError: in one line, if TensorFlow cannot open it.
    """
    import tensorflow as tf  # imported here: other kinds run without TensorFlow

    try:
        return tf.saved_model.load(str(folder))
    except Exception as error:  # TensorFlow raises whatever its parts raise
        raise ValueError(
            f"{shown or folder}: TensorFlow cannot open it: {cause_of(error)}."
        ) from None


def _keras_function(
    model: "keras.Model", outputs: Sequence[str]
) -> Callable[[Arrays], Mapping[str, Any]]:
    """The model at inference, as a function of arrays by name; a graph where TensorFlow runs it."""
    # Imported here: see load.
    import keras

    from zoo.recurrent import fused_graphs

    def call(inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        named = isinstance(model.input, dict)
        with fused_graphs():
            result = model(dict(inputs) if named else next(iter(inputs.values())), training=False)
        return result if isinstance(result, dict) else {outputs[0]: result}

    is_tensorflow = keras.backend.backend() == "tensorflow"
    if is_tensorflow:
        import tensorflow as tf  # imported here: Keras may run on JAX or torch

        call = tf.function(call, reduce_retracing=True)

    def run(inputs: Arrays) -> Mapping[str, Any]:
        tensors = {name: keras.ops.convert_to_tensor(value) for name, value in inputs.items()}
        with without_tf32() if is_tensorflow else nullcontext():  # as every other format
            return {name: keras.ops.convert_to_numpy(y) for name, y in call(tensors).items()}

    return run


def _load_tflite(folder: Path, manifest: Mapping[str, Any], kind: str) -> LoadedModel:
    file = "model.tflite" if kind == "tflite" else kind
    entry = manifest["formats"].get(file)
    if entry is None or not file.endswith(".tflite"):
        files = [name for name in manifest["formats"] if name.endswith(".tflite")]
        raise ValueError(
            f"`kind` must be 'keras', 'saved_model', 'tflite' or one of {', '.join(files)}. "
            f"Received: {kind!r}."
        )
    # Imported here: LiteRT is only needed by this kind.
    from ai_edge_litert.interpreter import Interpreter

    # From bytes: a damaged file given by name can end the process.
    interpreter = Interpreter(model_content=verified_bytes(folder, manifest, file))
    runner = interpreter.get_signature_runner(entry["endpoint"])
    shapes = {
        name: (None, *map(int, each["shape"][1:]))
        for name, each in runner.get_input_details().items()
    }

    def run(inputs: Arrays) -> Mapping[str, Any]:
        return {name: value.copy() for name, value in runner(**inputs).items()}

    return LoadedModel(folder, dict(manifest), kind, interpreter, shapes, run, batch_size=1)
