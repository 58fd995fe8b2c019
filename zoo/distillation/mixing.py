"""Endless mixtures of a sound bank, drawn and altered in batches on any backend.

A mixture is an excerpt at a drawn speed, with one or two others behind it, through the frequency
response of a microphone and a room, in noise; or a synthetic texture in its place.
"""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import KerasTensor, ops

from zoo.data.bank import RATE_HZ, Bank
from zoo.distillation.draws import Draws

REFERENCE_DB = -20.0  # level that a clip reaches for 100 ms, as in `zoo.spectrogram.ReferenceLevel`
_KNOTS = 9  # of a frequency response, equally spaced in the logarithm of frequency
_ROOM_S = 0.5  # longest impulse response
_HARMONICS = 6


@dataclass(frozen=True)
class MixSettings:
    """How mixtures are drawn.

    Attributes:
        samples: of a mixture, at 16 kHz.
        kinds: kind of sound -> weight; clips of other kinds are left out. Within a kind every
            label is as likely as another.
        speed: share with another speed, log-uniform in 1 / `max_speed` to `max_speed`.
        max_speed: 1 or more.
        second: share with a second excerpt behind the first.
        snr_db: ratio of the first to the second [dB].
        texture: share of synthetic textures instead of an excerpt.
        response_db: deviation of the microphone's response at its knots [dB].
        room: share with a room.
        noise: share with coloured noise.
        noise_db: ratio of the mixture to the noise [dB].
        gain_db: largest gain that the student hears beside the teacher, up or down [dB].
    """

    samples: int
    kinds: dict[str, float]
    speed: float = 0.7
    max_speed: float = 1.5
    second: float = 0.5
    snr_db: tuple[float, float] = (-5.0, 25.0)
    texture: float = 0.1
    response_db: float = 4.0
    room: float = 0.3
    noise: float = 0.4
    noise_db: tuple[float, float] = (5.0, 50.0)
    gain_db: float = 30.0


@keras.saving.register_keras_serializable("zoo")
class Mixer(keras.layers.Layer):
    """Draws mixtures of a bank.

    Args:
        bank: recordings.
        settings: of the mixtures.
        seed: of all that is drawn.
        **kwargs: as for `keras.layers.Layer`.

    Raises:
        ValueError: no clip of the kinds.
    """

    def __init__(self, bank: Bank, settings: MixSettings, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.settings = settings
        rows = np.flatnonzero(bank.table["kind"].isin(settings.kinds))
        self.table = table = bank.table.iloc[rows].reset_index(drop=True)
        if not len(table):
            raise ValueError(f"The bank has no clip of {', '.join(settings.kinds)}.")
        present = table["kind"].unique()
        total = sum(settings.kinds[kind] for kind in present)
        # kind, then label, then clip: none drowns the others by its number
        labels = table.groupby("kind")["label"].transform("nunique")
        clips = table.groupby(["kind", "label"])["start"].transform("size")
        share = table["kind"].map(lambda kind: settings.kinds[str(kind)])
        weight = share / total / labels / clips
        draws = Draws(seed)
        self.uniform, self.normal = draws.uniform, draws.normal
        self.bank = self._constant("bank", bank.samples, "int16")
        self.starts = self._constant("starts", table["start"], "int32")
        self.lengths = self._constant("lengths", table["length"], "int32")
        self.loud_db = self._constant("loud_db", np.maximum(table["loud_db"], -60.0), "float32")
        self.shares = self._constant("shares", np.cumsum(weight.to_numpy()), "float32")
        self.fft = 2 ** int(np.ceil(np.log2(settings.samples + _ROOM_S * RATE_HZ)))
        bins = np.fft.rfftfreq(self.fft, 1 / RATE_HZ)
        octaves = np.log2(np.maximum(bins, 40.0) / 40.0) / np.log2(RATE_HZ / 2 / 40.0)
        place = octaves * (_KNOTS - 1)
        hats = np.maximum(0, 1 - np.abs(place[None] - np.arange(_KNOTS)[:, None]))
        self.hats = self._constant("hats", hats, "float32")  # knots to bins
        self.bins_hz = self._constant("bins_hz", bins, "float32")
        self.built = True

    def _constant(self, name: str, values: Any, dtype: str) -> Any:
        values = np.asarray(values, dtype)
        weight = self.add_weight(
            name=name, shape=values.shape, dtype=dtype, initializer="zeros", trainable=False
        )
        weight.assign(values)
        return weight

    def draw(self, batch: int) -> tuple[KerasTensor, KerasTensor, KerasTensor]:
        """Mixtures for the teacher, at a reference level, and the same at drawn gains.

        Args:
            batch: number of mixtures.

        Returns:
            Both (batch, samples) float32, and the row in `table` of the first excerpt, (batch,).
        """
        settings, shape = self.settings, (batch, 1)
        x, rows = self.excerpts(batch)
        is_texture = self.uniform(shape) < settings.texture
        x = ops.where(is_texture, self.textures(batch), x)
        ratio_db = self.uniform(shape, *settings.snr_db)
        has_second = ops.cast(self.uniform(shape) < settings.second, "float32")
        x = x + has_second * 10 ** (-ratio_db / 20) * self.excerpts(batch)[0]
        x = self.filtered(x)
        x = x * 10 ** (self.uniform(shape, -3.0, 3.0) / 20)
        # half of the students' clips are near the reference, as behind `ReferenceLevel`
        gain_db = self.uniform(shape, -settings.gain_db, settings.gain_db)
        near_db = self.uniform(shape, -3.0, 3.0)
        gain_db = ops.where(self.uniform(shape) < 0.5, gain_db, near_db)
        return x, x * 10 ** (gain_db / 20), rows

    def excerpts(self, batch: int) -> tuple[KerasTensor, KerasTensor]:
        """Excerpts (batch, samples) at drawn speeds, their clips at the reference level; rows."""
        settings, shape = self.settings, (batch, 1)
        rows = ops.searchsorted(self.shares, self.uniform((batch,)))
        rows = ops.minimum(ops.cast(rows, "int32"), self.starts.shape[0] - 1)
        start = ops.take(self.starts, rows)[:, None]
        length = ops.take(self.lengths, rows)[:, None]
        octaves = self.uniform(shape, -1.0, 1.0) * np.log2(settings.max_speed)
        speed = ops.where(self.uniform(shape) < settings.speed, 2.0**octaves, 1.0)
        first = ops.cast(length, "float32") * self.uniform(shape)
        time = ops.cast(ops.arange(settings.samples), "float32")[None] * speed
        whole = ops.floor(first)
        place = time + (first - whole)
        below = ops.floor(place)
        t = place - below
        index = ops.cast(below, "int32") + ops.cast(whole, "int32")
        # Catmull and Rom's cubic through four samples; a clip that ends starts again
        p = [
            ops.cast(ops.take(self.bank, start + ops.mod(index + k, length)), "float32")
            for k in (-1, 0, 1, 2)
        ]
        x = p[1] + 0.5 * t * (
            p[2]
            - p[0]
            + t * (2 * p[0] - 5 * p[1] + 4 * p[2] - p[3] + t * (3 * (p[1] - p[2]) + p[3] - p[0]))
        )
        gain_db = REFERENCE_DB - ops.take(self.loud_db, rows)[:, None]
        return x * (10 ** (gain_db / 20) / 32768), rows

    def textures(self, batch: int) -> KerasTensor:
        """Synthetic sound: harmonics of a gliding pitch and coloured noise, in drawn envelopes."""
        samples = self.settings.samples
        time_s = ops.cast(ops.arange(samples), "float32")[None] / RATE_HZ
        shape = (batch, 1)
        pitch = 2 ** self.uniform(shape, np.log2(60.0), np.log2(3000.0))
        glide = self.uniform(shape, -1.0, 1.0)  # octaves a second
        wobble = self.uniform(shape, 0.0, 0.3) * ops.sin(
            2 * np.pi * self.uniform(shape, 1.0, 12.0) * time_s
        )
        hz = pitch * 2 ** (glide * time_s + wobble)
        phase = 2 * np.pi * ops.cumsum(hz, axis=1) / RATE_HZ
        tone = ops.zeros((batch, samples))
        for k in range(1, _HARMONICS + 1):
            weight = ops.exp(-self.uniform(shape, 0.0, 3.0) * (k - 1))
            tone = tone + weight * ops.sin(k * phase) * ops.cast(k * hz < 7500, "float32")
        noise = self.colour(self.normal((batch, samples)), self.uniform(shape, 0.0, 1.0))
        tone = tone * self._envelope(batch, time_s)
        noise = noise * self._envelope(batch, time_s)
        share = self.uniform(shape)
        x = share * tone / (_power(tone) ** 0.5) + (1 - share) * noise / (_power(noise) ** 0.5)
        return x * (10 ** (REFERENCE_DB / 20) / (_power(x) ** 0.5))

    def _envelope(self, batch: int, time_s: KerasTensor) -> KerasTensor:
        """Periodic decays or a slow modulation, (batch, samples)."""
        shape = (batch, 1)
        rate = 2 ** self.uniform(shape, -1.0, 5.0)  # [1/s]
        turn = ops.mod(rate * time_s + self.uniform(shape), 1.0)
        decays = ops.exp(-turn * 2 ** self.uniform(shape, -2.0, 5.0))
        slow = 0.55 + 0.45 * ops.sin(2 * np.pi * turn)
        return ops.where(self.uniform(shape) < 0.6, decays, slow)

    def colour(self, noise: KerasTensor, slope: KerasTensor) -> KerasTensor:
        """White noise (batch, samples) with a power that falls as 1 / f^(2 slope)."""
        real, imaginary = ops.rfft(noise, fft_length=self.fft)
        weight = ops.maximum(self.bins_hz, 30.0)[None] ** -slope
        return ops.irfft((real * weight, imaginary * weight), self.fft)[:, : noise.shape[1]]

    def filtered(self, x: KerasTensor) -> KerasTensor:
        """Through a room and a microphone, in noise; (batch, samples)."""
        settings, (batch, samples) = self.settings, x.shape
        shape = (batch, 1)
        real, imaginary = ops.rfft(x, fft_length=self.fft)
        a, b = self._room(batch)
        real, imaginary = real * a - imaginary * b, real * b + imaginary * a
        # a frequency response of drawn strength, a share of it without its upper or lower bands
        knots_db = self.normal((batch, _KNOTS)) * self.uniform(shape) * 2 * settings.response_db
        gain = 10 ** (ops.matmul(knots_db, self.hats) / 20)
        top = ops.where(self.uniform(shape) < 0.15, self.uniform(shape, 2500.0, 7000.0), 9000.0)
        bottom = ops.where(self.uniform(shape) < 0.15, self.uniform(shape, 50.0, 400.0), 0.0)
        is_inside = (self.bins_hz[None] < top) & (self.bins_hz[None] >= bottom)
        gain = gain * ops.cast(is_inside, "float32")
        y = ops.irfft((real * gain, imaginary * gain), self.fft)[:, :samples]
        noise = self.colour(self.normal((batch, samples)), self.uniform(shape, 0.0, 1.0))
        ratio_db = self.uniform(shape, *settings.noise_db)
        has_noise = ops.cast(self.uniform(shape) < settings.noise, "float32")
        level = 10 ** ((REFERENCE_DB - ratio_db) / 20)  # of the clip's loud part, not of pauses
        return y + has_noise * level * noise / (_power(noise) ** 0.5)

    def _room(self, batch: int) -> tuple[KerasTensor, KerasTensor]:
        """Spectra of impulse responses: a direct path and noise that decays (Schroeder 1965)."""
        length, shape = round(_ROOM_S * RATE_HZ), (batch, 1)
        time_s = ops.cast(ops.arange(length), "float32")[None] / RATE_HZ
        decay_s = 2 ** self.uniform(shape, np.log2(0.1), np.log2(1.0))
        tail = self.normal((batch, length)) * ops.exp(-6.9 * time_s / decay_s)
        tail = tail / ops.sqrt(ops.sum(ops.square(tail), axis=1, keepdims=True))
        strength = 10 ** (self.uniform(shape, -20.0, 3.0) / 20)
        strength = strength * ops.cast(self.uniform(shape) < self.settings.room, "float32")
        a, b = ops.rfft(tail, fft_length=self.fft)
        scale = ops.rsqrt(1 + ops.square(strength))
        return scale * (1 + strength * a), scale * strength * b


def _power(x: KerasTensor) -> KerasTensor:
    """Mean power of each row, (batch, 1)."""
    return ops.mean(ops.square(x), axis=1, keepdims=True) + 1e-12
