"""Play and relaxation operators whose stiffness depends on the loading, linear in the weights."""

from collections.abc import Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import KerasTensor, ops

from zoo.cells.material.base import MaterialCell, increments, require_count, require_positive
from zoo.cells.material.closed import linear_flow
from zoo.cells.material.constants import Meaning

_SYMBOLS = {"power": "c", "dashpot": "η", "stop_stiffness": "w", "stop_change": "v"}
_SYMBOLS |= {"branch_stiffness": "e", "branch_change": "u"}
_BOUND = 4.0  # of (x/X)², beyond which the stiffness of stops and branches stays as it is


class DynamicPrandtlState(NamedTuple):
    """State at the end of the step, zero in the virgin state.

    Attributes:
        stop: elongation of the spring of every friction element, within ±r_k [unit of x], (batch,
            elements).
        branch: elongation of the spring of every Maxwell branch [unit of x], (batch, branches).
    """

    stop: KerasTensor
    branch: KerasTensor


@keras.saving.register_keras_serializable("zoo")
class DynamicPrandtlCell(MaterialCell):
    """Stops, Maxwell branches and a polynomial of the loading x, with stiffness by x²:

        σ = X Σ_i c_i (x/X)^(2i−1) + η t ẋ + Σ_k (w_k + v_k q) s_k + Σ_j (e_j + u_j q) m_j,
        s_k' = min(max(s_k + Δx, −r_k), r_k),   m_j' = m_j e^(−Δt/τ_j) + ∫ e^(−(Δt−t)/τ_j) ẋ dt,
        q = min((x/X)², 4);   weights are c_i/E₀, η/E₀, ..., of size one in any unit

    The rate-independent part is the Prandtl–Ishlinskii operator (Prandtl 1928; Ishlinskii 1944),
    the branches are a Prony series: dynamic hysteresis as of ferrites, whose loops widen with the
    rate and narrow near saturation (Bertotti 1998, Hysteresis in Magnetism), or of dampers.
    Thresholds and times are given, so σ is linear in all weights and is fitted without a search:
    `zoo.identification.linear`.

    Guaranteed for any weights, states and inputs with Δt ≥ 0:
    - one step at a constant rate equals any number of steps that make it up, exactly;
    - |s_k| ≤ r_k and |m_j| ≤ τ_j max|ẋ|, so what came before a path is forgotten: stops once the
      loading has moved by 2 r_k, branches after a few τ_j;
    - the response is odd in the loading; at rest in a constant loading nothing but m_j changes.
    Weights may have either sign: dissipation ≥ 0 is not guaranteed.

    Quantities: stress (batch, 1); terms, the derivatives of the stress by the weights, in their
    order, (batch, weights); stop, (batch, elements); branch, (batch, branches).

    Args:
        thresholds: r_k, increasing, positive, in the unit of x; not trained.
        times: τ_j [s], increasing, positive; not trained.
        amplitude: X, in the unit of x, positive; not trained.
        modulus: E₀, in the unit of stress over that of x, positive: initial c_1, all else begins at
            0; not trained.
        powers: number of odd powers of x.
        show: quantities to emit.
        **kwargs: as for `keras.layers.Layer`.
    """

    State = DynamicPrandtlState
    quantity_units = MappingProxyType({"stop": "{loading}", "branch": "{loading}"})

    def __init__(
        self,
        thresholds: Sequence[float] = (0.05, 0.1, 0.2, 0.4),
        times: Sequence[float] = (0.1, 1.0),
        amplitude: float = 1.0,
        modulus: float = 1.0,
        powers: int = 4,
        show: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        require_positive(amplitude=amplitude, modulus=modulus)
        require_count(powers=powers)
        for name, values in (("thresholds", thresholds), ("times", times)):
            if not len(values) or min(values) <= 0 or (np.diff(values) <= 0).any():
                raise ValueError(
                    f"`{name}` must be positive and increasing. Received: {tuple(values)}."
                )
        self.thresholds = tuple(float(each) for each in thresholds)
        self.times = tuple(float(each) for each in times)
        self.amplitude, self.modulus, self.powers = float(amplitude), float(modulus), powers
        self.state_size = [len(self.thresholds), len(self.times)]
        visible = {"stress": 1, "terms": sum(self._sizes().values())}
        self.set_visible(visible | {"stop": len(self.thresholds), "branch": len(self.times)}, show)

    def _sizes(self) -> dict[str, int]:
        """Name of every weight -> its length, in the order of `terms`."""
        elements, branches = self.state_size
        return {
            "power": self.powers,
            "dashpot": 1,
            "stop_stiffness": elements,
            "stop_change": elements,
            "branch_stiffness": branches,
            "branch_change": branches,
        }

    def make_weights(self) -> None:
        """c_i, η, w_k, v_k, e_j and u_j over E₀; numbers of either sign."""
        first = [1.0, *[0.0] * (self.powers - 1)]
        self.parts = {
            name: self.add_weight(
                shape=(size,),
                initializer=(
                    (lambda shape, dtype=None: ops.convert_to_tensor(first, dtype))
                    if name == "power"
                    else "zeros"
                ),
                name=name,
            )
            for name, size in self._sizes().items()
        }

    def constants(self) -> dict[str, Any]:
        """c_i, η, w_k, v_k, e_j and u_j by name."""
        return {
            name: (self.modulus * ops.convert_to_numpy(each)).tolist()
            for name, each in self.parts.items()
        }

    def meanings(self, unit: str) -> list[Meaning]:
        """What each number of `constant_values` is."""
        what = {
            "power": [f"spring of power {2 * k + 1}" for k in range(self.powers)],
            "dashpot": [f"dashpot, over {self.times[0]:.3g} s"],
            "stop_stiffness": [f"element that slips at {r:.3g}" for r in self.thresholds],
            "stop_change": [f"its change, slip at {r:.3g}" for r in self.thresholds],
            "branch_stiffness": [f"branch of {t:.3g} s" for t in self.times],
            "branch_change": [f"its change, branch of {t:.3g} s" for t in self.times],
        }
        return [
            Meaning(f"{name}_{k}", f"{_SYMBOLS[name]}{k}", unit, text, False, -np.inf)
            for name, texts in what.items()
            for k, text in enumerate(texts, 1)
        ]

    def constant_values(self) -> np.ndarray:
        """The numbers that `meanings` names."""
        return np.concatenate(list(self.constants().values()))

    def step(
        self, x: KerasTensor, state: DynamicPrandtlState
    ) -> tuple[DynamicPrandtlState, dict[str, KerasTensor]]:
        """One step of (batch, 3) inputs."""
        change, dt = increments(x)
        limit = ops.convert_to_tensor(self.thresholds, change.dtype)
        stop = ops.minimum(ops.maximum(state.stop + change, -limit), limit)
        decay = dt * ops.convert_to_tensor([1.0 / each for each in self.times], change.dtype)
        branch, _, _ = linear_flow(state.branch, change, decay)
        ratio = x[..., :1] / self.amplitude
        square = ops.square(ratio)
        bounded = ops.minimum(square, _BOUND)
        terms, power = [], x[..., :1]
        for _ in range(self.powers):
            terms.append(power)
            power = power * square
        terms = ops.concatenate(
            [*terms, self.times[0] * x[..., 1:2], stop, bounded * stop, branch, bounded * branch],
            axis=-1,
        )
        terms = self.modulus * terms
        weights = ops.concatenate(
            [ops.convert_to_tensor(self.parts[name]) for name in self._sizes()], axis=-1
        )
        return DynamicPrandtlState(stop, branch), {
            "stress": ops.sum(terms * weights, axis=-1, keepdims=True),
            "terms": terms,
            "stop": stop,
            "branch": branch,
        }

    def get_config(self) -> dict[str, Any]:
        """Settings; initial values, not the trained ones."""
        names = ("thresholds", "times", "amplitude", "modulus", "powers")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
