"""A trained model of sound, hop by hop: the step twin, waveform in."""

import keras

from zoo.convnets import NETWORKS, streaming_model
from zoo.names import RENAMED
from zoo.spectrogram import Spectrogram, StreamingSpectrogram

# What a state holds, by the end of its name; for manifests.
MEANINGS = {
    "samples": "samples before the hop that the window still needs",
    "rows": "rows of the past that the windows of this layer still need",
    "hidden": "hidden state, the memory of the scene",
    "cell": "cell state, the memory of the scene",
    "average": "mean over time so far",
    "count": "blocks in the mean so far",
}


def step_model(model: keras.Model, *, memory_s: float | None = None) -> keras.Model:
    """The step twin of a sound model, with its weights.

    Inputs by name: `waveform` (batch, samples), as many as become one row of answers, and the
    states, zero before the first step; outputs: `probabilities` (batch, classes), and `NAME_next`
    of every state NAME. Stepping over a clip equals the model over the whole of it.

    Args:
        model: from `zoo.presets.sound`, causal, recurrent or without dense layers.
        memory_s: time after which a mean over time begins to forget [s]; None: never. A recurrent
            network has learnt what to forget.

    Raises:
        ValueError: a model that cannot stream.
    """
    name = RENAMED.get(model.name, model.name)
    if name not in NETWORKS or not isinstance(model.layers[1], Spectrogram):
        raise ValueError(
            "Only a classifier of sound from this package can stream. "
            f"Received: {model.name!r}. Train one, such as crnn_hop or residual_tiny_causal."
        )
    config, front_end = NETWORKS[name], model.get_layer("spectrogram").front_end
    if front_end.level == "pcen":
        raise ValueError(
            "States must start at zero, and the smoother of PCEN does not. "
            "Received: level='pcen'. Train with level='decibel'."
        )
    normalise, last = model.get_layer("normalise"), model.get_layer("probabilities")
    block_s = config.block * front_end.hop / front_end.sample_rate_hz
    network = streaming_model(
        config,
        (front_end.bands, 1),
        last.units,
        trained=model,
        answer="labels" if last.activation is keras.activations.sigmoid else "classes",
        memory=None if memory_s is None else max(1, round(memory_s / block_s)),
    )
    front = StreamingSpectrogram(front_end, hops=config.block, name="streaming_spectrogram")
    waveform = keras.Input((config.block * front_end.hop,), name="waveform")
    shapes = {
        **front.state_shapes,
        **{name: each.shape[1:] for name, each in network.input.items() if name != "features"},
    }
    states = {name: keras.Input(shape, name=name) for name, shape in shapes.items()}
    heard = front({"hop": waveform, **{name: states[name] for name in front.state_shapes}})
    features = normalise(heard.pop("frame"))
    inner = {name: states[name] for name in network.input if name != "features"}
    outputs = network({"features": features, **inner})
    return keras.Model({"waveform": waveform, **states}, {**outputs, **heard}, name=model.name)


def meaning_of(state: str) -> str:
    """What a state of a step model holds, in words."""
    return MEANINGS[state.split("_")[-1]]
