"""Stress of a material cell as a function of its raw weights, in float64 and compiled."""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo.cells.material.base import MaterialCell

STEP = 1e-4  # of a raw weight, a logarithm or a slope; in float64 the derivative is good to 1e-8
SCALED_ROWS = 300  # of a loading, from which the sizes of free initial states are taken


@dataclass
class _Latest:
    """Weights of the latest call and the histories that it gave."""

    weights: np.ndarray | None = None
    histories: np.ndarray = field(default_factory=lambda: np.empty(0))


class Response:
    """Stress of the counted samples of a test as a function of a cell's trainable weights.

    A twin of the cell in float64 runs over time in one loop compiled by XLA: a millisecond for
    hundreds of steps. Central differences are then as good as exact derivatives (in float32 they
    would keep three digits); the weights and their neighbours run side by side, so stress and
    slope take one call. Compilation takes seconds and is done once, so fits of many stresses to
    one loading share a response.

    Args:
        model: sequence model of one material cell, whose output is the stress.
        x: (strain [-], rate [1/s], dt [s]), (paths, time, 3).
        weight: (paths, time), samples of weight 0 are not compared; None if all are.
        loading_unit: of the first feature, "-" for strain.
        free_initial_state: whether the state before the first row of each path is unknown: it
            then stands behind the weights, each state in units of its largest size from rest.

    Attributes:
        model: the same.
        cell: its twin.
        x: float64.
        counts: which samples are compared, (paths, time) bool.
        loading_unit: of the first feature.
        state_scale: size of each free initial state, (states,); empty if they are zero.

    Raises:
        ValueError: a model of another kind, or arrays that do not fit.
    """

    def __init__(
        self,
        model: keras.Model,
        x: np.ndarray,
        weight: np.ndarray | None = None,
        loading_unit: str = "-",
        *,
        free_initial_state: bool = False,
    ) -> None:
        self.model, self.x = model, np.asarray(x, np.float64)
        self.loading_unit = loading_unit
        if self.x.ndim != 3 or self.x.shape[2] < 3 or not np.isfinite(self.x).all():
            raise ValueError(
                "`x` must be finite, of shape (paths, time, 3): strain, rate, dt; or more with "
                "covariates. "
                f"Received: shape {self.x.shape}."
            )
        self.counts = np.ones(self.x.shape[:2], bool) if weight is None else np.asarray(weight) > 0
        if self.counts.shape != self.x.shape[:2] or not self.counts.any():
            raise ValueError(
                f"`weight` must have shape {self.x.shape[:2]} and count at least one sample. "
                f"Received: shape {self.counts.shape}, {self.counts.sum()} counted."
            )
        self._own = _only_cell(model)
        self.cell = type(self._own).from_config({**self._own.get_config(), "dtype": "float64"})
        self.cell.build((None, self.x.shape[2]))
        self.state_scale = self._state_sizes() if free_initial_state else np.empty(0)
        # Cells branch on no tensor: without autograph tracing takes a fifth of a second less.
        self._run = tf.function(self._stress, jit_compile=True, autograph=False)
        self._latest = _Latest()

    def counting(self, counts: np.ndarray) -> "Response":
        """The same response, compiled already, that compares other samples.

        Args:
            counts: which samples are compared, (paths, time) bool.

        Raises:
            ValueError: none is.
        """
        if counts.shape != self.counts.shape or not counts.any():
            raise ValueError(
                f"`counts` must have shape {self.counts.shape} and count at least one sample. "
                f"Received: shape {counts.shape}, {counts.sum()} counted."
            )
        other = copy.copy(self)
        other.counts = counts
        return other

    def start(self) -> np.ndarray:
        """Present weights of the model, and free initial states of zero, (weights,)."""
        return np.concatenate([self._model_weights(), np.zeros(self.free_states)])

    def _model_weights(self) -> np.ndarray:
        variables = self._own.trainable_variables
        values = [keras.ops.convert_to_numpy(variable).ravel() for variable in variables]
        return np.concatenate(values).astype(np.float64)

    @property
    def free_states(self) -> int:
        """How many of the weights, the last ones, are initial states."""
        return len(self.x) * len(self.state_scale)

    @property
    def state_names(self) -> list[str]:
        """Names of the states of the cell, such as "branch_stress_2"."""
        return [
            f"{name}_{k}" if self.cell.visible[name] > 1 else name
            for name in self.cell.State._fields
            for k in range(1, self.cell.visible[name] + 1)
        ]

    def initial_states(self, weights: np.ndarray) -> np.ndarray:
        """Free initial states in their own units, (paths, states).

        Args:
            weights: (weights,), or half widths of their intervals.
        """
        tail = weights[len(weights) - self.free_states :]
        return tail.reshape(len(self.x), -1) * self.state_scale

    def __call__(self, weights: np.ndarray) -> np.ndarray:
        """Stress of the counted samples, path by path, (samples,)."""
        return self.history(weights)[self.counts][:, 0]

    def history(self, weights: np.ndarray) -> np.ndarray:
        """Stress of every sample and then, where there are branches, that of each of them.

        Returns:
            (paths, time, 1 + branches).
        """
        return self._histories(weights)[0]

    def slope(self, weights: np.ndarray) -> np.ndarray:
        """Derivative of the stress with respect to every weight, (samples, weights)."""
        stress = self._histories(weights)[1:, self.counts, 0]
        above, below = np.split(stress, 2)
        return ((above - below) / (2 * STEP)).T

    def _histories(self, weights: np.ndarray) -> np.ndarray:
        """Histories at the weights, and with `STEP` added to and taken from each of them.

        Returns:
            (1 + 2 weights, paths, time, 1 + branches). A search asks for the slope where it has
            asked for the stress, so the latest ones are kept.
        """
        weights = np.array(weights, np.float64)
        if self._latest.weights is None or not np.array_equal(self._latest.weights, weights):
            steps = STEP * np.eye(len(weights))
            around = weights + np.vstack([np.zeros_like(weights), steps, -steps])
            self._latest.histories, self._latest.weights = self._run(around).numpy(), weights
        return self._latest.histories

    def set_cell_weights(self, weights: np.ndarray) -> None:
        """Set the weights of the twin."""
        _assign(self.cell, weights)

    def read(self, weights: np.ndarray, function: Callable[[], np.ndarray]) -> np.ndarray:
        """Value of a function of `cell` at these weights.

        Args:
            weights: (weights,).
            function: () -> array, read off `cell`.
        """
        _assign(self.cell, weights)
        return function()

    def set_model_weights(self, weights: np.ndarray) -> None:
        """Set the weights of the model."""
        _assign(self._own, weights)

    def _state_widths(self) -> list[int]:
        return [self.cell.visible[name] for name in self.cell.State._fields]

    def _state_sizes(self) -> np.ndarray:
        """Largest size of each state over the first rows, from rest; 1 where it stays zero."""
        _assign(self.cell, self._model_weights())
        take = tf.function(lambda x, state: self.cell.step(x, self.cell.State(*state))[0])
        state = [tf.zeros((len(self.x), width), tf.float64) for width in self._state_widths()]
        largest = np.zeros(sum(self._state_widths()))
        for row in np.swapaxes(self.x, 0, 1)[:SCALED_ROWS]:
            state = take(tf.constant(row), list(state))
            sizes = np.abs(np.concatenate([each.numpy() for each in state], axis=1))
            largest = np.maximum(largest, sizes.max(axis=0))
        return np.where(largest > 0, largest, 1.0)

    def _stress(self, weights: tf.Tensor) -> tf.Tensor:
        """Histories of many sets of weights, (sets, weights) -> (sets, paths, time, width)."""
        variables = self.cell.trainable_variables
        sets = weights.shape[0]
        sizes = [_size(variable) for variable in variables]
        *parts, initial = tf.split(weights, [*sizes, self.free_states], axis=1)
        parts = [tf.reshape(p, (sets, *v.shape)) for v, p in zip(variables, parts, strict=True)]
        x = tf.constant(np.swapaxes(self.x, 0, 1))  # (time, paths, features)
        steps, paths, _ = x.shape
        state = tuple(tf.zeros((sets, paths, width), x.dtype) for width in self._state_widths())
        if self.free_states:
            free = tf.reshape(initial, (sets, paths, len(self.state_scale)))
            state = tuple(tf.split(free * self.state_scale, self._state_widths(), axis=2))
        first = next(iter(self.cell.visible))
        shown = [name for name in (first, "branch_stress") if name in self.cell.visible]
        width = sum(self.cell.visible[name] for name in shown)
        history = tf.TensorArray(x.dtype, steps, element_shape=(sets, paths, width))

        def step(
            time: tf.Tensor, state: tuple[Any, ...], history: tf.TensorArray
        ) -> tuple[Any, ...]:
            def step_one_set(values: tuple[Any, Any]) -> tuple[Any, tf.Tensor]:
                own, state = values
                with keras.StatelessScope(state_mapping=list(zip(variables, own, strict=True))):
                    state, quantities = self.cell.step(x[time], self.cell.State(*state))
                return tuple(state), tf.concat([quantities[name] for name in shown], axis=-1)

            state, now = tf.vectorized_map(step_one_set, (parts, state))
            return time + 1, state, history.write(time, now)

        *_, history = tf.while_loop(
            lambda time, *_: time < steps, step, (0, state, history), maximum_iterations=steps
        )
        return tf.transpose(history.stack(), (1, 2, 0, 3))  # from (time, sets, paths, width)


def _only_cell(model: keras.Model) -> keras.layers.Layer:
    """The cell of a model of one layer."""
    layers = [layer for layer in model.layers if not isinstance(layer, keras.layers.InputLayer)]
    cell = getattr(layers[0], "cell", None) if len(layers) == 1 else None
    if cell is None or not isinstance(cell, MaterialCell):
        kinds = ", ".join(type(layer).__name__ for layer in layers) or "no layer"
        raise ValueError(
            "`model` must hold one material cell, and no other layer. "
            f"Received: {kinds}. Build it with `zoo.presets.material`."
        )
    return cell


def _assign(cell: keras.layers.Layer, weights: np.ndarray) -> None:
    """Set a cell's weights; behind them may stand initial states."""
    variables = cell.trainable_variables
    ends = np.cumsum([_size(variable) for variable in variables])
    for variable, part in zip(variables, np.split(weights, ends), strict=False):
        variable.assign(part.reshape(variable.shape))


def _size(variable: keras.Variable) -> int:
    return int(np.prod(variable.shape, dtype=int))
