"""Convolutional networks from a `ConvNet` config: of pictures, or of sound with its front end."""

from collections.abc import Sequence

import keras

from zoo.convnets.blocks import network_layers, output_name
from zoo.convnets.config import ConvNet
from zoo.convnets.model import ConvNetModel, Task


def image_model(
    config: ConvNet,
    shape: tuple[int, int, int],
    outputs: int,
    *,
    task: Task = "multiclass",
    name: str = "convnet",
) -> ConvNetModel:
    """Picture `image` (batch, rows, columns, channels) to one named output.

    Args:
        config: the network.
        shape: rows, columns, channels.
        outputs: number of classes, labels or regressed quantities.
        task: "multiclass": `probabilities` that sum to one (softmax); "multilabel":
            `probabilities`, each for itself (sigmoid); "regression": `prediction`; "embedding":
            `embedding`, linear in the mean over time.
        name: of the model.

    Raises:
        ValueError: a picture too small for the network, or an unknown task.
    """
    image = keras.Input(shape, name="image")
    output = {output_name(task): network_layers(config, image, outputs, task)}
    return ConvNetModel(inputs=image, outputs=output, name=name).carry(config, task)


def sound_model(
    config: ConvNet,
    front: Sequence[keras.layers.Layer],
    outputs: int,
    *,
    samples: int | None = None,
    task: Task = "multiclass",
    name: str = "convnet",
) -> ConvNetModel:
    """`waveform` (batch, samples) in [-1, 1] to one named output, front end inside.

    Args:
        config: the network.
        front: layers from (batch, samples) to (batch, time, bands, channels), in order; with one
            `Spectrogram`, and `Standardize` at the end, the model can be split, explained and, if
            causal, streamed.
        outputs: as in `image_model`.
        samples: length of a clip; None: any, for a network without dense layers or with a
            recurrent one, whose output is then (batch, time, outputs).
        task: as in `image_model`.
        name: of the model.

    Raises:
        ValueError: as in `image_model`, or dense layers and no length.
    """
    if samples is None and config.dense and not config.recurrent:
        raise ValueError(
            "`samples` must be given for a network with dense layers: their size follows from it. "
            "Received: None. Or take `dense=()`, the average over time."
        )
    x = waveform = keras.Input((samples,), name="waveform")
    for layer in front:
        x = layer(x)
    output = {output_name(task): network_layers(config, x, outputs, task)}
    model = ConvNetModel(inputs=waveform, outputs=output, name=name)
    return model.carry(config, task, [layer.name for layer in front])
