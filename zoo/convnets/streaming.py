"""Streaming twins of causal networks: one hop or block in, outputs and next states out.

`streaming_model(model)` starts at the waveform; `streaming_network(config, ...)` is the part behind
the front end.
"""

from typing import Any

import keras
import numpy as np
from keras import KerasTensor, layers

from zoo.cells import LSTMCell
from zoo.convnets.blocks import convolutions, dense_rows, output_layer, output_name
from zoo.convnets.config import ConvNet
from zoo.convnets.model import (
    ConvNetModel,
    Task,
    config_of,
    front_end_of,
    spectrogram_of,
    standardize_of,
)
from zoo.convnets.pooling import RunningMean
from zoo.spectrogram import StreamingSpectrogram

# What a state holds, by the end of its name; for manifests.
STATE_MEANINGS = {
    "samples": "samples before the hop that the window still needs",
    "rows": "earlier rows that the windows of this layer still need",
    "hidden": "hidden state of the LSTM",
    "cell": "cell state of the LSTM",
    "average": "mean over time so far",
    "count": "blocks in the mean so far",
}


def meaning_of(state: str) -> str:
    """What a state of a streaming model holds, in words.

    Raises:
        KeyError: no state of a streaming model.
    """
    return STATE_MEANINGS[state.split("_")[-1]]


def streaming_model(model: ConvNetModel, *, memory_s: float | None = None) -> keras.Model:
    """The streaming twin of a causal sound model, with a copy of its weights.

    Inputs by name: `waveform` (batch, samples), `config.block` hops, and the states, zero before
    the first step. Outputs: `probabilities` or `prediction` (batch, outputs), and `NAME_next` of
    each state NAME. Stepping over a clip equals the model over the whole clip.

    Args:
        model: from `zoo.convnets.sound_model` or `zoo.presets.sound`; causal, recurrent or without
            dense layers, its front end a causal `Spectrogram` and `Standardize`.
        memory_s: time that a mean over time goes back over [s]; None: to the start. Not used by a
            recurrent network, whose LSTM has learnt what to forget.

    Raises:
        ValueError: a model that cannot stream.
    """
    config, front_end, standardize = config_of(model), front_end_of(model), standardize_of(model)
    _check_can_stream(config)
    _check_front_end(model)
    block_s = config.block * front_end.hop / front_end.sample_rate_hz
    network = streaming_network(
        config,
        (front_end.bands, 1),
        model.output[output_name(model.task)].shape[-1],
        task=model.task,
        memory=None if memory_s is None else max(1, round(memory_s / block_s)),
        weights_from=model,
    )
    front = StreamingSpectrogram(front_end, hops=config.block, name="streaming_spectrogram")
    shapes = {
        "waveform": (config.block * front_end.hop,),
        **front.state_shapes,
        **{name: each.shape[1:] for name, each in network.input.items() if name != "features"},
    }
    inputs = {name: keras.Input(shape, name=name) for name, shape in shapes.items()}
    frames = front(
        {"hop": inputs["waveform"], **{name: inputs[name] for name in front.state_shapes}}
    )
    features = standardize(frames.pop("frame"))  # (batch, config.block, bands, 1)
    states = {name: inputs[name] for name in network.input if name != "features"}
    outputs = network({"features": features, **states})
    return keras.Model(inputs, {**outputs, **frames}, name=model.name)


def _check_front_end(model: ConvNetModel) -> None:
    spectrogram, standardize = spectrogram_of(model), standardize_of(model)
    if model.front != (spectrogram.name, standardize.name):
        kinds = [type(model.get_layer(name)).__name__ for name in model.front]
        raise ValueError(
            "The front end of a model that streams must be Spectrogram, then Standardize. "
            f"Received: {', '.join(kinds)}."
        )
    if spectrogram.front_end.level == "pcen":
        raise ValueError(
            "States must start at zero, and the smoother of PCEN does not. "
            "Received: level='pcen'. Train with level='decibel'."
        )


def streaming_network(
    config: ConvNet,
    shape: tuple[int, int],
    outputs: int,
    *,
    task: Task = "multiclass",
    memory: int | None = None,
    weights_from: keras.Model | None = None,
) -> keras.Model:
    """A causal network, one block of frames at a time.

    Inputs by name: `features` (batch, config.block, bands, channels), and the states; outputs:
    `probabilities` or `prediction`, and `NAME_next` of each state NAME. `conv3_rows` are the
    earlier rows that the windows of `conv3` still need; `average` and `count` are the mean over
    time so far, or `hidden` and `cell` the states of a recurrent network. Stepping over a clip from
    `initial_states` gives at its end what the network over the whole clip gives.

    Args:
        config: a causal network, recurrent or without dense layers.
        shape: bands, channels.
        outputs: as in `image_model`.
        task: as in `image_model`.
        memory: blocks that the mean over time goes back over; None: all.
        weights_from: model to take the weights from, by name of layer; None: new ones.

    Raises:
        ValueError: a network that cannot stream.
    """
    _check_can_stream(config)
    states = _States()
    features = keras.Input((config.block, *shape), name="features")
    x = convolutions(config, features, states.rows_before)
    x = _step_memory(config, x, states) if config.recurrent else _step_mean(x, states, memory)
    output = {output_name(task): output_layer(x, outputs, task)}
    model = keras.Model(
        {"features": features, **states.inputs}, {**output, **states.nexts}, name="streaming"
    )
    if weights_from is not None:
        for layer in model.layers:
            if layer.weights:
                layer.set_weights(weights_from.get_layer(layer.name).get_weights())
    return model


def _check_can_stream(config: ConvNet) -> None:
    if not config.causal or (config.dense and not config.recurrent):
        raise ValueError(
            "A network that streams must be causal, and recurrent or without dense layers. "
            f"Received: causal={config.causal}, dense={config.dense}. "
            "Use dataclasses.replace(config, causal=True, dense=()) and train that."
        )


class _States:
    """State inputs of a streaming network, and the next states, `NAME_next`, as it is built."""

    def __init__(self) -> None:
        self.inputs: dict[str, KerasTensor] = {}
        self.nexts: dict[str, KerasTensor] = {}

    def add(self, name: str, shape: tuple[int, ...]) -> KerasTensor:
        """A new state input (batch, *shape)."""
        self.inputs[name] = keras.Input(shape, name=name)
        return self.inputs[name]

    def update(self, **nexts: KerasTensor) -> None:
        """Set the next value of states by name."""
        self.nexts |= {f"{name}_next": value for name, value in nexts.items()}

    def rows_before(self, layer: str, x: KerasTensor, rows: int) -> KerasTensor:
        """X (batch, time, ...) behind the last rows of the blocks before, a state."""
        if not rows:
            return x
        name = f"{layer}_rows"
        before = self.add(name, (rows, *x.shape[2:]))
        x = layers.Concatenate(axis=1, name=f"{layer}_past")([before, x])
        self.update(**{name: x[:, -rows:]})
        return x


def _step_memory(config: ConvNet, x: KerasTensor, states: _States) -> KerasTensor:
    """One step of the LSTM: (batch, 1, columns, channels) -> hidden state (batch, units)."""
    cell = LSTMCell(config.recurrent, name="memory")
    before = [states.add(name, (cell.visible[name],)) for name in cell.State._fields]
    x, following = cell(dense_rows(config, x)[:, 0], before)
    states.update(**_named(cell, following))
    return x


def _step_mean(x: KerasTensor, states: _States, memory: int | None) -> KerasTensor:
    """One step of the mean over time: (batch, rows, columns, channels) -> (batch, channels)."""
    x = layers.GlobalAveragePooling2D(name="block_average")(x)
    before = states.add("average", (x.shape[-1],)), states.add("count", (1,))
    average, count = RunningMean(memory, name="running")(x, *before)
    states.update(average=average, count=count)
    return average


def _named(cell: LSTMCell, state: Any) -> dict[str, KerasTensor]:
    return dict(zip(cell.State._fields, state, strict=True))


def initial_states(model: keras.Model, batch: int = 1) -> dict[str, np.ndarray]:
    """States of a streaming model before its first step, all zero."""
    return {
        name: np.zeros((batch, *tensor.shape[1:]), np.float32)
        for name, tensor in model.input.items()
        if name not in ("features", "waveform")
    }
