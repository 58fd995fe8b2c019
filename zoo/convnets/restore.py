"""Files saved before version 0.2: their models carry no config, only the name of a network."""

from typing import Any

import keras

from zoo.convnets.blocks import network_layers
from zoo.convnets.config import NETWORKS
from zoo.convnets.model import ConvNetModel, Task
from zoo.names import RENAMED
from zoo.spectrogram import Standardize

# Settings that may differ between equal networks: how an LSTM is computed, the names of its cell.
_IGNORED = ("cell", "dtype", "fused")
_TASKS: dict[str, Task] = {"softmax": "multiclass", "sigmoid": "multilabel", "linear": "regression"}


def restore_config(model: keras.Model) -> keras.Model:
    """Give a model from an old file the config of the shipped network that it is.

    A model that has the name of a network in `NETWORKS`, or an earlier name of it, and the same
    layers throughout, becomes a `ConvNetModel` of the present name, on the same layers. Any other
    model is returned as it is.

    Args:
        model: from `keras.saving.load_model`.
    """
    name = RENAMED.get(model.name, model.name)
    config = NETWORKS.get(str(name))
    if isinstance(model, ConvNetModel) or config is None or not isinstance(model.output, dict):
        return model
    behind = next((n for n, each in enumerate(model.layers) if isinstance(each, Standardize)), 0)
    first, last = model.layers[behind], model.layers[-1]
    activation = keras.activations.serialize(getattr(last, "activation", None))
    task = _TASKS.get(str(activation))
    if task is None:
        return model
    x = keras.Input(first.output.shape[1:])
    try:
        expected = keras.Model(x, network_layers(config, x, last.output.shape[-1], task))
    except ValueError:  # its input does not suit that network
        return model
    layers = zip(expected.layers[1:], model.layers[behind + 1 :], strict=False)
    same_count = len(expected.layers) == len(model.layers) - behind
    if not same_count or any(_settings(a) != _settings(b) for a, b in layers):
        return model
    front = [layer.name for layer in model.layers[1 : behind + 1]]
    restored = ConvNetModel(inputs=model.input, outputs=model.output, name=name)
    return restored.carry(config, task, front)


def _settings(layer: keras.layers.Layer) -> tuple[Any, ...]:
    config = {key: value for key, value in layer.get_config().items() if key not in _IGNORED}
    return type(layer), config, [tuple(weight.shape) for weight in layer.weights]
