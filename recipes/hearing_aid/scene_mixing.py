"""Scenes of recordings drawn in batches on any backend: levels, rooms, microphones, changes.

All classes share levels, rooms, microphones and noise floors, so that none of them tells the class;
"quiet" alone is a matter of level.
"""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import KerasTensor, ops

from recipes.hearing_aid.classes import CLASSES
from recipes.hearing_aid.scene_bank import SOURCES
from zoo.data.bank import RATE_HZ, Bank
from zoo.data.synthesis.scenes import FULL_SCALE_DB_SPL
from zoo.distillation.draws import Draws

RMS_OF_BANK = 0.05  # of the clips of `pools_bank`
_KNOTS, _ROOM_S = 9, 1.0


@dataclass(frozen=True)
class SceneMix:
    """How scenes are drawn.

    Attributes:
        hops: of an example.
        hop: samples.
        change: share of examples in which the scene changes.
        level_db_spl: of all classes but quiet [dB SPL].
        quiet_db_spl: of quiet.
        floor_db_spl: noise of microphone and room behind everything.
        speech_snr_db: speech over its background, where it counts as speech.
        noisy_snr_db: where it counts as speech in noise.
        background: share of speech scenes with a background.
    """

    hops: int = 320
    hop: int = 256
    change: float = 0.7
    level_db_spl: tuple[float, float] = (40.0, 82.0)
    quiet_db_spl: tuple[float, float] = (12.0, 36.0)
    floor_db_spl: tuple[float, float] = (8.0, 32.0)
    speech_snr_db: tuple[float, float] = (14.0, 40.0)
    noisy_snr_db: tuple[float, float] = (-4.0, 10.0)
    background: float = 0.7


class SceneMixer(keras.layers.Layer):
    """Draws scenes of the classes with the class of every hop.

    Args:
        bank: of `pools_bank`.
        settings: of the scenes.
        seed: of all that is drawn.
        **kwargs: as for `keras.layers.Layer`.

    Raises:
        ValueError: a source without clips.
    """

    def __init__(self, bank: Bank, settings: SceneMix, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.settings = settings
        draws = Draws(seed)
        self.uniform, self.normal = draws.uniform, draws.normal
        kinds = bank.table["kind"].to_numpy()
        missing = [name for name in SOURCES if not (kinds == name).any()]
        if missing:
            raise ValueError(f"Expected clips of every source, got none of {', '.join(missing)}.")
        order = np.argsort([SOURCES.index(each) for each in kinds], kind="stable")
        counts = np.array([(kinds == name).sum() for name in SOURCES])
        self.bank = self._constant("bank", bank.samples, "int16")
        self.starts = self._constant("starts", bank.table["start"].to_numpy()[order], "int32")
        self.lengths = self._constant("lengths", bank.table["length"].to_numpy()[order], "int32")
        self.first = self._constant("first", np.cumsum(counts) - counts, "int32")
        self.counts = self._constant("counts", counts, "int32")
        self.samples = settings.hops * settings.hop
        self.fft = 2 ** int(np.ceil(np.log2(self.samples + _ROOM_S * RATE_HZ)))
        bins = np.fft.rfftfreq(self.fft, 1 / RATE_HZ)
        octaves = np.log2(np.maximum(bins, 40.0) / 40.0) / np.log2(RATE_HZ / 2 / 40.0)
        hats = np.maximum(0, 1 - np.abs(octaves * (_KNOTS - 1) - np.arange(_KNOTS)[:, None]))
        self.hats = self._constant("hats", hats, "float32")
        self.bins_hz = self._constant("bins_hz", bins, "float32")
        self.built = True

    def _constant(self, name: str, values: Any, dtype: str) -> Any:
        values = np.asarray(values, dtype)
        weight = self.add_weight(
            name=name, shape=values.shape, dtype=dtype, initializer="zeros", trainable=False
        )
        weight.assign(values)
        return weight

    def choice(self, batch: int, options: int) -> KerasTensor:
        """(batch,) int32 in 0 to options - 1."""
        drawn = ops.cast(ops.floor(self.uniform((batch,)) * options), "int32")
        return ops.minimum(drawn, options - 1)

    def draw(self, batch: int) -> tuple[KerasTensor, KerasTensor]:
        """Waveforms (batch, samples) and the class of every hop (batch, hops) int32."""
        settings, classes = self.settings, len(CLASSES)
        first = self.choice(batch, classes)
        second = ops.mod(first + 1 + self.choice(batch, classes - 1), classes)
        cut = self.uniform((batch, 1), 0.1, 0.9) * settings.hops
        cut = ops.floor(ops.where(self.uniform((batch, 1)) < settings.change, cut, 1e9))
        after = ops.cast(ops.arange(settings.hops), "float32")[None] >= cut
        truth = ops.where(after, second[:, None], first[:, None])
        later = ops.cast(ops.arange(self.samples), "float32")[None] - cut * settings.hop
        fade = ops.clip(later / (0.05 * RATE_HZ), 0.0, 1.0)  # 50 ms, from the change on
        x = (1 - fade) * self.scenes(first) + fade * self.scenes(second)
        return self.microphone(x), truth

    def draw_class(self, number: int, batch: int) -> KerasTensor:
        """Scenes of one class without a change, (batch, samples), through a microphone."""
        return self.microphone(self.scenes(ops.full((batch,), number, dtype="int32")))

    def scenes(self, kinds: KerasTensor) -> KerasTensor:
        """A scene of each class in `kinds` (batch,), (batch, samples), at its level."""
        batch, settings = kinds.shape[0], self.settings
        shape = (batch, 1)
        quiet, speech, noisy, noise, music, engine = range(len(CLASSES))
        has_speech = (kinds == speech) | (kinds == noisy)
        # sources in the order of SOURCES: speech 0, noise 1, engine 2, music 3, babble 4
        other = 1 + self.choice(batch, 2)  # noise or engine
        main = ops.where(has_speech, 0, ops.where(kinds == noise, 1, other))
        main = ops.where(kinds == music, 3, ops.where(kinds == engine, 2, main))
        x = self.excerpts(main)
        x = ops.where(has_speech[:, None], self.in_rooms(x, 0.75), self.in_rooms(x, 0.2))
        behind = ops.take(ops.convert_to_tensor([1, 1, 2, 4]), self.choice(batch, 4))
        background = self.excerpts(behind)
        clean_db = self.uniform(shape, *settings.speech_snr_db)
        is_alone = self.uniform(shape) > settings.background
        clean_db = ops.where(is_alone, 90.0, clean_db)
        noisy_db = self.uniform(shape, *settings.noisy_snr_db)
        snr_db = ops.where((kinds == noisy)[:, None], noisy_db, clean_db)
        x = x + ops.where(has_speech[:, None], 10 ** (-snr_db / 20), 0.0) * background
        # quiet: coloured noise of a room, some with a distant source in it
        room = self.coloured(batch)
        distant = 10 ** (self.uniform(shape, -20.0, 3.0) / 20)
        still = room + ops.where(self.uniform(shape) < 0.5, distant, 0.0) * x
        still = still * RMS_OF_BANK / _rms(still)
        is_quiet = (kinds == quiet)[:, None]
        # wind is noise that falls steeply and comes in gusts
        is_wind = (kinds == engine)[:, None] & (self.uniform(shape) < 0.25)
        x = ops.where(is_quiet, still, ops.where(is_wind, self.wind(batch), x))
        low, high = settings.level_db_spl
        level = ops.where(
            is_quiet, self.uniform(shape, *settings.quiet_db_spl), self.uniform(shape, low, high)
        )
        gain = 10 ** ((level - FULL_SCALE_DB_SPL) / 20) / RMS_OF_BANK
        return gain * x

    def excerpts(self, sources: KerasTensor) -> KerasTensor:
        """An excerpt of a clip of each source, at drawn speeds, (batch, samples)."""
        batch = sources.shape[0]
        shape = (batch, 1)
        count = ops.cast(ops.take(self.counts, sources), "float32")
        number = ops.cast(ops.floor(self.uniform((batch,)) * count), "int32")
        rows = ops.take(self.first, sources) + ops.minimum(number, ops.cast(count, "int32") - 1)
        start, length = ops.take(self.starts, rows)[:, None], ops.take(self.lengths, rows)[:, None]
        speed = 2 ** self.uniform(shape, -0.25, 0.25)
        speed = ops.where(self.uniform(shape) < 0.5, speed, 1.0)
        offset = ops.floor(ops.cast(length, "float32") * self.uniform(shape))
        place = ops.cast(ops.arange(self.samples), "float32")[None] * speed
        below = ops.floor(place)
        t = place - below
        index = ops.cast(below, "int32") + ops.cast(offset, "int32")
        a, b = (
            ops.cast(ops.take(self.bank, start + ops.mod(index + k, length)), "float32")
            for k in (0, 1)
        )
        return (a + t * (b - a)) / 32768

    def in_rooms(self, x: KerasTensor, share: float) -> KerasTensor:
        """Through rooms with reverberation times of 0.2 to 1.2 s, at a distance; a share of x."""
        batch, length = x.shape[0], round(_ROOM_S * RATE_HZ)
        shape = (batch, 1)
        time_s = ops.cast(ops.arange(length), "float32")[None] / RATE_HZ
        decay_s = 2 ** self.uniform(shape, np.log2(0.2), np.log2(1.2))
        tail = self.normal((batch, length)) * ops.exp(-6.9 * time_s / decay_s)
        tail = tail * ops.rsqrt(ops.sum(ops.square(tail), axis=1, keepdims=True))
        strength = 10 ** (self.uniform(shape, -18.0, 3.0) / 20)  # of the tail over the direct path
        strength = strength * ops.cast(self.uniform(shape) < share, "float32")
        a, b = ops.rfft(tail, fft_length=self.fft)
        scale = ops.rsqrt(1 + ops.square(strength))
        a, b = scale * (1 + strength * a), scale * strength * b
        real, imaginary = ops.rfft(x, fft_length=self.fft)
        y = ops.irfft((real * a - imaginary * b, real * b + imaginary * a), self.fft)
        return y[:, : self.samples]

    def coloured(self, batch: int, slopes: tuple[float, float] = (0.0, 1.1)) -> KerasTensor:
        """Noise (batch, samples) with a power that falls as 1 / f^(2 slope)."""
        real, imaginary = ops.rfft(self.normal((batch, self.samples)), fft_length=self.fft)
        slope = self.uniform((batch, 1), *slopes)
        weight = ops.maximum(self.bins_hz, 30.0)[None] ** -slope
        x = ops.irfft((real * weight, imaginary * weight), self.fft)[:, : self.samples]
        return x * RMS_OF_BANK / _rms(x)

    def wind(self, batch: int) -> KerasTensor:
        """Wind at the microphone: a steep spectrum whose level follows slow gusts."""
        time_s = ops.cast(ops.arange(self.samples), "float32")[None] / RATE_HZ
        gust_db = ops.zeros((batch, self.samples))
        for _ in range(3):
            hz = 2 ** self.uniform((batch, 1), -2.0, 2.0)
            phase = 2 * np.pi * self.uniform((batch, 1))
            depth = self.uniform((batch, 1), 0.0, 5.0)
            gust_db = gust_db + depth * ops.sin(2 * np.pi * hz * time_s + phase)
        x = self.coloured(batch, (0.8, 1.8)) * 10 ** (gust_db / 20)
        return x * RMS_OF_BANK / _rms(x)

    def microphone(self, x: KerasTensor) -> KerasTensor:
        """A microphone's response and noise floor, clipped at full scale."""
        batch, settings = x.shape[0], self.settings
        shape = (batch, 1)
        real, imaginary = ops.rfft(x, fft_length=self.fft)
        knots_db = self.normal((batch, _KNOTS)) * self.uniform(shape, 0.0, 5.0)
        gain = 10 ** (ops.matmul(knots_db, self.hats) / 20)
        top = ops.where(self.uniform(shape) < 0.3, self.uniform(shape, 3400.0, 7500.0), 9000.0)
        gain = gain / (1 + (self.bins_hz[None] / top) ** 8)
        y = ops.irfft((real * gain, imaginary * gain), self.fft)[:, : self.samples]
        floor_db = self.uniform(shape, *settings.floor_db_spl) - FULL_SCALE_DB_SPL
        floor = self.coloured(batch, (0.0, 0.8)) * (10 ** (floor_db / 20) / RMS_OF_BANK)
        return ops.clip(y + floor, -1.0, 1.0)


def _rms(x: KerasTensor) -> KerasTensor:
    return ops.sqrt(ops.mean(ops.square(x), axis=1, keepdims=True) + 1e-12)
