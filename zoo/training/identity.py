"""What a training depends on, so that a checkpoint is continued by its own run only."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from zoo.checkpoints import hash_arrays
from zoo.training.settings import Budget, FitSettings

if TYPE_CHECKING:
    import tensorflow as tf


def describe_run(
    model: keras.Model,
    batches: Callable[[int], "tf.data.Dataset"],
    budget: Budget,
    settings: FitSettings,
) -> dict[str, Any]:
    """What a training depends on, for its checkpoint: JSON values and hashes.

    Args:
        model: compiled.
        batches: see `fit`.
        budget: epochs, steps and learning rate.
        settings: the rest; places of files do not count.
    """
    data = settings.data
    if not data:
        first = next(iter(batches(0)))
        data = hash_arrays(*(np.asarray(part) for part in keras.tree.flatten(first)))
    return {
        "budget": asdict(budget),
        "losses": _describe_losses(settings.losses),
        "loss_scale": settings.loss_scale,
        "seed": settings.seed,
        "compiled": settings.compiled,
        "keep": settings.keep,
        "model": hash_model(model),
        "data": data,
        **({} if settings.shards is None else {"shards": settings.shards}),
    }


def hash_model(model: keras.Model) -> str:
    """Hash of the layers of a model with their settings and shapes, 16 hexadecimal digits.

    Names do not count: Keras numbers layers by how many a process has made.
    """
    layers = [
        [type(layer).__name__, _config_of(layer)]
        for layer in model._flatten_layers(include_self=False)
    ]
    shapes = [[list(v.shape), str(v.dtype)] for v in model.variables]
    text = json.dumps([_without_names(layers), shapes], default=lambda value: type(value).__name__)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _config_of(layer: keras.layers.Layer) -> dict[str, Any]:
    if isinstance(layer, keras.Model):
        return {}  # its layers are listed themselves
    try:
        return layer.get_config()
    except NotImplementedError:  # of one's own, and not made to be saved
        return {}


def _without_names(values: Any) -> Any:
    if isinstance(values, dict):
        return {str(k): _without_names(v) for k, v in values.items() if k != "name"}
    if isinstance(values, list | tuple):
        return [_without_names(each) for each in values]
    return values


def _describe_losses(losses: Any) -> Any:
    if isinstance(losses, dict):
        return {name: _describe_losses(loss) for name, loss in losses.items()}
    if isinstance(losses, keras.Loss):
        return [type(losses).__name__, json.dumps(losses.get_config(), default=str)]
    return str(losses)
