"""The Prandtl–Ishlinskii operator: springs and friction elements in parallel, rate-independent."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import KerasTensor, ops

from zoo.cells.material.base import MaterialCell, increments, require_positive
from zoo.cells.material.constants import Meaning

_HARDENING = 1e-3  # initial share of the cubic spring in the force at the last threshold


class PrandtlState(NamedTuple):
    """Elongation of the springs, zero in the virgin state.

    Attributes:
        stop: of the spring of every friction element, within ±threshold [-], (batch, elements).
        position: sum of all increments [-], (batch, 1).
    """

    stop: KerasTensor
    position: KerasTensor


@keras.saving.register_keras_serializable("zoo")
class PrandtlIshlinskiiCell(MaterialCell):
    """Stop operators in parallel with a spring: σ = w₀ x + w₃ x³ + Σ w_k s_k, all w > 0.

        s_k' = min(max(s_k + Δx, −r_k), r_k)

    A stop is a spring in series with a friction element that slips at r_k, and x − s_k is the play
    operator of width r_k (Prandtl 1928; Ishlinskii 1944; Iwan 1966; Brokate and Sprekels 1996,
    Hysteresis and Phase Transitions). Works for stress and strain, force and displacement, and
    field from flux density: whatever pair has σ dx as its work.

    Guaranteed for any weights, states and inputs, without a Newton iteration:
    - rate independence: only Δx = λ̇ Δt enters, so a test without a time column needs none;
    - a step in one direction equals any number of steps that add up to it, exactly;
    - dissipation ≥ 0: Σ w_k |s_k'| |slip_k|, in floating point a product of non-negative numbers;
    - return-point memory: an inner loop that closes leaves the stress as it was, and is forgotten
      when the loading passes its ends (wiping out); inner loops between the same ends are congruent
      up to the spring;
    - the response is odd in the loading; without increments nothing changes.

    Quantities: stress, energy w₀ x²/2 + w₃ x⁴/4 + Σ w_k s_k²/2 and dissipation [stress], position
    [-], each (batch, 1); stop [-], (batch, elements).

    Args:
        thresholds: r_k, increasing, positive, in the unit of x; not trained.
        modulus: initial Σ w_k + w₀, in the unit of stress over that of x, positive.
        hardening: whether there is a cubic spring w₃.
        show: quantities to emit.
        **kwargs: as for `keras.layers.Layer`.
    """

    State = PrandtlState

    def __init__(
        self,
        thresholds: Sequence[float] = (0.05, 0.1, 0.2, 0.4, 0.8),
        modulus: float = 1.0,
        hardening: bool = False,
        show: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        require_positive(modulus=modulus)
        if not len(thresholds) or min(thresholds) <= 0 or (np.diff(thresholds) <= 0).any():
            raise ValueError(
                f"`thresholds` must be positive and increasing. Received: {tuple(thresholds)}."
            )
        self.thresholds = tuple(float(each) for each in thresholds)
        self.modulus, self.hardening = float(modulus), bool(hardening)
        self.state_size = [len(self.thresholds), 1]
        visible = dict.fromkeys(("stress", "energy", "dissipation"), 1)
        self.set_visible(visible | {"stop": len(self.thresholds), "position": 1}, show)

    def make_weights(self) -> None:
        """Log w_k, log w₀ and log w₃."""
        count = len(self.thresholds)
        share = self.modulus / (count + 1)
        self.log_stiffness = self.log_weight("log_stiffness", [share] * count)
        self.log_spring = self.log_weight("log_spring", share)
        if self.hardening:
            first = _HARDENING * share / self.thresholds[-1] ** 2
            self.log_hardening = self.log_weight("log_hardening", first)

    def constants(self) -> dict[str, Any]:
        """Stiffness w_k of every element, spring w₀ and hardening w₃."""
        names = ["stiffness", "spring", *(["hardening"] * self.hardening)]
        return {
            name: ops.convert_to_numpy(ops.exp(getattr(self, f"log_{name}"))).tolist()
            for name in names
        }

    def meanings(self, unit: str) -> list[Meaning]:
        """What each number of `constant_values` is."""
        rows = [
            Meaning(
                f"stiffness_{k}", f"w{k}", unit, f"stiffness of the element that slips at {r:.3g}"
            )
            for k, r in enumerate(self.thresholds, 1)
        ]
        rows.append(Meaning("spring", "w0", unit, "stiffness of the spring"))
        if self.hardening:
            rows.append(Meaning("hardening", "w3", unit, "stiffness of the cubic spring"))
        return rows

    def constant_values(self) -> np.ndarray:
        """The numbers that `meanings` names."""
        return np.concatenate([np.atleast_1d(each) for each in self.constants().values()])

    def step(
        self, x: KerasTensor, state: PrandtlState
    ) -> tuple[PrandtlState, dict[str, KerasTensor]]:
        """One step of (batch, 3) inputs."""
        stiffness, spring = ops.exp(self.log_stiffness), ops.exp(self.log_spring)
        cubic = ops.exp(self.log_hardening) if self.hardening else 0.0
        change, _ = increments(x)
        limit = ops.convert_to_tensor(self.thresholds, change.dtype)
        trial = state.stop + change
        stop = ops.minimum(ops.maximum(trial, -limit), limit)
        position = state.position + change
        square = ops.square(position)
        slip = ops.abs(trial - stop)
        force = ops.sum(stiffness * stop, axis=-1, keepdims=True)
        stored = ops.sum(stiffness * ops.square(stop), axis=-1, keepdims=True)
        lost = ops.sum(stiffness * ops.abs(stop) * slip, axis=-1, keepdims=True)
        return PrandtlState(stop, position), {
            "stress": force + position * (spring + cubic * square),
            "energy": (stored + square * (spring + cubic * square / 2.0)) / 2.0,
            "dissipation": lost,
            "stop": stop,
            "position": position,
        }

    def get_config(self) -> dict[str, Any]:
        """Settings; initial values, not the trained ones."""
        settings = ("thresholds", "modulus", "hardening")
        return {**super().get_config(), **{name: getattr(self, name) for name in settings}}
