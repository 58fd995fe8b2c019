"""A stack of cells over time as one Keras model, from physical units to physical units."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import KerasTensor, ops

from zoo.cells.visible import VisibleCell
from zoo.recurrent.layers import VisibleRNN, fused_graphs
from zoo.recurrent.scaling import Scaling, input_scaling, output_scaling

_keras_jit_compile: Any = keras.Model.jit_compile


@keras.saving.register_keras_serializable("zoo")
class RecurrentModel(keras.Model):
    """Functional Keras model of named outputs that is trained on its `prediction`.

    `compile("adam", "mse")`, `fit(x, y)`, `evaluate(x, y)` and metrics compare y with the output
    `prediction`; states and gates are outputs, but nothing is asked of them. y is (paths, time,
    targets), or (paths, time) of a single target; sample weights are (paths,) or (paths, time).
    To train other outputs, give `compile` a dict: output name -> loss.
    """

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Loss of the prediction, or of the outputs that the loss names.

        Args:
            x: not used.
            y: measured values, or output name -> measured values.
            y_pred: output name -> values.
            sample_weight: (paths,), (paths, time), or None.
            training: not used.
        """
        y, y_pred, sample_weight = _match_outputs(self.loss, y, y_pred, sample_weight)
        return super().compute_loss(x, y, y_pred, sample_weight, training=training)

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Metrics of the prediction, or of the outputs that the loss names.

        Args:
            x: not used.
            y: as for `compute_loss`.
            y_pred: output name -> values.
            sample_weight: as for `compute_loss`.
        """
        y, y_pred, sample_weight = _match_outputs(self.loss, y, y_pred, sample_weight)
        return super().compute_metrics(x, y, y_pred, sample_weight)

    def train_step(self, *arguments: Any, **options: Any) -> Any:
        """One batch of `fit`, all steps at once where the cells can."""
        with fused_graphs(compiled=self._is_compiled):
            return super().train_step(*arguments, **options)

    def test_step(self, *arguments: Any, **options: Any) -> Any:
        """One batch of `evaluate`, all steps at once where the cells can."""
        with fused_graphs(compiled=self._is_compiled):
            return super().test_step(*arguments, **options)

    def predict_step(self, *arguments: Any, **options: Any) -> Any:
        """One batch of `predict`, all steps at once where the cells can."""
        with fused_graphs(compiled=self._is_compiled):
            return super().predict_step(*arguments, **options)

    @property
    def jit_compile(self) -> Any:
        """Whether XLA compiles what `fit`, `evaluate` and `predict` run; "auto" is False.

        To compile takes seconds, which short trainings do not gain back.
        """
        return _keras_jit_compile.fget(self)

    @jit_compile.setter
    def jit_compile(self, value: Any) -> None:
        layers = [each for each in self.layers if isinstance(each, VisibleRNN) and each.compiles]
        before = [each.supports_jit for each in layers]
        for each in layers:
            each.supports_jit = each.supports_jit or bool(value)
        _keras_jit_compile.fset(self, value)
        for each, supported in zip(layers, before, strict=True):
            each.supports_jit = supported

    @property
    def _is_compiled(self) -> bool:
        return bool(self.compiled and self.jit_compile)


def _match_outputs(loss: Any, y: Any, outputs: Any, weight: Any) -> tuple[Any, Any, Any]:
    """What was measured, what is compared with it, and its weight.

    The prediction alone, unless the loss names its outputs.
    """
    if isinstance(loss, dict):
        return ({"prediction": y} if hasattr(y, "shape") else y), outputs, weight
    prediction = outputs["prediction"]
    measured, weight = (v["prediction"] if isinstance(v, dict) else v for v in (y, weight))
    if measured is None:
        return None, prediction, weight
    try:
        axes = len(measured.shape)
    except ValueError:  # TensorFlow forgets the rank in a graph that has met targets of both ranks
        return ops.reshape(measured, ops.shape(prediction)), prediction, weight
    if axes == len(prediction.shape) - 1:
        measured = ops.expand_dims(measured, -1)
    return measured, prediction, weight


def recurrent_model(
    cells: Sequence[VisibleCell],
    *,
    features: int = 3,
    targets: int | None = 1,
    front: keras.layers.Layer | None = None,
    scaling: Scaling | None = None,
    fused: bool = True,
    name: str = "recurrent",
) -> RecurrentModel:
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

    Raises:
        ValueError: no cell, or one that shows no states.
    """
    strange = [type(cell).__name__ for cell in cells if not isinstance(cell, VisibleCell)]
    if strange or not cells:
        raise ValueError(
            "Expected one cell of `zoo.cells` or more, such as [LSTMCell(32)]. "
            f"Received: {', '.join(strange) or 'none'}."
        )
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
    return RecurrentModel(x, {"prediction": h, **outputs}, name=name)


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


def restore_recurrent(model: keras.Model) -> keras.Model:
    """Make a functional model of visible cells, from an earlier file, a `RecurrentModel`.

    The layers stay the same. Any other model is returned as it is.

    Args:
        model: from `keras.saving.load_model`.
    """
    is_recurrent = any(isinstance(layer, VisibleRNN) for layer in model.layers)
    names = model.output if isinstance(getattr(model, "output", None), dict) else {}
    if not is_recurrent or type(model) is RecurrentModel or "prediction" not in names:
        return model
    return RecurrentModel(model.input, model.output, name=model.name)


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
