"""Base of cells that take the time step as a number, not as one feature among others."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
from keras import KerasTensor, ops

from zoo.cells.material.base import require_count
from zoo.cells.scan import Parts, linear_scan, linear_step
from zoo.cells.visible import VisibleCell

Recurrence = Callable[..., tuple[Parts, Parts]]


class ContinuousCell(VisibleCell, keras.layers.Layer):
    """Base of general cells in continuous time.

    One column of the input is the time step Δt, not negative, in units of the cell's time: the
    model's scaling divides by a typical one, so that Δt is about 1, and shifts by nothing. The
    other columns are features u, held during the step, such as strain and strain rate. Features
    that shrink with Δt, as increments do, would make the response depend on how a path is cut.

    Args:
        units: width of the output.
        dt_index: column of Δt in the input.
        pass_dt: append Δt to the output, so that a cell above can read it in the last column.
        show: quantities to emit.
        **kwargs: as for `keras.layers.Layer`.
    """

    def __init__(
        self,
        units: int,
        dt_index: int = -1,
        pass_dt: bool = False,
        show: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        require_count(units=units)
        self.units, self.dt_index, self.pass_dt = units, dt_index, pass_dt
        widths = self.widths()
        self.state_size = [widths[name] for name in self.State._fields]
        if pass_dt:
            output = next(iter(widths.values())) + 1
            widths = {"output": output, **widths} | {"output": output}
        self.set_visible(widths, show)

    def widths(self) -> dict[str, int]:
        """Name -> width of every quantity, the output first, without Δt.

        Raises:
            NotImplementedError: a cell must define it.
        """
        raise NotImplementedError

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Check the width of the input and make the weights (`make_weights`).

        Args:
            input_shape: (batch, features and Δt).

        Raises:
            ValueError: there is no such column, or no feature beside it.
        """
        width = input_shape[-1] or 0
        if width < 2 or not -width <= self.dt_index < width:
            raise ValueError(
                f"{type(self).__name__} reads at least one feature and the time step in column "
                f"{self.dt_index}. Received: {width} columns."
            )
        self.column = self.dt_index % width
        self.make_weights(width - 1)
        self.built = True

    def make_weights(self, features: int) -> None:
        """Create the weights; called once, by `build`.

        Args:
            features: width of the input without Δt.

        Raises:
            NotImplementedError: a cell must define it.
        """
        raise NotImplementedError

    def kernel_weight(self, name: str, rows: int, columns: int) -> Any:
        """Add a matrix, uniform after Glorot and Bengio."""
        return self.add_weight(shape=(rows, columns), initializer="glorot_uniform", name=name)

    def bias_weight(self, name: str, width: int) -> Any:
        """Add a bias, zero before training."""
        return self.add_weight(shape=(width,), initializer="zeros", name=name)

    def split_dt(self, x: KerasTensor) -> tuple[KerasTensor, KerasTensor]:
        """Features (..., features) and Δt (..., 1) of an input (..., features + 1)."""
        column, width = self.column, x.shape[-1]
        dt = x[..., column : column + 1]
        if column == width - 1:
            return x[..., :column], dt
        if column == 0:
            return x[..., 1:], dt
        return ops.concatenate([x[..., :column], x[..., column + 1 :]], axis=-1), dt

    def with_dt(
        self, quantities: Mapping[str, KerasTensor], dt: KerasTensor
    ) -> dict[str, KerasTensor]:
        """Quantities with Δt behind the output, where a cell above is to read it."""
        if not self.pass_dt:
            return dict(quantities)
        output = next(iter(quantities.values()))
        return {**quantities, "output": ops.concatenate([output, dt], axis=-1)}

    def get_config(self) -> dict[str, Any]:
        """Settings of the cell."""
        settings = ("units", "dt_index", "pass_dt")
        return {**super().get_config(), **{name: getattr(self, name) for name in settings}}


def scan_cell(recurrence: Recurrence, projected: Parts, initial: Parts) -> Parts:
    """States of every step of a linear recurrence, (batch, time, width).

    In a graph of TensorFlow, elementwise operations and scan are compiled by XLA, which fuses them;
    the matrix products around them are not, as XLA is slower at those on a processor.

    Args:
        recurrence: arrays (batch, time, width) -> decay and drive, in parts.
        projected: arrays that it reads.
        initial: state before the first step, in parts.
    """

    def run(projected: Parts, initial: Parts) -> Parts:
        return linear_scan(*recurrence(*projected), initial)

    if keras.backend.backend() != "tensorflow":
        return run(projected, initial)
    import tensorflow as tf  # not on the other backends

    if tf.executing_eagerly() or projected[0].shape[1] is None:  # would be compiled at every call
        return run(projected, initial)
    return tf.function(run, jit_compile=True, autograph=False)(projected, initial)


class ScannedCell(ContinuousCell):
    """Base of cells whose state follows a linear recurrence, h' = a h + b, given the input alone.

    The whole sequence is then solved by `zoo.cells.scan.linear_scan`, in training and prediction;
    `step` has the same recurrence for one step. A cell defines `project`, `recurrence` and `read`,
    which act on the last axis, so that they serve a step and a sequence alike.
    """

    def project(self, x: KerasTensor) -> Parts:
        """What the recurrence reads, each (..., width), of inputs (..., n): matrix products.

        Raises:
            NotImplementedError: a cell must define it.
        """
        raise NotImplementedError

    def recurrence(self, *projected: KerasTensor) -> tuple[Parts, Parts]:
        """Decay a and drive b of every step, in parts, each (..., width), of what `project` gives.

        Raises:
            NotImplementedError: a cell must define it.
        """
        raise NotImplementedError

    def read(self, x: KerasTensor, state: Any) -> dict[str, KerasTensor]:
        """Every quantity, of inputs (..., n) and the state behind the step, (..., width).

        Raises:
            NotImplementedError: a cell must define it.
        """
        raise NotImplementedError

    def step(self, x: KerasTensor, state: Any) -> tuple[Any, dict[str, KerasTensor]]:
        """One step of (batch, n) inputs."""
        decay, drive = self.recurrence(*self.project(x))
        state = self.State(*linear_step(decay, drive, tuple(state)))
        return state, self.read(x, state)

    def sequence(
        self, x: KerasTensor, state: Any, training: Any = False, compiled: bool = False
    ) -> tuple[KerasTensor, Any]:
        """All steps at once.

        Args:
            x: (batch, time, n).
            state: before the first step.
            training: not used.
            compiled: not used.

        Returns:
            `(emitted, state)`: (batch, time, output_size) and the state after the last step.
        """
        states = self.State(*scan_cell(self.recurrence, self.project(x), tuple(state)))
        return self.emit(self.read(x, states)), self.State(*(each[:, -1] for each in states))
