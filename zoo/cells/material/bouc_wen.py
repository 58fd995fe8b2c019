"""Bouc–Wen hysteresis: force from displacement, and an oscillator that carries it."""

from collections.abc import Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import KerasTensor, ops

from zoo.cells.material.base import MaterialCell, increments, require_count, require_positive
from zoo.cells.material.closed import linear_flow, log_size
from zoo.cells.material.constants import Meaning


class BoucWenState(NamedTuple):
    """State at the end of the step, zero in the virgin element.

    Attributes:
        hysteretic: z [stress], (batch, 1).
        position: sum of all increments [-], (batch, 1).
    """

    hysteretic: KerasTensor
    position: KerasTensor


@keras.saving.register_keras_serializable("zoo")
class BoucWenCell(MaterialCell):
    """Bouc–Wen element in parallel with a spring and a dashpot: force from displacement.

        σ = k x + c ẋ + z,    dz = A dx − β |z|^(n−1) z |dx| − γ |z|^n dx

    with β = A θ/z₀^n and γ = A (1 − θ)/z₀^n (Bouc 1967; Wen 1976, J. Eng. Mech. 102, 249). z₀ is
    the force at which z yields, n the sharpness of the yield. A substep decays z at the rate of
    its middle, exactly; the error falls as Δx². With `size` a the spring hardens, and may do
    so to one side, as a wire-rope isolator does: k x (1 + κ₂ x/a + κ₃ x²/a²), κ₃ > κ₂²/3.

    Guaranteed for any weights, states and inputs with Δt ≥ 0, as θ ≥ ½ (β ≥ |γ|; Erlicher and Point
    2004, C. R. Mécanique 332, 51):
    - dissipation ≥ 0: ∫ z (dx − dz/A) + c ẋ² Δt, in floating point a sum of non-negative terms;
    - without a dashpot, c = 0, rate independence: only Δx = λ̇ Δt enters, so a test without a time
      column needs none;
    - energy ≥ 0, and the stiffness of the spring is positive at every x;
    - the response is odd in the loading, unless κ₂ ≠ 0; without increments nothing changes.
    It has no return-point memory: an inner loop does not close (Bouc–Wen models drift).

    Quantities: stress, energy k x² (1/2 + κ₂ x/3a + κ₃ x²/4a²) + z²/2A and dissipation [stress];
    hysteretic z [stress], position x [-], each (batch, 1).

    Args:
        modulus: initial A, in the unit of stress over that of x, positive.
        yield_stress: initial z₀, in the unit of stress, positive.
        dashpot: whether there is one, c; its force enters with the rate of the step.
        time: typical time of the loading [s], for the initial c.
        substeps: of one step, 1 or more.
        size: a, typical loading, at which κ₂ and κ₃ are shares of the stiffness; 0: the spring is
            linear.
        show: quantities to emit.
        **kwargs: as for `keras.layers.Layer`.
    """

    State = BoucWenState
    quantity_units = MappingProxyType({"hysteretic": "{response}", "position": "{loading}"})

    def __init__(
        self,
        modulus: float = 1.0,
        yield_stress: float = 1.0,
        dashpot: bool = True,
        time: float = 1.0,
        substeps: int = 4,
        size: float = 0.0,
        show: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        require_positive(modulus=modulus, yield_stress=yield_stress, time=time)
        require_count(substeps=substeps)
        if size < 0:
            raise ValueError(f"`size` must be 0 or positive. Received: {size}.")
        self.size = float(size)
        self.modulus, self.yield_stress = float(modulus), float(yield_stress)
        self.dashpot, self.time, self.substeps = bool(dashpot), float(time), substeps
        self.state_size = [1, 1]
        names = ("stress", "energy", "dissipation", "hysteretic", "position")
        self.set_visible(dict.fromkeys(names, 1), show)

    def make_weights(self) -> None:
        """Logarithms of A, z₀, n, k and c; logit of 2θ − 1; κ₂ and log(κ₃ − κ₂²/3)."""
        self.log_modulus = self.log_weight("log_modulus", self.modulus)
        self.log_yield = self.log_weight("log_yield", self.yield_stress)
        self.log_sharpness = self.log_weight("log_sharpness", 1.0)
        self.log_spring = self.log_weight("log_spring", self.modulus / 10)
        self.raw_shape = self.log_weight("raw_shape", 1.0)
        if self.dashpot:
            self.log_dashpot = self.log_weight("log_dashpot", self.modulus * self.time / 10)
        if self.size:
            self.quadratic = self.add_weight(shape=(), initializer="zeros", name="quadratic")
            self.log_hardening = self.log_weight("log_hardening", 0.1)

    def constants(self) -> dict[str, float]:
        """A, z₀, n, θ, k, c, κ₂ and κ₃."""
        names = ["modulus", "yield", "sharpness", "spring", *(["dashpot"] * self.dashpot)]
        values = {each: float(ops.exp(getattr(self, f"log_{each}"))) for each in names}
        values["shape"] = float(0.5 + 0.5 * ops.sigmoid(self.raw_shape))
        if self.size:
            values |= {"quadratic": float(self.quadratic), "cubic": float(self._cubic())}
        return values

    def _cubic(self) -> KerasTensor:
        """κ₃, by which k (1 + 2 κ₂ x/a + 3 κ₃ x²/a²) is positive at every x."""
        return ops.square(self.quadratic) / 3.0 + ops.exp(self.log_hardening)

    def meanings(self, unit: str) -> list[Meaning]:
        """What each number of `constant_values` is."""
        rows = [
            Meaning("modulus", "A", unit, "initial stiffness of the hysteretic part"),
            Meaning("yield", "z0", unit, "force at which it yields"),
            Meaning("sharpness", "n", "-", "sharpness of the yield"),
            Meaning("spring", "k", unit, "stiffness of the spring"),
        ]
        if self.dashpot:
            rows.append(Meaning("dashpot", "c", f"s {unit}", "viscosity of the dashpot"))
        rows.append(Meaning("shape", "θ", "-", "share of β in β + γ", False, 0.5))
        if self.size:
            at = f"term of the spring at {self.size:.3g}, over the linear one"
            rows += [
                Meaning("quadratic", "κ2", "-", f"quadratic {at}", False, -np.inf),
                Meaning("cubic", "κ3", "-", f"cubic {at}"),
            ]
        return rows

    def constant_values(self) -> np.ndarray:
        """The numbers that `meanings` names."""
        return np.array(list(self.constants().values()))

    def step(
        self, x: KerasTensor, state: BoucWenState
    ) -> tuple[BoucWenState, dict[str, KerasTensor]]:
        """One step of (batch, 3) inputs."""
        modulus, limit = ops.exp(self.log_modulus), ops.exp(self.log_yield)
        power, share = ops.exp(self.log_sharpness), 0.5 + 0.5 * ops.sigmoid(self.raw_shape)
        change, dt = increments(x)
        part = change / self.substeps
        size = ops.abs(part) * modulus / limit
        forward = part / ops.maximum(ops.abs(part), 1e-30)

        def pace(z: KerasTensor) -> KerasTensor:
            """Decay of z over a substep, |dz|/|z| without the drive."""
            sign = forward * z / ops.maximum(ops.abs(z), 1e-30)
            growth = ops.exp(ops.clip((power - 1.0) * log_size(z / limit), -40.0, 40.0))
            return size * growth * (share + (1.0 - share) * sign)

        z, lost = state.hysteretic, 0.0
        for _ in range(self.substeps):
            middle, _, _ = linear_flow(z, modulus * part / 2.0, pace(z) / 2.0)
            z, flow, _ = linear_flow(z, modulus * part, pace(middle))
            lost = lost + flow / modulus
        position = state.position + change
        slope, store = 1.0, 0.5  # of the spring, force/kx and energy/kx²
        if self.size:
            share, cubic = position / self.size, self._cubic()
            slope = 1.0 + share * (self.quadratic + share * cubic)
            store = 0.5 + share * (self.quadratic / 3.0 + share * cubic / 4.0)
        stress = ops.exp(self.log_spring) * position * slope + z
        if self.dashpot:
            viscous = ops.exp(self.log_dashpot) * x[..., 1:2]
            stress = stress + viscous
            lost = lost + ops.exp(self.log_dashpot) * ops.square(x[..., 1:2]) * dt
        energy = ops.exp(self.log_spring) * ops.square(position) * store
        return BoucWenState(z, position), {
            "stress": stress,
            "energy": energy + ops.square(z) / (2.0 * modulus),
            "dissipation": lost,
            "hysteretic": z,
            "position": position,
        }

    def get_config(self) -> dict[str, Any]:
        """Settings; initial values, not the trained ones."""
        settings = ("modulus", "yield_stress", "dashpot", "time", "substeps", "size")
        return {**super().get_config(), **{name: getattr(self, name) for name in settings}}


class OscillatorState(NamedTuple):
    """State at the end of the step, zero at rest; each (batch, 1).

    Attributes:
        displacement: y [length].
        velocity: ẏ [length/s].
        hysteretic: z [force].
    """

    displacement: KerasTensor
    velocity: KerasTensor
    hysteretic: KerasTensor


@keras.saving.register_keras_serializable("zoo")
class BoucWenOscillatorCell(MaterialCell):
    """Mass on a spring, a dashpot and a Bouc–Wen element: displacement from force.

        m ÿ + c ẏ + k y + z = u,    ż = α ẏ − γ |ẏ| z − δ ẏ |z|

    (Noël and Schoukens 2016, hysteretic benchmark with a dynamic nonlinearity.) Input: (force u,
    its rate u̇, Δt): the force is linear within the step. Integrated by the classical Runge–Kutta
    method in `substeps`; the error falls as Δt⁴, and as Δt² where ẏ or z changes sign.

    Guaranteed for any weights: at rest nothing changes; the response is odd in the force. δ may
    have either sign and exceed γ in size, as the benchmark's does; then the element can give energy
    back, so there is no guarantee on dissipation. The step has to resolve the oscillation:
    Runge–Kutta is unstable from Δt √((k + α)/m) = 2.8 substeps on.

    Quantities, each (batch, 1): displacement, velocity, hysteretic.

    Args:
        mass: initial m, in force s²/length, positive.
        frequency: initial natural frequency √((k + α)/m)/2π [1/s], positive.
        size: typical displacement, in its unit, positive.
        substeps: of one step, 1 or more.
        show: quantities to emit.
        **kwargs: as for `keras.layers.Layer`.
    """

    State = OscillatorState
    units_stated = True  # `meanings` has them for force and displacement
    quantity_units = MappingProxyType(
        {"displacement": "{response}", "velocity": "{response}/s", "hysteretic": "{loading}"}
    )

    def __init__(
        self,
        mass: float = 1.0,
        frequency: float = 1.0,
        size: float = 1.0,
        substeps: int = 1,
        show: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        require_positive(mass=mass, frequency=frequency, size=size)
        require_count(substeps=substeps)
        self.mass, self.frequency, self.size = float(mass), float(frequency), float(size)
        self.substeps = substeps
        self.state_size = [1, 1, 1]
        names = ("displacement", "velocity", "hysteretic")
        self.set_visible(dict.fromkeys(names, 1), show)

    def make_weights(self) -> None:
        """Logarithms of m, c, k, α and γ; δ in units of 1/size."""
        circular = 2 * np.pi * self.frequency
        stiffness = self.mass * circular**2 / 2
        self.log_mass = self.log_weight("log_mass", self.mass)
        self.log_damping = self.log_weight("log_damping", 0.02 * self.mass * circular)
        self.log_stiffness = self.log_weight("log_stiffness", stiffness)
        self.log_slope = self.log_weight("log_slope", stiffness)
        self.log_decay = self.log_weight("log_decay", 0.5 / self.size)
        self.asymmetry = self.add_weight(shape=(), initializer="zeros", name="asymmetry")

    def constants(self) -> dict[str, float]:
        """m, c, k, α, γ and δ."""
        names = ("mass", "damping", "stiffness", "slope", "decay")
        values = {each: float(ops.exp(getattr(self, f"log_{each}"))) for each in names}
        return {**values, "asymmetry": float(self.asymmetry) / self.size}

    def meanings(self, unit: str) -> list[Meaning]:
        """What each number of `constant_values` is; `unit` is that of the displacement."""
        return [
            Meaning("mass", "m", f"N s²/{unit}", "mass"),
            Meaning("damping", "c", f"N s/{unit}", "damping"),
            Meaning("stiffness", "k", f"N/{unit}", "stiffness of the spring"),
            Meaning("slope", "α", f"N/{unit}", "initial stiffness of the hysteretic element"),
            Meaning("decay", "γ", f"1/{unit}", "its decay with |velocity|"),
            Meaning("asymmetry", "δ", f"1/{unit}", "its decay with |z|", False, -np.inf),
        ]

    def constant_values(self) -> np.ndarray:
        """The numbers that `meanings` names."""
        return np.array(list(self.constants().values()))

    def step(
        self, x: KerasTensor, state: OscillatorState
    ) -> tuple[OscillatorState, dict[str, KerasTensor]]:
        """One step of (batch, 3) inputs."""
        mass, damping = ops.exp(self.log_mass), ops.exp(self.log_damping)
        stiffness, slope = ops.exp(self.log_stiffness), ops.exp(self.log_slope)
        decay, asymmetry = ops.exp(self.log_decay), self.asymmetry / self.size
        change, whole = increments(x)
        dt = whole / self.substeps

        def rates(force: KerasTensor, s: OscillatorState) -> OscillatorState:
            v, z = s.velocity, s.hysteretic
            acceleration = (force - damping * v - stiffness * s.displacement - z) / mass
            flow = slope * v - decay * ops.abs(v) * z - asymmetry * v * ops.abs(z)
            return OscillatorState(v, acceleration, flow)

        def moved(s: OscillatorState, by: KerasTensor, rate: OscillatorState) -> OscillatorState:
            return OscillatorState(*(a + by * b for a, b in zip(s, rate, strict=True)))

        for k in range(self.substeps):
            first = x[..., :1] - change * (1.0 - k / self.substeps)
            half, last = first + change / (2 * self.substeps), first + change / self.substeps
            k1 = rates(first, state)
            k2 = rates(half, moved(state, dt / 2.0, k1))
            k3 = rates(half, moved(state, dt / 2.0, k2))
            k4 = rates(last, moved(state, dt, k3))
            parts = zip(k1, k2, k3, k4, strict=True)
            mean = OscillatorState(*((a + 2.0 * b + 2.0 * c + d) / 6.0 for a, b, c, d in parts))
            state = moved(state, dt, mean)
        return state, state._asdict()

    def get_config(self) -> dict[str, Any]:
        """Settings; initial values, not the trained ones."""
        settings = ("mass", "frequency", "size", "substeps")
        return {**super().get_config(), **{name: getattr(self, name) for name in settings}}
