"""A material cell whose constants depend on covariates such as temperature or moisture."""

from collections.abc import Mapping, Sequence
from types import FunctionType
from typing import Any, Self

import keras
import numpy as np
from keras import KerasTensor, ops

from zoo.cells.material.base import MaterialCell
from zoo.cells.material.constants import Meaning


@keras.saving.register_keras_serializable("zoo")
class CovariateCell(MaterialCell):
    """A material cell whose constants are log-linear functions of covariates.

        w(c) = w₀ + Σ_j a_j (c_j − m_j)/s_j

    for every trainable weight w of the cell, which is the logarithm of a constant θ, or the number
    itself where it may have either sign: θ grows by e^(a_j) with one standard deviation of c_j.
    With one covariate, 1/T, that is Arrhenius' law. At c = m the cell is the one that it holds,
    and for any c it is that cell with other constants: what the cell guarantees for any weights
    holds for every path whose covariates are constant.

    With `shared`, all stiffnesses have one slope for each covariate and all relaxation times
    another, w(c) = w₀ + Σ_j a_j^group (c_j − m_j)/s_j: time–temperature superposition with a
    vertical shift (Williams, Landel and Ferry 1955; Ferry 1980), which a few conditions determine.

    Input: (strain, rate, dt, covariates), (batch, 3 + covariates).

    Args:
        cell: whose constants depend on the covariates; its weights are scalars or vectors, which
            its step uses elementwise.
        names: of the covariates.
        means: m_j.
        scales: s_j, positive.
        shared: one slope for all weights of a group that the cell names in `shift_groups`.
        show: quantities to emit.
        **kwargs: as for `keras.layers.Layer`.
    """

    def __init__(
        self,
        cell: MaterialCell | Mapping[str, Any],
        names: Sequence[str],
        means: Sequence[float],
        scales: Sequence[float],
        shared: bool = False,
        show: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.shared = bool(shared)
        if not isinstance(cell, MaterialCell):
            cell = keras.saving.deserialize_keras_object(dict(cell))
        if not isinstance(cell, MaterialCell):
            raise ValueError(f"`cell` must be a material cell. Received: {type(cell).__name__}.")
        if not len(names) == len(means) == len(scales) > 0 or min(scales) <= 0:
            raise ValueError(
                "`names`, `means` and positive `scales` must be as many, one or more. "
                f"Received: {len(names)}, {len(means)}, {len(scales)}."
            )
        if self.shared and not hasattr(cell, "shift_groups"):
            raise ValueError(
                "Shared slopes need a cell that names stiffnesses and times, such as SolidCell or "
                f"PronyCell. Received: {type(cell).__name__}."
            )
        # of this cell's type, so that a twin in float64 is that throughout
        self.cell = type(cell).from_config({**cell.get_config(), "dtype": self.dtype_policy.name})
        self.names = tuple(str(each) for each in names)
        self.means = tuple(float(each) for each in means)
        self.scales = tuple(float(each) for each in scales)
        self.State, self.quantity_units = self.cell.State, self.cell.quantity_units
        self.state_size = self.cell.state_size
        self.set_visible(self.cell.visible, show)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Check the width of the input and make the weights.

        Args:
            input_shape: (batch, 3 + covariates).

        Raises:
            ValueError: if the input has another number of features.
        """
        if input_shape[-1] != 3 + len(self.names):
            raise ValueError(
                f"CovariateCell reads (strain, rate, dt, {', '.join(self.names)}): "
                f"{3 + len(self.names)} features. Received: {input_shape[-1]}."
            )
        self.make_weights()
        self.built = True

    def make_weights(self) -> None:
        """Those of the cell, and a slope for each of their numbers and each covariate.

        Raises:
            ValueError: the cell has a weight of two or more dimensions.
        """
        self.cell.build((None, 3))
        for weight in self.cell.trainable_variables:
            if len(weight.shape) > 1:
                raise ValueError(
                    f"Weights that depend on covariates are scalars or vectors. Received: "
                    f"{weight.name} of {type(self.cell).__name__}, of shape {tuple(weight.shape)}."
                )
        self.slopes = [
            self.add_weight(
                shape=(len(self.names), size), initializer="zeros", name=f"slope_{name}"
            )
            for name, size in self._slope_sizes().items()
        ]

    def _slope_sizes(self) -> dict[str, int]:
        """What has slopes of its own -> numbers in it: each weight, or each group of them."""
        if self.shared:
            return dict.fromkeys(self.cell.shift_groups(), 1)
        weights = self.cell.trainable_variables
        return {weight.name: int(np.prod(weight.shape, dtype=int)) for weight in weights}

    def _slope_of(self) -> dict[int, Any]:
        """Weight of the cell, by its id -> its slopes, (covariates, 1 or its length)."""
        if self.shared:
            groups = self.cell.shift_groups().values()
            return {
                id(weight): slope
                for group, slope in zip(groups, self.slopes, strict=True)
                for weight in group
            }
        weights = map(id, self.cell.trainable_variables)
        return dict(zip(weights, self.slopes, strict=True))

    def step(self, x: KerasTensor, state: Any, *masks: Any) -> tuple[Any, dict[str, KerasTensor]]:
        """One step of (batch, 3 + covariates) inputs."""
        means = ops.convert_to_tensor(np.array(self.means), x.dtype)
        scales = ops.convert_to_tensor(np.array(self.scales), x.dtype)
        covariates = (x[..., 3:] - means) / scales  # (batch, covariates)
        slopes = self._slope_of()
        shifted = {
            id(weight): ops.convert_to_tensor(weight) + _product(covariates, slopes[id(weight)])
            for weight in self.cell.trainable_variables
            if id(weight) in slopes
        }
        return type(self.cell).step(_Shifted(self.cell, shifted), x[..., :3], state)

    def meanings(self, unit: str) -> list[Meaning]:
        """What each number of `constant_values` is: constants at the mean covariates, then slopes.

        The slope of a quantity is the change of its logarithm over one standard deviation.

        Raises:
            ValueError: the cell does not name its constants.
        """
        if not hasattr(self.cell, "meanings"):
            raise ValueError(
                f"{type(self.cell).__name__} does not name its constants. Use a solid, prony, "
                "Chaboche, Prandtl–Ishlinskii or Bouc–Wen."
            )
        rows = list(self.cell.meanings(unit))
        for weight, size in self._slope_sizes().items():
            for name, mean, scale in zip(self.names, self.means, self.scales, strict=True):
                for k in range(size):
                    what = f"{weight.removeprefix('log_')}_{k + 1}"
                    rows.append(
                        Meaning(
                            f"slope_{what}_{name}",
                            f"Δln {what}({name})",
                            "-",
                            f"change of ln {what} from the mean of {name}, {mean:.4g}, where the "
                            f"constants above hold, to {mean + scale:.4g}",
                            False,
                            -np.inf,
                        )
                    )
        return rows

    def constant_values(self) -> np.ndarray:
        """The numbers that `meanings` names."""
        slopes = [ops.convert_to_numpy(each).ravel() for each in self.slopes]
        return np.concatenate([self.cell.constant_values(), *slopes])

    def values_at(self, covariates: Sequence[float]) -> np.ndarray:
        """Constants of the cell at these covariates, in the order of its own `meanings`.

        Args:
            covariates: one number each, in the order of `names`.
        """
        scaled = (np.asarray(covariates, np.float64) - self.means) / np.array(self.scales)
        weights, slopes = self.cell.trainable_variables, self._slope_of()
        own = [ops.convert_to_numpy(weight) for weight in weights]
        try:
            for weight, value in zip(weights, own, strict=True):
                if id(weight) in slopes:
                    shift = scaled @ ops.convert_to_numpy(slopes[id(weight)])  # (1,) or its length
                    weight.assign((value + shift).reshape(value.shape))
            return np.asarray(self.cell.constant_values())
        finally:
            for weight, value in zip(weights, own, strict=True):
                weight.assign(value)

    def constants(self) -> dict[str, Any]:
        """Constants at the mean covariates, means and scales, slopes by weight and covariate."""
        slopes = {
            f"slopes_of_{name}": ops.convert_to_numpy(slope).tolist()
            for name, slope in zip(self._slope_sizes(), self.slopes, strict=True)
        }
        about = {"covariates": list(self.names), "means": list(self.means)}
        return {**self.cell.constants(), **about, "scales": list(self.scales), **slopes}

    def showing(self, show: Sequence[str]) -> Self:
        """The cell with the same weights, not copied, that emits other quantities.

        Args:
            show: names to emit, the output first.
        """
        twin = type(self).from_config({**self.get_config(), "show": tuple(show)})
        twin.cell, twin.slopes, twin.built = self.cell, self.slopes, True
        return twin

    def get_config(self) -> dict[str, Any]:
        """Settings; initial values, not the trained ones."""
        return {
            **super().get_config(),
            "cell": keras.saving.serialize_keras_object(self.cell),
            "names": self.names,
            "means": self.means,
            "scales": self.scales,
            "shared": self.shared,
        }


def _product(covariates: KerasTensor, slopes: Any) -> KerasTensor:
    """(batch, covariates) times (covariates, width), without a matrix product.

    TFLite's converter fails on one of width 1.
    """
    rows = ops.convert_to_tensor(slopes)
    first, *others = (covariates[..., k : k + 1] * rows[k] for k in range(rows.shape[0]))
    return sum(others, first)


class _Shifted:
    """A cell with other numbers in place of its trainable weights: what its step sees as `self`."""

    def __init__(self, cell: MaterialCell, shifted: Mapping[int, KerasTensor]) -> None:
        self._cell, self._shifted = cell, shifted

    def __getattr__(self, name: str) -> Any:
        method = getattr(type(self._cell), name, None)
        if isinstance(method, FunctionType):
            return method.__get__(self)
        value = getattr(self._cell, name)
        if isinstance(value, Mapping):
            return {key: self._shifted.get(id(each), each) for key, each in value.items()}
        return self._shifted.get(id(value), value)
