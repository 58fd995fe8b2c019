"""Models by name: how to build each, what it is, where it comes from."""

from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np

from zoo.cells import GRUCell, LSTMCell, SimpleRNNCell
from zoo.recurrent import Increments, Scaling, recurrent_model


@dataclass(frozen=True)
class Preset:
    """A model that is built from its training data, because its scaling is a layer.

    Attributes:
        build: (x, y, weight or None) -> model of `x` (batch, time, 3) with `prediction`
            (batch, time, 1) and all states.
        description: one sentence for a card.
        source: who published it.
    """

    build: Callable[[np.ndarray, np.ndarray, np.ndarray | None], keras.Model]
    description: str
    source: str


_GATED = {
    "rnn": (SimpleRNNCell, "simple recurrent network", "Elman 1990"),
    "gru": (GRUCell, "gated recurrent unit network", "Cho et al. 2014"),
    "lstm": (
        LSTMCell,
        "long short-term memory network",
        "Hochreiter and Schmidhuber 1997; Gers et al. 2000",
    ),
}
GATED = tuple(_GATED)


def gated(cell: str, layers: int = 2, units: int = 32) -> Preset:
    """Sequence-to-sequence stress model of gated cells.

    Args:
        cell: one of `GATED`.
        layers: cells on top of each other.
        units: width of every state.
    """
    if cell not in _GATED:
        raise ValueError(f"`cell` must be one of {', '.join(GATED)}. Received: {cell!r}.")
    if layers < 1 or units < 1:
        raise ValueError(
            f"`layers` and `units` must be 1 or more. Received: layers={layers}, units={units}."
        )
    kind, long_name, source = _GATED[cell]

    def build(x: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None) -> keras.Model:
        front = Increments()
        return recurrent_model(
            [kind(units) for _ in range(layers)],
            front=front,
            scaling=Scaling.of(np.asarray(front(x)), y, weight),
            name=cell,
        )

    return Preset(
        build=build,
        description=f"{layers}-layer {long_name} with {units} units a layer",
        source=source,
    )
