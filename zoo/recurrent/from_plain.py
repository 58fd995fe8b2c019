"""Recurrent models of this package on the weights of plain Keras models: `plain_model` inverted.

Cells of this package name every state and can be stepped.
"""

from typing import Any

import keras
from keras import KerasTensor

from zoo.cells import GRUCell, LSTMCell, SimpleRNNCell
from zoo.recurrent.layers import Increments, VisibleRNN
from zoo.recurrent.model import RecurrentModel

_CELLS = {
    keras.layers.SimpleRNN: SimpleRNNCell,
    keras.layers.GRU: GRUCell,
    keras.layers.LSTM: LSTMCell,
}


def is_plain(model: keras.Model) -> bool:
    """Whether a model has recurrent layers of Keras and none of this package."""
    return any(type(layer) in _CELLS for layer in model.layers) and not any(
        isinstance(layer, VisibleRNN) for layer in model.layers
    )


def visible_model(plain: keras.Model) -> RecurrentModel:
    """The recurrent model that a plain model was made from, with a copy of its weights.

    Args:
        plain: from `zoo.recurrent.plain_model`: a chain of layers, with or without the operations
            of `Increments` in front.

    Returns:
        A model as from `zoo.recurrent.recurrent_model`.

    Raises:
        ValueError: if the plain model has other parts.
    """
    x = keras.Input((None, plain.input.shape[-1]), name="x")
    h, outputs = x, {}
    layers = [each for each in plain.layers if not isinstance(each, keras.layers.InputLayer)]
    if any(not isinstance(each, keras.layers.Layer) for each in plain.operations):
        h = Increments()(h)
    if h.shape[-1] != layers[0].input.shape[-1]:
        raise ValueError(
            f"{plain.name}: expected the features of `Increments` in front of layer "
            f"{layers[0].name!r}, {h.shape[-1]} in all. Received: {layers[0].input.shape[-1]}."
        )
    for layer in layers:
        h, shown = _apply_copy(layer, h)
        index = sum(name.startswith("hidden_") for name in outputs)
        outputs |= {f"{name}_{index}": values for name, values in shown.items()}
    return RecurrentModel(x, {"prediction": h, **outputs}, name=plain.name)


def _apply_copy(
    layer: keras.layers.Layer, h: KerasTensor
) -> tuple[KerasTensor, dict[str, KerasTensor]]:
    """Output of a copy of a layer, and the states that it returns by name."""
    if type(layer) not in _CELLS:
        copy = type(layer).from_config(layer.get_config())
        result, shown = copy(h), {}
    else:
        copy = VisibleRNN(_cell_of(layer), name=layer.name)
        shown = copy(h)
        result = shown["hidden"]
    copy.set_weights(layer.get_weights())
    return result, shown


def _cell_of(layer: Any) -> Any:
    """The cell of this package with the settings of a Keras layer; it returns its states."""
    kind = _CELLS[type(layer)]
    accepted = kind(units=1).get_config().keys() - {"show", "name"}
    config = {key: value for key, value in layer.get_config().items() if key in accepted}
    cell = kind.from_config(config)
    cell.set_visible(cell.visible, tuple(dict.fromkeys((*cell.show, *cell.State._fields))))
    return cell
