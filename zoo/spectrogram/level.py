"""Level of a spectrogram: decibel, logarithm, or per-channel energy normalisation (PCEN)."""

from typing import Any, Literal

import keras
import numpy as np
from keras import KerasTensor, ops

from zoo.spectrogram.base import Float32Layer
from zoo.spectrogram.settings import FrontEnd

# The smoother decays by a constant factor a frame; frames with a weight below this are dropped.
_MIN_WEIGHT = 1e-9
# Marks a smoother before the first frame; energies are never negative.
_EMPTY_SMOOTHER = -1.0


@keras.saving.register_keras_serializable("zoo")
class LogScale(Float32Layer):
    """Logarithm of a spectrogram of any shape.

    decibel: y = (20 / power) log10(max(x, floor)) [dB]; log: y = ln(x + floor). The floor is
    a constant, not taken from the loudest value of a batch, so clips do not affect each other.

    Args:
        level: "decibel" or "log".
        floor: lower limit of x, in its unit.
        power: 1 if x is a magnitude, 2 if it is a power; for decibels only.
        **kwargs: as for `keras.layers.Layer`.

    Raises:
        ValueError: an unknown level, or a floor that is not positive.
    """

    def __init__(
        self,
        level: Literal["decibel", "log"] = "decibel",
        floor: float = 1e-10,
        power: Literal[1, 2] = 2,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if level not in ("decibel", "log"):
            raise ValueError(f"`level` must be 'decibel' or 'log'. Received: {level!r}.")
        if floor <= 0:
            raise ValueError(f"`floor` must be positive. Received: {floor}.")
        self.level, self.floor, self.power = level, floor, power
        self.built = True

    def call(self, x: KerasTensor) -> KerasTensor:
        """Level, of the shape of x."""
        if self.level == "log":
            return ops.log(x + self.floor)
        return (20.0 / self.power / np.log(10.0)) * ops.log(ops.maximum(x, self.floor))

    def compute_output_shape(self, x_shape: tuple) -> tuple:
        """The shape of x."""
        return tuple(x_shape)

    def get_config(self) -> dict[str, Any]:
        """Settings as plain values."""
        return {
            **super().get_config(),
            "level": self.level,
            "floor": self.floor,
            "power": self.power,
        }


@keras.saving.register_keras_serializable("zoo")
class PCEN(Float32Layer):
    """Per-channel energy normalisation (Wang et al. 2017): automatic gain, then compression.

    m[t] = (1 - b) m[t - 1] + b s x[t]
    y[t] = (s x[t] / (eps + m[t])^gain + bias)^power - bias^power

    with b = (sqrt(1 + 4 T^2) - 1) / (2 T^2), T = time_constant_s * frame_rate_hz.
    (batch, time, bands) in and out. A gain of 0.98 removes nearly all of the absolute level.

    Args:
        frame_rate_hz: frames a second [Hz].
        time_constant_s: of the smoother m [s].
        gain: strength of the gain control, 0 to 1.
        bias: energies far below it stay small; positive.
        power: exponent of the compression, 0 to 1.
        eps: keeps the gain finite in silence; positive.
        scale: s. The constants above were chosen for magnitudes of samples in [-2^31, 2^31]; ours
            lie in [-1, 1]. Use its square for powers.
        initial: m before the first frame, times s. None: s x[0], so that a clip starts in its
            steady state; librosa's default is 1.
        **kwargs: as for `keras.layers.Layer`.

    Raises:
        ValueError: settings out of range.
    """

    def __init__(
        self,
        frame_rate_hz: float,
        time_constant_s: float = 0.4,
        gain: float = 0.98,
        bias: float = 2.0,
        power: float = 0.5,
        eps: float = 1e-6,
        scale: float = 2.0**31,
        initial: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if min(frame_rate_hz, time_constant_s, bias, power, eps, scale) <= 0 or not 0 <= gain <= 1:
            raise ValueError(
                "Rate, time constant, bias, power, eps and scale must be positive, gain in [0, 1]. "
                f"Received: {frame_rate_hz=}, {time_constant_s=}, {bias=}, {power=}, {eps=}, "
                f"{scale=}, {gain=}."
            )
        self.frame_rate_hz, self.time_constant_s = frame_rate_hz, time_constant_s
        self.gain, self.bias, self.power, self.eps = gain, bias, power, eps
        self.scale, self.initial = scale, initial
        self.built = True

    @property
    def smoothing(self) -> float:
        """b, the weight of the newest frame in the smoother, 0 to 1."""
        frames = self.time_constant_s * self.frame_rate_hz
        return (np.sqrt(1 + 4 * frames**2) - 1) / (2 * frames**2)

    @property
    def initial_smoother(self) -> float:
        """Smoother before the first frame, for `step`."""
        return _EMPTY_SMOOTHER if self.initial is None else self.initial

    def call(self, x: KerasTensor) -> KerasTensor:
        """PCEN of a whole clip, (batch, time, bands)."""
        x = self.scale * x
        return self._compress(x, self._smooth(x))

    def step(self, x: KerasTensor, smoother: KerasTensor) -> tuple[KerasTensor, KerasTensor]:
        """One frame: x (batch, bands) and smoother (batch, bands) -> y and the next smoother."""
        x = self.scale * x
        before = smoother
        if self.initial is None:
            before = ops.where(smoother < 0, x, smoother)
        smoother = (1 - self.smoothing) * before + self.smoothing * x
        return self._compress(x, smoother), smoother

    def _compress(self, x: KerasTensor, smoother: KerasTensor) -> KerasTensor:
        loudness = x * ops.power(self.eps + smoother, -self.gain)
        return ops.power(loudness + self.bias, self.power) - self.bias**self.power

    def _smooth(self, x: KerasTensor) -> KerasTensor:
        """The smoother of every frame at once, (batch, time, bands).

        After k iterations each frame holds the newest 2^k terms of m[t] = sum_n (1 - b)^n b
        x[t - n]; the next one adds as many older terms, taken from the frame 2^k earlier.
        """
        decay = 1 - self.smoothing
        before = x[:, :1] if self.initial is None else self.initial
        first = self.smoothing * x[:, :1] + decay * before
        smoother = ops.concatenate([first, self.smoothing * x[:, 1:]], axis=1)
        length = ops.shape(x)[1]
        reach = 1
        while decay > _MIN_WEIGHT and not (isinstance(length, int) and reach >= length):
            earlier = ops.pad(smoother, ((0, 0), (reach, 0), (0, 0)))[:, :length]
            smoother = smoother + decay * earlier
            decay, reach = decay**2, 2 * reach
        return smoother

    def compute_output_shape(self, x_shape: tuple) -> tuple:
        """The shape of x."""
        return tuple(x_shape)

    def get_config(self) -> dict[str, Any]:
        """Settings as plain values."""
        names = (
            *("frame_rate_hz", "time_constant_s", "gain", "bias", "power", "eps", "scale"),
            "initial",
        )
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def level_layer(front_end: FrontEnd) -> LogScale | PCEN | None:
    """The layer for the level of a front end; None for a linear one."""
    if front_end.level == "linear":
        return None
    if front_end.level == "pcen":
        scale = 2.0 ** (31 * front_end.power)
        return PCEN(front_end.frame_rate_hz, scale=scale, name="pcen")
    return LogScale(front_end.level, front_end.floor, front_end.power, name="log_scale")
