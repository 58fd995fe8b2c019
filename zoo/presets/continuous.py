"""Presets of general cells in continuous time: they read strain, rate, and the time step apart."""

from collections.abc import Callable
from dataclasses import replace

import keras
import numpy as np

from zoo.cells.continuous import CfCCell, CoRNNCell, LMUCell, LRUCell, MinGRUCell
from zoo.presets.registry import register
from zoo.recurrent import Scaling, recurrent_model

_DT = 2  # column of the time step in the data


@register(
    "cfc",
    "recurrent",
    description="closed-form continuous-time network",
    source="Hasani et al. 2022",
    compiled=True,
)
def cfc(
    x: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None, **sizes: int
) -> keras.Model:
    """Stack of `CfCCell` behind scaling."""
    return _stack("cfc", CfCCell, _scaling(x, y, weight), **sizes)


@register(
    "lru",
    "recurrent",
    description="linear recurrent unit network with a time step",
    source="Orvieto et al. 2023",
)
def lru(
    x: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None, **sizes: int
) -> keras.Model:
    """Stack of `LRUCell` behind scaling."""
    return _stack("lru", LRUCell, _scaling(x, y, weight), **sizes)


@register(
    "mingru",
    "recurrent",
    description="minimal gated recurrent unit network with a time step",
    source="Feng et al. 2024",
)
def mingru(
    x: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None, **sizes: int
) -> keras.Model:
    """Stack of `MinGRUCell` behind scaling."""
    return _stack("mingru", MinGRUCell, _scaling(x, y, weight), **sizes)


@register(
    "lmu",
    "recurrent",
    description="Legendre memory unit network with a time step",
    source="Voelker, Kajić and Eliasmith 2019",
    compiled=True,
)
def lmu(
    x: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None, **sizes: int
) -> keras.Model:
    """Stack of `LMUCell` behind scaling."""
    return _stack("lmu", LMUCell, _scaling(x, y, weight), **sizes)


@register(
    "cornn",
    "recurrent",
    description="coupled oscillatory recurrent network with a time step",
    source="Rusch and Mishra 2021",
    compiled=True,
)
def cornn(
    x: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None, **sizes: int
) -> keras.Model:
    """Stack of `CoRNNCell` behind scaling."""
    return _stack("cornn", CoRNNCell, _scaling(x, y, weight), **sizes)


def _scaling(x: np.ndarray, y: np.ndarray, weight: np.ndarray | None) -> Scaling:
    """Statistics of the data; Δt is divided by its root mean square alone, and stays positive."""
    scaling = Scaling.of(x, y, weight)
    counts = np.ones(x.shape[:2], bool) if weight is None else np.asarray(weight) > 0
    dt = np.asarray(x, np.float64)[counts][:, _DT]
    typical = float(np.sqrt(np.mean(np.square(dt)))) or 1.0
    return replace(
        scaling,
        x_mean=(*scaling.x_mean[:_DT], 0.0, *scaling.x_mean[_DT + 1 :]),
        x_std=(*scaling.x_std[:_DT], typical, *scaling.x_std[_DT + 1 :]),
    )


def _stack(
    name: str, cell: Callable, scaling: Scaling, layers: int = 1, units: int = 32
) -> keras.Model:
    """Cells on one another; Δt stands in the third column of the data, and last in between."""
    cells = [
        cell(units, dt_index=_DT if k == 0 else -1, pass_dt=k < layers - 1) for k in range(layers)
    ]
    return recurrent_model(cells, features=len(scaling.x_mean), scaling=scaling, name=name)
