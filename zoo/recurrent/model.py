"""A stack of cells over time as one Keras model, from physical units to physical units."""

from collections.abc import Callable, Sequence

import keras
from keras import KerasTensor

from zoo.cells.visible import VisibleCell
from zoo.recurrent.layers import VisibleRNN
from zoo.recurrent.scaling import Scaling, input_scaling, output_scaling


def recurrent_model(
    cells: Sequence[VisibleCell],
    *,
    features: int = 3,
    targets: int | None = 1,
    front: keras.layers.Layer | None = None,
    scaling: Scaling | None = None,
    fused: bool = True,
    name: str = "recurrent",
) -> keras.Model:
    """A stack of cells over time, from physical units to physical units.

    x -> front end -> scaling -> cells -> dense readout -> scaling -> prediction

    Args:
        cells: from the input up; every cell emits its states and the quantities of its `show`.
        features: width of the input.
        targets: width of the prediction; None if the last cell's first quantity is the prediction.
        front: layer between input and scaling that acts on the last axis.
        scaling: statistics of the training data, behind the front end; None for no scaling.
        fused: see `VisibleRNN`.
        name: name of the model.

    Returns:
        A model of `x` (batch, time, features) with the outputs `prediction` (batch, time, targets)
        and, for layer k, `hidden_k`, `cell_k` and whatever else cell k shows,
        (batch, time, width).
    """
    x = keras.Input((None, features), name="x")
    h = x if front is None else front(x)
    if scaling is not None:
        h = input_scaling(scaling)(h)
    outputs = {}
    for k, cell in enumerate(cells):
        cell.set_visible(cell.visible, tuple(dict.fromkeys((*cell.show, *cell.State._fields))))
        shown = VisibleRNN(cell, fused=fused, name=f"layer_{k}")(h)
        outputs |= {f"{quantity}_{k}": values for quantity, values in shown.items()}
        h = shown[cell.show[0]]
    if targets is not None:
        h = keras.layers.Dense(targets, name="readout")(h)
    if scaling is not None:
        h = output_scaling(scaling)(h)
    return keras.Model(x, {"prediction": h, **outputs}, name=name)


def recurrent_layers(model: keras.Model) -> list[VisibleRNN]:
    """The layers over time of a model, from the input up; each has its `cell`.

    Args:
        model: from `recurrent_model`, or any other model of one chain of layers.

    Raises:
        ValueError: the model has no `VisibleRNN`.
    """
    layers = [layer for layer in model.layers if isinstance(layer, VisibleRNN)]
    if not layers:
        kinds = ", ".join(type(layer).__name__ for layer in model.layers)
        raise ValueError(
            "Expected a model from `recurrent_model`, with a VisibleRNN in it. "
            f"Received: {model.name!r}, with the layers {kinds}."
        )
    return layers


def rebuild(
    model: keras.Model,
    x: KerasTensor,
    recur: Callable[[int, VisibleRNN, KerasTensor], KerasTensor],
    inline: bool = False,
) -> KerasTensor:
    """Apply the chain of layers of a model to another input, its layers over time replaced.

    Args:
        model: from `recurrent_model`.
        x: input, (batch, features) or (batch, time, features).
        recur: `recur(k, layer, h)` takes the place of layer k over time.
        inline: put Keras operations in place of this package's layers without weights.

    Returns:
        The prediction.

    Raises:
        ValueError: the model has no layer over time, or its layers are no chain.
    """
    recurrent_layers(model)
    k, h, before = 0, x, model.input
    for layer in model.layers:
        if isinstance(layer, keras.layers.InputLayer):
            continue
        if not any(layer.input is each for each in keras.tree.flatten(before)):
            raise ValueError(
                "Expected a model from `recurrent_model`, a chain of layers. Received: "
                f"{model.name!r}, whose layer {layer.name!r} does not read the layer before it."
            )
        before = layer.output
        if isinstance(layer, VisibleRNN):
            h = recur(k, layer, h)
            k += 1
        elif inline and keras.saving.get_registered_name(type(layer)).startswith("zoo>"):
            h = layer.call(h)
        else:
            h = layer(h)
    return h
