"""Gated sequences through Keras' own layers, which are cuDNN's on a GPU.

cuDNN returns what a layer puts out and its last states, not the cell state of every step, so it
serves where nothing else is shown. On a CPU Keras' layers are the slower ones (see
`recipes/benchmarks/main_job.md`), and nothing goes this way.
"""

from collections.abc import Sequence
from typing import Any

import keras
from keras import KerasTensor

_LAYERS = (
    (keras.layers.LSTMCell, keras.layers.LSTM),
    (keras.layers.GRUCell, keras.layers.GRU),
)


def has_gpu() -> bool:
    """Whether TensorFlow, if it is the backend, has a GPU that it may use."""
    if keras.backend.backend() != "tensorflow":
        return False
    import tensorflow as tf  # not on the other backends

    return bool(tf.config.get_visible_devices("GPU"))


def has_keras_layer(cell: Any, training: Any = False) -> bool:
    """Whether cuDNN has this cell: LSTM, or GRU with `reset_after`, of which the output is asked.

    Args:
        cell: any.
        training: whether dropout acts, which cuDNN would draw otherwise.
    """
    return (
        any(isinstance(cell, kind) for kind, _ in _LAYERS)
        and set(cell.show) == {"hidden"}
        and cell.activation is keras.activations.tanh
        and cell.recurrent_activation is keras.activations.sigmoid
        and cell.use_bias
        and getattr(cell, "reset_after", True)
        and not (training and (cell.dropout or cell.recurrent_dropout))
    )


def keras_layer_sequence(
    cell: Any, x: KerasTensor, state: Sequence[KerasTensor]
) -> tuple[KerasTensor, Sequence[KerasTensor]]:
    """All steps through Keras' own layer with the weights of a cell, which are not copied.

    Args:
        cell: for which `has_keras_layer` holds.
        x: (batch, time, features).
        state: before the first step, each (batch, units).

    Returns:
        `(hidden, state)`: (batch, time, units), and the states after the last step.
    """
    kind = next(layer for kind, layer in _LAYERS if isinstance(cell, kind))
    config = {key: value for key, value in cell.get_config().items() if key != "show"}
    layer: Any = kind.from_config({**config, "return_sequences": True, "return_state": True})
    weights = iter(cell.weights)
    # built as ever, with the weights of this cell in place of new ones
    layer.cell.add_weight = lambda *_, **__: next(weights)
    layer.cell.build_from_config(cell.get_build_config())
    del layer.cell.add_weight
    hidden, *last = layer(x, initial_state=list(state))
    return hidden, last
