"""Rooms, recording chains, wind and microphones, as they act on powers in bands."""

from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter

from recipes.hearing_aid.band_pool import SOURCE_DB
from recipes.hearing_aid.classes import BOUNDARY_SNR_DB
from zoo.data.bank import RATE_HZ
from zoo.data.synthesis.scenes import FULL_SCALE_DB_SPL

KNOTS = 9  # of the response of a microphone, over the logarithm of frequency


@dataclass(frozen=True)
class BandMix:
    """How scenes are drawn.

    Attributes:
        frames: of an example.
        hop_s: of a frame [s].
        scene_s: shortest and longest scene [s].
        level_db_spl: of all classes but quiet [dB SPL].
        quiet_db_spl: of quiet.
        floor_db_spl: noise of microphone and room behind everything.
        boundary_db: signal-to-noise ratio between speech and speech in noise.
        boundary_width_db: of the logistic curve of the label around it.
        clear_db, noisy_db: ranges of the ratio of speech, and of speech in noise.
        alone: share of speech without a background.
        wind: share of synthetic wind among wind and vehicles.
        response_db: of the recording chain of each source, in nine bands [dB].
        tilt_db: of its spectrum [dB an octave].
        narrow: share of sources of a narrower band.
        two: share of noises and engines that are two at once.
        behind: share of noises, engines and music with a faint crowd or noise behind.
        pairs: share of scenes after a noise that are an engine, and the other way, beyond chance.
    """

    frames: int = 512
    hop_s: float = 0.016
    scene_s: tuple[float, float] = (1.5, 11.0)
    level_db_spl: tuple[float, float] = (38.0, 84.0)
    quiet_db_spl: tuple[float, float] = (12.0, 36.0)
    floor_db_spl: tuple[float, float] = (6.0, 30.0)
    boundary_db: float = BOUNDARY_SNR_DB
    boundary_width_db: float = 1.0
    clear_db: tuple[float, float, float] = (12.0, 20.0, 42.0)
    noisy_db: tuple[float, float] = (-4.0, 12.0)
    alone: float = 0.25
    wind: float = 0.2
    response_db: float = 5.0
    tilt_db: float = 1.5
    narrow: float = 0.15
    two: float = 0.3
    behind: float = 0.3
    pairs: float = 0.25


class BandAcoustics:
    """What rooms, recording chains, wind and microphones do to powers (frames, bands).

    Args:
        hertz: centres of the bands [Hz].
        white: (frames, bands) powers of white noise of `SOURCE_DB`.
        settings: of the scenes.
    """

    def __init__(self, hertz: np.ndarray, white: np.ndarray, settings: BandMix) -> None:
        self.hertz, self.white, self.settings = hertz, white, settings
        # bands hold a density, as the mel filters have unit area
        self.widths = np.gradient(hertz).astype(np.float32)
        self.white_power = float(np.mean(white @ self.widths))
        self.octaves = np.log2(np.maximum(hertz, 40.0) / 40.0) / np.log2(RATE_HZ / 80.0)

    def recorded(self, rng: np.random.Generator, x: np.ndarray) -> np.ndarray:
        """Through another recording chain: response, tilt, perhaps a narrower band; same level."""
        settings = self.settings
        gain_db = rng.uniform(0, settings.response_db) * self.smooth(rng)
        octaves = np.log2(np.maximum(self.hertz, 40.0) / 1000.0)
        gain_db += rng.uniform(-settings.tilt_db, settings.tilt_db) * octaves
        gain = 10 ** (gain_db / 10)
        if rng.uniform() < settings.narrow:
            gain /= (1 + (self.hertz / rng.uniform(3400, 7500)) ** 8) ** 2
        mean = np.mean(x, axis=0) @ self.widths
        y = x * gain.astype(np.float32)
        return y * (mean / (np.mean(y, axis=0) @ self.widths + 1e-20))

    def smooth(self, rng: np.random.Generator) -> np.ndarray:
        """A smooth curve over the bands, (bands,), of standard deviation 1 in nine of them."""
        return np.interp(self.octaves, np.linspace(0, 1, KNOTS), rng.standard_normal(KNOTS))

    def room(self, rng: np.random.Generator, x: np.ndarray, share: float) -> np.ndarray:
        """Through a room: powers smeared by an exponential decay of 60 dB in 0.2 to 1.2 s."""
        if rng.uniform() >= share:
            return x
        decay_s = 2 ** rng.uniform(np.log2(0.2), np.log2(1.2))
        memory = np.exp(-6 * np.log(10) * self.settings.hop_s / decay_s)
        strength = 10 ** (rng.uniform(-18, 3) / 10)
        tail = np.asarray(lfilter([1 - memory], [1, -memory], x, axis=0), np.float32)
        # colouration by the modes of the room, and their fluctuation
        tail *= 10 ** (0.15 * rng.standard_normal(x.shape[1]).astype(np.float32))
        return (x + strength * tail) / (1 + strength)

    def coloured(
        self, rng: np.random.Generator, frames: int, slopes: tuple[float, float]
    ) -> np.ndarray:
        """Powers of noise that fall as 1 / f^(2 slope), of the level of white noise."""
        start = int(rng.integers(len(self.white) - frames))
        shape = np.maximum(self.hertz, 30.0) ** (-2 * rng.uniform(*slopes))
        x = self.white[start : start + frames] * shape.astype(np.float32)
        return self.at_source_level(x)

    def wind(self, rng: np.random.Generator, frames: int) -> np.ndarray:
        """Wind at the microphone: a steep spectrum whose level follows slow gusts."""
        time_s = self.settings.hop_s * np.arange(frames)
        gust_db = np.zeros(frames)
        for _ in range(3):
            turns = 2 ** rng.uniform(-2, 2) * time_s + rng.uniform()
            gust_db += rng.uniform(0, 5) * np.sin(2 * np.pi * turns)
        x = self.coloured(rng, frames, (0.8, 1.8)) * 10 ** (gust_db[:, None] / 10)
        return self.at_source_level(x)

    def microphone(self, rng: np.random.Generator, x: np.ndarray) -> np.ndarray:
        """A microphone's response and noise floor."""
        gain = 10 ** (rng.uniform(0, 4) * self.smooth(rng) / 10)
        if rng.uniform() < 0.3:
            gain /= (1 + (self.hertz / rng.uniform(3400, 7500)) ** 8) ** 2
        floor_db = rng.uniform(*self.settings.floor_db_spl) - FULL_SCALE_DB_SPL - SOURCE_DB
        floor = self.coloured(rng, len(x), (0.0, 0.8)) * 10 ** (floor_db / 10)
        return x * gain.astype(np.float32) + floor.astype(np.float32)

    def at_source_level(self, x: np.ndarray) -> np.ndarray:
        """Powers scaled to the level of the sources, that of the white noise."""
        return (x * (self.white_power / (np.mean(x @ self.widths) + 1e-20))).astype(np.float32)
