"""Presets of sequence models of stress: recurrent networks, material cells, baselines."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import keras
import numpy as np

from zoo.baselines.networks import causal_convolution, transformer
from zoo.cells import GRUCell, LSTMCell, SimpleRNNCell, VisibleCell
from zoo.presets.registry import Kind, entry, register
from zoo.recurrent import Increments, Scaling, recurrent_model


@dataclass(frozen=True)
class Preset:
    """A model that is built from its training data, because its scaling is a layer.

    Attributes:
        build: (x, y, weight or None) -> model of `x` (batch, time, 3, or more with covariates) with
            `prediction` (batch, time, 1) and all states.
        description: one sentence for a card.
        source: who published it.
        learning_rate: at its peak, in training.
        compiled: whether XLA makes training faster, see `zoo.training.fit`.
    """

    build: Callable[..., keras.Model]
    description: str
    source: str
    learning_rate: float = 5e-3
    compiled: bool = False


def recurrent(cell: str, layers: int = 2, units: int = 32) -> Preset:
    """Sequence-to-sequence stress model of recurrent cells.

    Args:
        cell: one of `RECURRENT`.
        layers: number of stacked cells.
        units: width of every state.

    Raises:
        ValueError: an unknown cell, or sizes below 1.
    """
    kind = entry(cell, "recurrent", argument="cell")
    if layers < 1 or units < 1:
        raise ValueError(
            f"`layers` and `units` must be 1 or more. Received: layers={layers}, units={units}."
        )
    return Preset(
        build=partial(kind.build, layers=layers, units=units),
        description=f"{layers}-layer {kind.description} with {units} units a layer",
        source=kind.source,
        learning_rate=kind.learning_rate,
        compiled=kind.compiled,
    )


def material(cell: str, **settings: Any) -> Preset:
    """Sequence-to-sequence stress model of one cell that obeys mechanics, in physical units.

    Its scales and initial constants are measured on the training data.

    Args:
        cell: one of `MATERIAL` or `SOLIDS`.
        **settings: of the cell, in place of those measured on the data.

    Raises:
        ValueError: an unknown cell.
    """
    return _preset(cell, ("material", "solid"), "cell", **settings)


def baseline(name: str) -> Preset:
    """General sequence network without a state, for comparison.

    Args:
        name: one of `BASELINES`.

    Raises:
        ValueError: an unknown name.
    """
    return _preset(name, ("baseline",), "name")


def named(name: str) -> Preset:
    """Any stress model by name; recurrent ones have one layer of 32 units.

    Args:
        name: one of `NAMES`.

    Raises:
        ValueError: an unknown name.
    """
    kind = entry(name, "recurrent", "baseline", "material", "solid").kind
    return recurrent(name, layers=1) if kind == "recurrent" else _preset(name, (kind,), "name")


def _preset(name: str, kinds: tuple[Kind, ...], argument: str, **settings: Any) -> Preset:
    each = entry(name, *kinds, argument=argument)
    return Preset(
        partial(each.build, **settings),
        each.description,
        each.source,
        each.learning_rate,
        each.compiled,
    )


@register("rnn", "recurrent", description="simple recurrent network", source="Elman 1990")
def rnn(
    x: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None, **sizes: int
) -> keras.Model:
    """Stack of simple recurrent cells behind `Increments` and scaling."""
    return _stack("rnn", SimpleRNNCell, _scaling(x, y, weight), **sizes)


@register(
    "gru",
    "recurrent",
    description="gated recurrent unit network",
    source="Cho et al. 2014",
)
def gru(
    x: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None, **sizes: int
) -> keras.Model:
    """Stack of gated recurrent units behind `Increments` and scaling."""
    return _stack("gru", GRUCell, _scaling(x, y, weight), **sizes)


@register(
    "lstm",
    "recurrent",
    description="long short-term memory network",
    source="Hochreiter and Schmidhuber 1997; Gers et al. 2000",
)
def lstm(
    x: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None, **sizes: int
) -> keras.Model:
    """Stack of LSTM cells behind `Increments` and scaling."""
    return _stack("lstm", LSTMCell, _scaling(x, y, weight), **sizes)


@register(
    "convolution",
    "baseline",
    description="causal convolutions with growing dilation, 127 steps of past",
    source="van den Oord et al. 2016; Bai, Kolter and Koltun 2018",
    learning_rate=3e-3,
)
def convolution(x: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None) -> keras.Model:
    """Residual dilated convolutions behind `Increments` and scaling."""
    return causal_convolution(_scaling(x, y, weight), dilations=(1, 2, 4, 8, 16, 32))


@register(
    "transformer",
    "baseline",
    description="causal self-attention, 2 blocks of 4 heads",
    source="Vaswani et al. 2017",
    learning_rate=1e-3,
)
def attention(x: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None) -> keras.Model:
    """Causal self-attention behind `Increments` and scaling."""
    return transformer(_scaling(x, y, weight))


def _scaling(x: np.ndarray, y: np.ndarray, weight: np.ndarray | None) -> Scaling:
    """Statistics of the training data behind `Increments`."""
    return Scaling.of(keras.ops.convert_to_numpy(Increments()(x)), y, weight)


def _stack(
    name: str, cell: type[VisibleCell], scaling: Scaling, layers: int = 1, units: int = 32
) -> keras.Model:
    cells = [cell(units) for _ in range(layers)]
    features = len(scaling.x_mean) - 2  # `Increments` appends two
    return recurrent_model(cells, features=features, front=Increments(), scaling=scaling, name=name)
