"""Keras models with recurrent layers from a `.keras` file or a saved model."""

import importlib
from pathlib import Path
from typing import Any

import keras

import zoo.recurrent  # noqa: F401  registers the layers that a file may contain
from zoo.folders import find
from zoo.manifest import verify_folder


def load_keras_model(path: str | Path) -> tuple[keras.Model, dict[str, Any]]:
    """A Keras model with its weights, and its manifest.

    A folder is verified against its manifest before anything in it is opened. Open a `.keras` file
    only from a source that you trust.

    Args:
        path: a `.keras` file, a folder that `zoo.export` wrote, or the name of a saved model.

    Returns:
        Model and manifest; an empty manifest for a `.keras` file.

    Raises:
        ValueError: if there is no such model, or the folder was changed since the export.
    """
    path = Path(path) if Path(path).suffix == ".keras" else find(path)
    if path.is_dir():
        manifest = verify_folder(path)
        for module in manifest["formats"]["model.keras"].get("needs", ()):
            importlib.import_module(module)
        return keras.saving.load_model(path / "model.keras"), manifest
    if path.suffix != ".keras" or not path.is_file():
        raise ValueError(
            f"A .keras file or a saved model was expected. Received: {path}"
            f"{'' if path.exists() else ', which does not exist'}. "
            "Write one by model.save('name.keras')."
        )
    return keras.saving.load_model(path, compile=False), {}
