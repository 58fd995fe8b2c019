"""Augmentation of waveforms (batch, samples): gain, time shift, noise, room reverberation."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo.augment.base import Augmentation, check_range, clip_uniform, split_seed


@keras.saving.register_keras_serializable("zoo")
class Gain(Augmentation):
    """Random gain: y = 10^(g / 20) x, g drawn uniformly for each clip.

    Args:
        decibels: lowest and highest g [dB].
        **kwargs: of `Augmentation`.
    """

    settings = ("decibels",)

    def __init__(self, decibels: tuple[float, float] = (-6.0, 6.0), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_range("decibels", *decibels, -120, 120)
        self.decibels = tuple(decibels)

    def augment(self, x: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """(batch, samples) -> the same."""
        return x * 10.0 ** (clip_uniform(x, seed, *self.decibels) / 20.0)


@keras.saving.register_keras_serializable("zoo")
class TimeShift(Augmentation):
    """Circular shift in time: y[n] = x[(n - k) mod samples], |k| <= max_share samples, uniform.

    Spectrograms (batch, time, ...) are rotated likewise, frame by frame.

    Args:
        max_share: largest shift as a share of the clip, 0 to 1; 0.5 reaches every place.
        **kwargs: of `Augmentation`.
    """

    settings = ("max_share",)

    def __init__(self, max_share: float = 0.5, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_range("max_share", 0, max_share, 0, 1)
        self.max_share = max_share

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "TimeShift":
        """The layer that `get_config` described; `most` is the name before version 0.2."""
        return cls(**{"max_share" if key == "most" else key: config[key] for key in config})

    def augment(self, x: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """(batch, samples) or (batch, time, ...) -> the same."""
        samples = tf.shape(x)[1]
        limit = self.max_share
        share = tf.reshape(clip_uniform(x, seed, -limit, limit), (-1, 1))
        shift = tf.cast(tf.round(share * tf.cast(samples, tf.float32)), tf.int32)
        return tf.gather(x, (tf.range(samples) - shift) % samples, axis=1, batch_dims=1)


@keras.saving.register_keras_serializable("zoo")
class AddNoise(Augmentation):
    """Additive noise at a signal-to-noise ratio drawn uniformly for each clip: y = x + noise.

    mean(x^2) / mean(noise^2) = 10^(snr / 10); the noise is Gaussian with power density
    proportional to 1 / f^colour. A silent clip stays silent.

    Args:
        snr_db: lowest and highest ratio [dB].
        colour: lowest and highest exponent, drawn for each clip: 0 white, 1 pink, 2 brown.
        **kwargs: of `Augmentation`.
    """

    settings = ("snr_db", "colour")

    def __init__(
        self,
        snr_db: tuple[float, float] = (5.0, 30.0),
        colour: tuple[float, float] = (0.0, 2.0),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_range("snr_db", *snr_db, -120, 120)
        check_range("colour", *colour, -4, 4)
        self.snr_db, self.colour = tuple(snr_db), tuple(colour)

    def augment(self, x: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """(batch, samples) -> the same."""
        samples = tf.shape(x)[1]
        white = tf.random.stateless_normal(tf.shape(x), split_seed(seed, 0))
        spectrum = tf.signal.rfft(white)
        bins = tf.cast(tf.range(1, samples // 2 + 1), tf.float32)
        gain = bins ** (-clip_uniform(x, split_seed(seed, 1), *self.colour) / 2)  # (batch, bins)
        gain = tf.concat([tf.zeros_like(gain[:, :1]), gain], axis=1)  # nothing at 0 Hz
        noise = tf.signal.irfft(spectrum * tf.cast(gain, tf.complex64), samples[None])
        ratio = 10.0 ** (clip_uniform(x, split_seed(seed, 2), *self.snr_db) / 20.0)
        return x + noise * _rms(x) / (ratio * tf.maximum(_rms(noise), 1e-20))


@keras.saving.register_keras_serializable("zoo")
class Room(Augmentation):
    """Room reverberation: direct sound, then diffuse echoes that decay exponentially.

    y = x * h, h[0] = 1, h[n] = noise[n] 10^(-3 n / (rate T)) behind it, of energy
    10^(-ratio / 10): T is the time in which echoes fall by 60 dB (Polack 1988). h is scaled to an
    energy of 1, which keeps the level of noise-like sound. The tail beyond the end of the clip
    is cut off.

    Args:
        sample_rate_hz: of the waveforms [Hz].
        reverberation_s: lowest and highest T [s].
        direct_db: lowest and highest ratio of direct to reverberant energy [dB].
        **kwargs: of `Augmentation`.
    """

    settings = ("sample_rate_hz", "reverberation_s", "direct_db")

    def __init__(
        self,
        sample_rate_hz: float,
        reverberation_s: tuple[float, float] = (0.15, 0.8),
        direct_db: tuple[float, float] = (-3.0, 12.0),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_range("reverberation_s", *reverberation_s, 0.01, 10)
        check_range("direct_db", *direct_db, -60, 120)
        self.sample_rate_hz = sample_rate_hz
        self.reverberation_s, self.direct_db = tuple(reverberation_s), tuple(direct_db)
        # beyond it, echoes are 60 dB down at the longest T
        self._taps = int(np.ceil(self.reverberation_s[1] * sample_rate_hz))

    def augment(self, x: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """(batch, samples) -> the same."""
        samples, batch = tf.shape(x)[1], tf.shape(x)[0]
        time_s = tf.range(1, self._taps + 1, dtype=tf.float32) / self.sample_rate_hz
        decay = 10.0 ** (
            -3.0 * time_s / clip_uniform(x, split_seed(seed, 0), *self.reverberation_s)
        )
        echoes = decay * tf.random.stateless_normal([batch, self._taps], split_seed(seed, 1))
        echoes /= tf.norm(echoes, axis=1, keepdims=True)
        echoes *= 10.0 ** (-clip_uniform(x, split_seed(seed, 2), *self.direct_db) / 20.0)
        h = tf.concat([tf.ones([batch, 1]), echoes], axis=1)
        h /= tf.norm(h, axis=1, keepdims=True)
        length = samples + self._taps  # padded, so that no tail wraps around
        product = tf.signal.rfft(x, length[None]) * tf.signal.rfft(h, length[None])
        return tf.signal.irfft(product, length[None])[:, :samples]


def _rms(x: tf.Tensor) -> tf.Tensor:
    return tf.sqrt(tf.reduce_mean(tf.square(x), axis=1, keepdims=True))
