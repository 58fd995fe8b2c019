"""The linearised minimal state cell: a network with a consistent step size."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
from keras import KerasTensor, ops

from zoo.cells.material.base import MaterialCell, increments, require_count, require_positive
from zoo.cells.material.closed import expm1_quotient


class LMSCState(NamedTuple):
    """State variables at the end of the step, each in (−1, 1), shape (batch, units)."""

    hidden: KerasTensor


@keras.saving.register_keras_serializable("zoo")
class LMSCCell(MaterialCell):
    """Linearised minimal state cell, in a form that depends on time (after Bonatti and Mohr).

    x̂ = (Δε/ε_r, Δt/t_r)/‖·‖                                     direction of the step
    z₁ = tanh(W_a [χ; x̂] + a) ∘ tanh(W_b [χ; x̂] + b)             features, and once more on z₁
    rate = exp(A z)|Δε|/ε_r + exp(B z) Δt/t_r                      length of the step
    target = tanh(C z)
    χ' = χ + (1 − e^(−rate)) (target − χ),   σ = σ_r w·χ'

    Each step solves dχ = (target − χ) d(rate) exactly with its coefficients held, as they are at
    its start (Bonatti and Mohr 2021, Science Advances 7, eabf3658; 2022, J. Mech. Phys. Solids
    158, 104697; this rate form and the biases are a variant).

    Guaranteed for any weights and inputs with Δt ≥ 0: when nothing moves, Δε = 0 and Δt = 0,
    nothing changes; χ stays in (−1, 1), so |σ| ≤ σ_r Σ|w|. Subdivided steps agree to first order
    in Δt, and exactly only where the coefficients are constant. Not guaranteed: dissipation ≥ 0,
    ∂σ'/∂σ, exact holds, oddness.

    Quantities: stress (batch, 1); hidden χ', target and rate, (batch, units); features z,
    (batch, width).

    Args:
        units: number of state variables.
        width: of the features.
        stretch_scale: ε_r [-], a typical |Δε| of the training data.
        time_scale: t_r [s], a typical Δt.
        stress_scale: σ_r, a typical stress.
        show: quantities to emit.
        **kwargs: as for `keras.layers.Layer`.
    """

    State = LMSCState

    def __init__(
        self,
        units: int = 12,
        width: int = 12,
        stretch_scale: float = 1.0,
        time_scale: float = 1.0,
        stress_scale: float = 1.0,
        show: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        require_count(units=units, width=width)
        require_positive(
            stretch_scale=stretch_scale, time_scale=time_scale, stress_scale=stress_scale
        )
        self.units, self.width = units, width
        self.stretch_scale, self.time_scale = stretch_scale, time_scale
        self.stress_scale = stress_scale
        self.state_size = units
        visible = dict.fromkeys(("hidden", "target", "rate"), units)
        self.set_visible({"stress": 1} | visible | {"features": width}, show)

    def make_weights(self) -> None:
        """Two layers of features, three maps of them, one readout."""
        width, units = self.width, self.units
        self.kernels, self.biases = [], []
        for layer, inputs in enumerate((units + 2, width)):
            # both factors side by side
            self.kernels.append(
                self.add_weight(
                    shape=(inputs, 2 * width),
                    initializer="glorot_uniform",
                    name=f"features_kernel_{layer}",
                )
            )
            self.biases.append(
                self.add_weight(
                    shape=(2 * width,),
                    # a product of two small numbers learns nothing at first
                    initializer=keras.initializers.RandomUniform(-1.0, 1.0),
                    name=f"features_bias_{layer}",
                )
            )
        maps = {"stretch_rate": units, "time_rate": units, "target": units}
        self.maps = {
            name: self.add_weight(
                shape=(width, size), initializer="glorot_uniform", name=f"{name}_kernel"
            )
            for name, size in maps.items()
        }
        self.readout = self.add_weight(
            shape=(units, 1), initializer="glorot_uniform", name="readout"
        )

    def step(self, x: KerasTensor, state: LMSCState) -> tuple[LMSCState, dict[str, KerasTensor]]:
        """One step of (batch, 3) inputs."""
        direction, strain, dt = self.direction_of(x)
        features, by_strain, by_time, target = self.coefficients(state.hidden, direction)
        rate = by_strain * strain + by_time * dt
        share = rate * expm1_quotient(-rate)  # 1 − e^(−rate)
        hidden = state.hidden + share * (target - state.hidden)
        return LMSCState(hidden), {
            "stress": self.stress_scale * ops.matmul(hidden, self.readout),
            "hidden": hidden,
            "target": target,
            "rate": rate,
            "features": features,
        }

    def direction_of(self, x: KerasTensor) -> tuple[KerasTensor, KerasTensor, KerasTensor]:
        """Direction x̂ (batch, 2), |Δε|/ε_r and Δt/t_r, (batch, 1), of inputs (batch, 3)."""
        strain, dt = increments(x)
        strain, dt = strain / self.stretch_scale, dt / self.time_scale
        length = ops.sqrt(ops.square(strain) + ops.square(dt) + 1e-12)
        return ops.concatenate([strain / length, dt / length], axis=-1), ops.abs(strain), dt

    def features_of(self, hidden: KerasTensor, direction: KerasTensor) -> KerasTensor:
        """Features z (batch, width) at a state χ (batch, units) and a direction x̂ (batch, 2)."""
        features = ops.concatenate([hidden, direction], axis=-1)
        for kernel, bias in zip(self.kernels, self.biases, strict=True):
            left, right = ops.split(ops.tanh(ops.matmul(features, kernel) + bias), 2, axis=-1)
            features = left * right
        return features

    def coefficients(
        self, hidden: KerasTensor, direction: KerasTensor
    ) -> tuple[KerasTensor, KerasTensor, KerasTensor, KerasTensor]:
        """Features, e^(Az), e^(Bz) and target at a state χ (batch, units) and a direction x̂."""
        features = self.features_of(hidden, direction)
        by_strain = ops.exp(ops.matmul(features, self.maps["stretch_rate"]))
        by_time = ops.exp(ops.matmul(features, self.maps["time_rate"]))
        return features, by_strain, by_time, ops.tanh(ops.matmul(features, self.maps["target"]))

    def get_config(self) -> dict[str, Any]:
        """Settings of the cell."""
        settings = ("units", "width", "stretch_scale", "time_scale", "stress_scale")
        return {**super().get_config(), **{name: getattr(self, name) for name in settings}}
