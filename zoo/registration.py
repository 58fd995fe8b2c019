"""Opens `.keras` files: importing this module registers every Keras class of this package.

A `.keras` file names classes as "zoo>Name". Files are opened with this fixed list of modules, never
with modules that a file or a manifest names; a file that names any other class than Keras' layers
and registered ones is refused before Keras reads it. Layers of sound exist on TensorFlow only.
"""

import io
import json
import math
import sys
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
from keras.src.backend.common import global_state  # not public: Keras is pinned

import zoo.cells.continuous.cfc
import zoo.cells.continuous.cornn
import zoo.cells.continuous.lmu
import zoo.cells.continuous.lru
import zoo.cells.continuous.mingru
import zoo.cells.elman
import zoo.cells.gated.gru
import zoo.cells.gated.lstm
import zoo.cells.material.bouc_wen
import zoo.cells.material.chaboche
import zoo.cells.material.covariates
import zoo.cells.material.damper
import zoo.cells.material.dynamic_prandtl
import zoo.cells.material.emsc
import zoo.cells.material.lmsc
import zoo.cells.material.maxwell
import zoo.cells.material.mullins
import zoo.cells.material.prandtl
import zoo.cells.material.prony
import zoo.cells.material.relaxation
import zoo.cells.material.solid
import zoo.cells.material.standard
import zoo.cells.material.state_space
import zoo.distillation.mixing
import zoo.recurrent.layers
import zoo.recurrent.model
import zoo.teachers.yamnet
from zoo import files
from zoo.causes import cause_of

if keras.backend.backend() == "tensorflow":
    import zoo.augment.spectrogram
    import zoo.augment.waveform
    import zoo.convnets
    import zoo.convnets.model
    import zoo.convnets.open_set
    import zoo.convnets.pooling
    import zoo.convnets.response
    import zoo.convnets.unknown_class
    import zoo.spectrogram.layers
    import zoo.spectrogram.level
    import zoo.spectrogram.normalise
    import zoo.spectrogram.prominence
    import zoo.spectrogram.reference_level
    import zoo.spectrogram.standardize
    import zoo.spectrogram.transform
    import zoo.spectrogram.trim


# no zip of less than this is too large; weights are stored, not compressed, so more is a bomb
_MIN_UNPACKED_BYTES, _MAX_EXPANSION = 64 << 20, 20
_MAX_FILE_BYTES = 1 << 31
_MEMBERS = frozenset({"config.json", "metadata.json", "model.weights.h5", "model.weights.npz"})
# Values of Keras' own that are no objects of a class.
_VALUES = frozenset({"__keras_tensor__", "__ellipsis__", "__slice__", "__numpy__", "__tensor__"})
# Layers that run what a file holds, or read files that it names.
_REFUSED_LAYERS = frozenset(
    (
        *("Lambda", "TFSMLayer", "JaxLayer", "FlaxLayer", "TorchModuleWrapper"),
        *("StringLookup", "IntegerLookup", "TextVectorization", "HashedCrossing", "Hashing"),
    )
)
_ACTIVATIONS = ("builtins", "keras.activations")
# Modules that a `.keras` file may name -> the kind of class that it may take from each.
_KINDS: dict[str, type | tuple[type, ...]] = {
    "keras": (keras.DTypePolicy, keras.Model),
    "keras.dtype_policies": keras.DTypePolicy,
    "keras.layers": keras.layers.Layer,
    "keras.initializers": keras.initializers.Initializer,
    "keras.constraints": keras.constraints.Constraint,
    "keras.regularizers": keras.regularizers.Regularizer,
    "keras.models": keras.Model,
    "keras.src.models.functional": keras.Model,
    "keras.src.models.sequential": keras.Model,
    "keras.src.ops.math": keras.Operation,
    "keras.src.ops.nn": keras.Operation,
    "keras.src.ops.numpy": keras.Operation,
}
_NAMESPACES = {
    "keras": keras,
    "keras.dtype_policies": keras.dtype_policies,
    "keras.layers": keras.layers,
    "keras.initializers": keras.initializers,
    "keras.constraints": keras.constraints,
    "keras.regularizers": keras.regularizers,
    "keras.models": keras.models,
}


def open_keras_file(path: str | Path) -> keras.Model:
    """Open a `.keras` file whose layers are Keras', of this package, or registered by you.

    Args:
        path: of the file.

    Raises:
        ValueError: in one line, as for `open_keras_content`.
    """
    path = Path(path)
    if path.stat().st_size > _MAX_FILE_BYTES:
        raise ValueError(f"{path}: expected at most {_MAX_FILE_BYTES >> 20} MiB. Is it a model?")
    return open_keras_content(path.read_bytes(), path)


def open_keras_content(content: bytes, path: str | Path) -> keras.Model:
    """Open the bytes of a `.keras` file; nothing but classes that are known here is run.

    Args:
        content: of the file; what was hashed is what is opened.
        path: of the file, for messages.

    Raises:
        ValueError: in one line, if Keras cannot open it, or it is not opened: it names a class that
            is not known, a layer that runs code or reads files, unpacks to far more than it is, or
            declares far more weights than it holds.
    """
    check_keras_content(content, path)
    _check_weights_size(content, path)
    with files.private_folder() as folder:
        copy = folder / "model.keras"
        files.write_bytes(copy, content)
        try:
            model = keras.saving.load_model(copy, compile=False, safe_mode=True)
        except Exception as error:  # Keras raises whatever its parts raise
            raise ValueError(f"{path}: Keras cannot open it: {cause_of(error)}.") from None
    model = zoo.recurrent.model.restore_recurrent(model)
    if keras.backend.backend() != "tensorflow":
        return model
    return zoo.convnets.restore_config(model)


def _without_state(config: Any) -> Any:
    """The configuration with no layer stateful."""
    if isinstance(config, dict):
        changed = {key: _without_state(value) for key, value in config.items()}
        return {**changed, "stateful": False} if "stateful" in config else changed
    return [_without_state(each) for each in config] if isinstance(config, list) else config


def _check_weights_size(content: bytes, path: str | Path) -> None:
    """Build the layers without memory for their weights, and compare these with the file.

    A layer's size stands in the configuration: a small file could ask for all memory.

    Raises:
        ValueError: in one line.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        config = json.loads(archive.read("config.json"))
    config.pop("compile_config", None)  # an optimizer is not opened
    config = _without_state(config)  # kept states would be variables made in the call
    try:
        with keras.StatelessScope(initialize_variables=False):
            model = keras.saving.deserialize_keras_object(config, safe_mode=True)
        weights = sum(math.prod(each.shape) for each in model.variables)
    except Exception as error:  # Keras raises whatever its parts raise
        raise ValueError(f"{path}: Keras cannot open it: {cause_of(error)}.") from None
    finally:  # else Keras would make the weights at the end of another scope
        global_state.set_global_attribute("uninitialized_variables", [])
    limit = max(_MIN_UNPACKED_BYTES, _MAX_EXPANSION * len(content))
    if 4 * weights > limit:
        raise ValueError(
            f"{path}: not opened: its layers have {4 * weights >> 20} MiB of weights, expected at "
            f"most {limit >> 20} MiB of a file of its size."
        )


def check_keras_content(content: bytes, path: str | Path) -> None:
    """Check a `.keras` file before Keras reads it: members, unpacked size, classes.

    Args:
        content: of the file.
        path: of the file, for messages.

    Raises:
        ValueError: in one line.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            config = b"" if _problem(members, len(content)) else archive.read("config.json")
    except (zipfile.BadZipFile, KeyError, OSError, ValueError, RuntimeError, EOFError) as error:
        raise ValueError(f"{path}: Keras cannot open it: {cause_of(error)}.") from None
    except (zlib.error, NotImplementedError) as error:
        raise ValueError(f"{path}: Keras cannot open it: {cause_of(error)}.") from None
    problem = _problem(members, len(content))
    if problem is None:
        try:
            problem = _unknown_class(json.loads(config))
        except (ValueError, RecursionError) as error:
            problem = f"config.json cannot be read ({cause_of(error)})"
    if problem is not None:
        raise ValueError(f"{path}: not opened: {problem}.")


def _problem(members: Sequence[zipfile.ZipInfo], size: int) -> str | None:
    """What is wrong with the members of a `.keras` file of that size; None: nothing."""
    names = [each.filename for each in members]
    others = sorted({name for name in names if name not in _MEMBERS or names.count(name) > 1})
    if others:
        return f"it holds {others[0]!r}, expected only {', '.join(sorted(_MEMBERS))}, each once"
    unpacked, limit = (
        sum(each.file_size for each in members),
        max(_MIN_UNPACKED_BYTES, _MAX_EXPANSION * size),
    )
    if unpacked > limit:
        return (
            f"it unpacks to {unpacked >> 20} MiB, expected at most {limit >> 20} MiB of a file of "
            "its size"
        )
    return None


def _unknown_class(config: Any) -> str | None:
    """What a Keras config names that is not opened; None: nothing."""
    if isinstance(config, dict):
        config = {name: value for name, value in config.items() if name != "compile_config"}
    nodes = [config]
    while nodes:
        node = nodes.pop()
        if isinstance(node, list):
            nodes.extend(node)
        elif isinstance(node, dict):
            nodes.extend(node.values())
            if ("class_name" in node or "registered_name" in node) and not _is_known(node):
                return _describe_unknown(node)
    return None


def _is_known(node: Mapping[str, Any]) -> bool:
    """Whether an entry of a Keras config is a value, or of a class that may be opened."""
    name, module = node.get("class_name"), node.get("module")
    registered = node.get("registered_name", name)
    if not isinstance(name, str) or name in _REFUSED_LAYERS:
        return False
    if name.startswith("__"):
        return name in _VALUES
    if name == "function":
        called = node.get("config")
        return module in _ACTIVATIONS and isinstance(called, str) and called in _activations()
    if isinstance(registered, str) and keras.saving.get_registered_object(registered):
        return registered not in _REFUSED_LAYERS
    if not isinstance(module, str) or module not in _KINDS:
        return False
    keras_class = getattr(_NAMESPACES.get(module) or sys.modules.get(module), name, None)
    return isinstance(keras_class, type) and issubclass(keras_class, _KINDS[module])


def _activations() -> list[str]:
    return [name for name in dir(keras.activations) if not name.startswith("_")]


def _describe_unknown(node: Mapping[str, Any]) -> str:
    name = node.get("registered_name") or node.get("class_name")
    class_name = node.get("class_name")
    if isinstance(class_name, str) and (
        class_name in _REFUSED_LAYERS or class_name == "__lambda__"
    ):
        return f"{class_name} can run code or read files. Build the model without it, from layers"
    shown = " ".join(repr(name).split())[:80]
    return (
        f"it names {shown} of module {str(node.get('module'))[:80]!r}, expected layers of Keras or "
        "of zoo; import the module that registers your own first"
    )
