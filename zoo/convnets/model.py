"""What a convolutional model carries: its config, its task, its front end."""

from collections.abc import Iterable
from typing import Any, Literal, get_args

import keras

from zoo.convnets.config import ConvNet
from zoo.convnets.pooling import TimeQuantile
from zoo.spectrogram import FrontEnd, Spectrogram, Standardize

Task = Literal["multiclass", "multilabel", "regression", "embedding"]
TASKS: tuple[Task, ...] = get_args(Task)


@keras.saving.register_keras_serializable("zoo")
class ConvNetModel(keras.Model):
    """Functional Keras model that carries the `ConvNet` that it was built from.

    `image_model` and `sound_model` return it. What it carries is saved in `.keras` files, so that
    users of it (such as a streaming twin) never look it up by the name of the model.

    Attributes:
        network: config of the layers behind the front end; None in a copy by
            `keras.models.clone_model`, which keeps layers only.
        task: "multiclass", "multilabel", "regression" or "embedding".
        front: names of the layers of the front end, in order; none for pictures.
    """

    network: ConvNet | None = None
    task: Task = "multiclass"
    front: tuple[str, ...] = ()

    def carry(self, network: ConvNet, task: Task, front: Iterable[str] = ()) -> "ConvNetModel":
        """Set the attributes, and return the model.

        A method of its own: Keras saves layers of those functional models only whose `__init__` has
        no arguments of its own.
        """
        self.network, self.task, self.front = network, task, tuple(front)
        return self

    def get_config(self) -> dict[str, Any]:
        """Layers as of every functional model, and what this one carries, as plain values."""
        network = self.network and self.network.get_config()
        own = {"network": network, "task": self.task, "front": list(self.front)}
        return {**super().get_config(), **own}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "ConvNetModel":
        """The model that `get_config` described, with new weights."""
        layers = dict(config)
        network, task, front = (layers.pop(key) for key in ("network", "task", "front"))
        model = super().from_config(layers, custom_objects)
        model.network = network and ConvNet.from_config(network)
        model.task, model.front = task, tuple(front)
        return model


def config_of(model: keras.Model) -> ConvNet:
    """Config of the network in a model from `image_model` or `sound_model`.

    Raises:
        ValueError: a model that carries none.
    """
    if not isinstance(model, ConvNetModel) or model.network is None:
        raise ValueError(
            "Expected a model from `image_model` or `sound_model`, which carries its config. "
            f"Received: {type(model).__name__} {model.name!r}. Build it with these functions; for "
            "a file saved before version 0.2, see `zoo.convnets.restore_config`."
        )
    return model.network


def spectrogram_of(model: keras.Model) -> Spectrogram:
    """The layer of a model that turns the waveform into a spectrogram.

    Raises:
        ValueError: no such layer, or several.
    """
    return _only(model, Spectrogram)


def standardize_of(model: keras.Model) -> Standardize:
    """The layer of a model that standardizes the spectrogram; the last of the front end.

    Raises:
        ValueError: no such layer, or several.
    """
    return _only(model, Standardize)


def last_float_layer_of(model: keras.Model) -> str:
    """Name of the last layer that stays float32 where a file is converted to integers.

    It is that which standardizes the spectrogram, or a quantile behind it: a quantile is compared
    with each value, which integers would round without being faster.

    Raises:
        ValueError: no layer that standardizes, or several.
    """
    quantiles = [layer.name for layer in model.layers if isinstance(layer, TimeQuantile)]
    return quantiles[-1] if quantiles else standardize_of(model).name


def front_end_of(model: keras.Model) -> FrontEnd:
    """Settings of a sound model's front end.

    Raises:
        ValueError: not a sound model.
    """
    return spectrogram_of(model).front_end


def output_layer_of(model: keras.Model) -> keras.layers.Layer:
    """The layer that computes the one output of a model.

    Raises:
        ValueError: several outputs.
    """
    (output,) = model.outputs
    return next(layer for layer in model.layers if layer.output is output)


def embedding_model(model: keras.Model) -> keras.Model:
    """Waveform (batch, samples) to what the last layer sees of it, (batch, width).

    It shares its layers with `model`. Sounds that the network takes for alike are near each other.

    Raises:
        ValueError: a model with several outputs.
    """
    features = output_layer_of(model).input
    return keras.Model(model.input, features, name=f"{model.name}_embedding")


def split_model(model: keras.Model) -> tuple[keras.Model, keras.Model]:
    """Cut a sound model in front of its `Standardize` layer: fixed front end, and network.

    waveform (batch, samples) -> spectrogram (batch, time, bands, channels) -> outputs. The front
    end has nothing to train. Both parts share their layers with `model`: training the network on
    spectrograms that were computed once trains the whole.

    Raises:
        ValueError: not a sound model.
    """
    spectrogram = standardize_of(model).input
    front = keras.Model(model.input, spectrogram, name=f"{model.name}_front")
    return front, keras.Model(spectrogram, model.output, name=f"{model.name}_network")


def _only(model: keras.Model, kind: type) -> Any:
    layers = [layer for layer in model.layers if isinstance(layer, kind)]
    if len(layers) != 1:
        raise ValueError(
            f"A sound model has one layer {kind.__name__}; {model.name!r} has {len(layers)}. "
            "Build it with `zoo.convnets.sound_model`, with Spectrogram and Standardize in `front`."
        )
    return layers[0]
