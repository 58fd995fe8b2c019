"""Weights of a model by the names of its layers, in one .npz file that every backend opens."""

import zipfile
from pathlib import Path

import keras
import numpy as np

from zoo.files import writing


def save_weights(model: keras.Model, path: Path) -> None:
    """Write all weights as arrays `layer/number` of one .npz file.

    Args:
        model: whose layers have names of their own.
        path: of the file.

    Raises:
        OSError: it cannot be written.
    """
    arrays = {
        f"{layer.name}/{k}": keras.ops.convert_to_numpy(weight)
        for layer in model.layers
        for k, weight in enumerate(layer.weights)
    }
    with writing(path) as partial, open(partial, "wb") as file:
        np.savez(file, **arrays)


def read_weights(path: Path) -> dict[str, np.ndarray]:
    """Arrays of a file that `save_weights` wrote.

    Args:
        path: of the file.

    Raises:
        OSError: no such file.
        ValueError: another file.
    """
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except (ValueError, TypeError, AttributeError, EOFError, zipfile.BadZipFile):
        raise ValueError(
            f"{path}: is no file of weights, expected the .npz file that a training wrote."
        ) from None


def load_weights(model: keras.Model, path: Path) -> None:
    """Give a model the weights of a file that `save_weights` wrote.

    Args:
        model: with the same layers.
        path: of the file.

    Raises:
        OSError: no such file.
        ValueError: another file, or weights of other layers; the model is then as it was.
    """
    stored, chosen = read_weights(path), {}
    for layer in model.layers:
        own = [stored.get(f"{layer.name}/{k}") for k in range(len(layer.weights))]
        for each, weight in zip(own, layer.weights, strict=True):
            if each is None or each.shape != tuple(weight.shape):
                received = "none" if each is None else f"of shape {each.shape}"
                raise ValueError(
                    f"{path}: expected weights of shape {tuple(weight.shape)} for the layer "
                    f"{layer.name!r}, got {received}. Give a file of the same network."
                )
        chosen[layer] = own
    for layer, own in chosen.items():
        layer.set_weights(own)
