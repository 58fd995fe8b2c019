"""The twin of a causal network: one block of frames in, an answer after every block."""

from typing import Any

import keras
import numpy as np
from keras import KerasTensor, layers, ops

from zoo.cells import LSTMCell
from zoo.convnets.config import ConvNet
from zoo.convnets.network import Answer, answered, convolutions, dense_rows


@keras.saving.register_keras_serializable("zoo")
class RunningMean(keras.layers.Layer):
    """Mean of all blocks so far, forgetting exponentially once it has seen `memory` of them.

    mean' = mean + (x - mean) / min(count + 1, memory), count' = count + 1; x and mean
    (batch, channels), count (batch, 1).

    Args:
        memory: blocks; None: nothing is forgotten.
        **kwargs: as for `keras.layers.Layer`.
    """

    def __init__(self, memory: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if memory is not None and memory < 1:
            raise ValueError(f"`memory` must be 1 block or more, or None. Received: {memory}.")
        self.memory = memory
        self.built = True

    def call(self, x: KerasTensor, mean: KerasTensor, count: KerasTensor) -> tuple:
        """(mean', count')."""
        now = count + 1.0
        weight = now if self.memory is None else ops.minimum(now, float(self.memory))
        return mean + (x - mean) / weight, now

    def compute_output_shape(self, x_shape, mean_shape, count_shape) -> tuple:
        """Shapes of mean' and count'."""
        return tuple(mean_shape), tuple(count_shape)

    def get_config(self) -> dict[str, Any]:
        """Settings as plain values."""
        return {**super().get_config(), "memory": self.memory}


def streaming_model(
    config: ConvNet,
    shape: tuple[int, int],
    outputs: int,
    *,
    trained: keras.Model | None = None,
    answer: Answer = "classes",
    memory: int | None = None,
) -> keras.Model:
    """A causal network a block of frames at a time.

    Inputs by name: `features` (batch, config.block, bands, channels), and the states; outputs: the
    answer, and `NAME_next` of every state NAME. `conv3_rows` is what the windows of `conv3` still
    need of the past; `average` and `count` are the mean over time so far, or `hidden` and `cell`
    the states of a recurrent network. Stepping over a clip from `initial_states` gives at its end
    what the network over the whole clip gives.

    Args:
        config: a causal network, recurrent or without dense layers.
        shape: bands, channels.
        outputs: as in `image_model`.
        trained: model to take the weights from, by name of layer.
        answer: as in `image_model`.
        memory: blocks after which the mean over time begins to forget; None: never.

    Raises:
        ValueError: a network that cannot stream.
    """
    if not config.causal or (config.dense and not config.recurrent):
        raise ValueError(
            "A network that streams must be causal, and recurrent or without dense layers. "
            f"Received: causal={config.causal}, dense={config.dense}. "
            "Use dataclasses.replace(config, causal=True, dense=()) and train that."
        )
    frames = keras.Input((config.block, *shape), name="features")
    inputs, nexts = {"features": frames}, {}

    def remembered(name: str, x: KerasTensor, rows: int) -> KerasTensor:
        if not rows:
            return x
        state = f"{name}_rows"
        inputs[state] = keras.Input((rows, *x.shape[2:]), name=state)
        x = layers.Concatenate(axis=1, name=f"{name}_past")([inputs[state], x])
        nexts[f"{state}_next"] = x[:, -rows:]
        return x

    x = convolutions(config, frames, remembered)
    if config.recurrent:
        cell = LSTMCell(config.recurrent, name="memory")
        states = {name: keras.Input((width,), name=name) for name, width in _widths(cell)}
        x, following = cell(dense_rows(config, x)[:, 0], list(states.values()))
        after = following._asdict()
    else:
        x = layers.GlobalAveragePooling2D(name="block_average")(x)
        states = {
            "average": keras.Input((x.shape[-1],), name="average"),
            "count": keras.Input((1,), name="count"),
        }
        x, count = RunningMean(memory, name="running")(x, *states.values())
        after = {"average": x, "count": count}
    inputs |= states
    nexts |= {f"{name}_next": state for name, state in after.items()}
    model = keras.Model(inputs, {**answered(x, outputs, answer), **nexts}, name="streaming")
    if trained is not None:
        for layer in model.layers:
            if layer.weights:
                layer.set_weights(trained.get_layer(layer.name).get_weights())
    return model


def _widths(cell: LSTMCell) -> list[tuple[str, int]]:
    return [(name, cell.visible[name]) for name in cell.State._fields]


def initial_states(model: keras.Model, batch: int = 1) -> dict[str, np.ndarray]:
    """States of a `streaming_model` before the first block, all zero."""
    return {
        name: np.zeros((batch, *tensor.shape[1:]), np.float32)
        for name, tensor in model.input.items()
        if name != "features"
    }
