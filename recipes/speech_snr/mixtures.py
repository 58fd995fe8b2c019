"""Mixtures of speech and noise whose signal-to-noise ratio and level are known at every hop.

    snr_db(t)   = 10 log10(P_speech(t) / P_noise(t)), means over the last 2 s (exponential)
    level_dba(t) = A-weighted level of the whole, "slow", re 20 uPa

Room and microphone act on speech and noise alike; the tail of a room belongs to its source, and
the noise floor of the microphone to the noise.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.signal import oaconvolve

from recipes.speech_snr.settings import TIME_CONSTANT_S
from recipes.speech_snr.sources import Sources
from zoo.data.bank import RATE_HZ
from zoo.data.sound_level import SLOW_S, a_weighted, decibels, running_mean_square
from zoo.data.synthesis.noise import coloured
from zoo.data.synthesis.response import draw_response
from zoo.data.synthesis.scenes import FULL_SCALE_DB_SPL

SNR_LIMITS_DB = (-20.0, 40.0)  # of the truth: pauses and silence have no ratio
VOICES_THAT_STOP = 1 / 3  # of those in mixtures whose level falls


@dataclass(frozen=True)
class MixtureSettings:
    """How mixtures are drawn.

    Attributes:
        seconds: of a mixture.
        hop: samples of a hop.
        snr_db: ratio of the mean powers over the whole [dB].
        level_db_spl: of the whole [dB SPL].
        change: share in which the noise gets louder or softer by up to 12 dB on the way.
        room: share with a room.
        room_s: reverberation time [s].
        floor_db_spl: noise of the microphone [dB SPL].
        speech_octaves: by which voices are played slower or faster at most, pitch and all; so are
            noises by twice as much.
        fall: share in which it gets quieter on the way, as where a talker leaves or a room is left:
            speech and noise each by up to `fall_db`, one voice in three altogether.
        fall_db: largest fall of either [dB].
    """

    seconds: float = 6.0
    hop: int = 256
    snr_db: tuple[float, float] = (-9.0, 24.0)
    level_db_spl: tuple[float, float] = (45.0, 85.0)
    change: float = 0.4
    room: float = 0.5
    room_s: tuple[float, float] = (0.15, 0.9)
    floor_db_spl: tuple[float, float] = (8.0, 26.0)
    speech_octaves: float = 0.0
    fall: float = 0.0
    fall_db: float = 60.0


class Mixture(NamedTuple):
    """A mixture and its truth.

    Attributes:
        samples: waveform (samples,) in [-1, 1].
        snr_db: at the end of each hop [dB], (hops,).
        level_dba: likewise [dB(A)].
        whole_snr_db: of the mean powers over all samples [dB].
        noise: kind of the noise.
    """

    samples: np.ndarray
    snr_db: np.ndarray
    level_dba: np.ndarray
    whole_snr_db: float
    noise: str


def draw_mixture(
    sources: Sources, rng: np.random.Generator, settings: MixtureSettings | None = None
) -> Mixture:
    """Draw a mixture: kinds of speech and noise are equally likely, then their clips."""
    settings = settings or MixtureSettings()
    samples = round(settings.seconds * RATE_HZ)
    speech, _ = _draw_excerpt(sources.speech, rng, samples, settings.speech_octaves)
    noise, kind = _draw_excerpt(sources.noise, rng, samples, 2 * settings.speech_octaves)
    if rng.uniform() < settings.change:
        start = rng.uniform(0.2, 0.8) * settings.seconds
        time_s = np.arange(samples) / RATE_HZ
        noise = noise * 10 ** (rng.uniform(-12, 12) / 20 * (time_s > start))
    if rng.uniform() < settings.room:
        speech = _in_room(speech, rng, settings.room_s)
    microphone = draw_response(rng, (30, 200), (3500, 7900), rng.uniform(0, 4))
    speech, noise = (microphone(each, RATE_HZ) for each in (speech, noise))
    noise = _to_power(noise, _power(speech) * 10 ** (-rng.uniform(*settings.snr_db) / 10))
    level_db = rng.uniform(*settings.level_db_spl) - FULL_SCALE_DB_SPL
    gain = np.sqrt(10 ** (level_db / 10) / max(_power(speech + noise), 1e-12))
    peak = float(np.abs(speech + noise).max())
    gain = min(gain, 0.99 / max(peak, 1e-9))
    slope = rng.uniform(0, 0.6)
    floor = coloured(rng, samples, RATE_HZ, lambda hz: np.maximum(hz, 30.0) ** -slope)
    floor_db = rng.uniform(*settings.floor_db_spl) - FULL_SCALE_DB_SPL
    speech, noise = gain * speech, gain * noise
    if settings.fall and rng.uniform() < settings.fall:
        speech, noise = _fallen(speech, noise, rng, settings)
    noise = noise + _to_power(floor, 10 ** (floor_db / 10))
    return _with_truth(speech, noise, kind, settings.hop)


def _fallen(
    speech: np.ndarray, noise: np.ndarray, rng: np.random.Generator, settings: MixtureSettings
) -> tuple[np.ndarray, np.ndarray]:
    """Speech and noise (samples,), each quieter from a time on by a gain of its own."""
    start = round(rng.uniform(0.1, 0.7) * len(speech))
    gains = 10 ** (-rng.uniform(0, settings.fall_db, 2) / 20)
    if rng.uniform() < VOICES_THAT_STOP:
        gains[0] = 0.0
    later = np.arange(len(speech)) >= start
    return speech * np.where(later, gains[0], 1.0), noise * np.where(later, gains[1], 1.0)


def _with_truth(speech: np.ndarray, noise: np.ndarray, kind: str, hop: int) -> Mixture:
    whole = np.clip(speech + noise, -1, 1).astype(np.float32)
    powers = [
        running_mean_square(each, hop=hop, sample_rate_hz=RATE_HZ, time_constant_s=TIME_CONSTANT_S)
        for each in (speech, noise)
    ]
    level = running_mean_square(
        a_weighted(whole, RATE_HZ), hop=hop, sample_rate_hz=RATE_HZ, time_constant_s=SLOW_S
    )
    snr_db = np.clip(decibels(powers[0]) - decibels(powers[1]), *SNR_LIMITS_DB)
    whole_snr_db = float(decibels(np.array(_power(speech))) - decibels(np.array(_power(noise))))
    return Mixture(
        whole,
        snr_db.astype(np.float32),
        (decibels(level) + FULL_SCALE_DB_SPL).astype(np.float32),
        whole_snr_db,
        kind,
    )


def _draw_excerpt(
    kinds: dict[str, list[np.ndarray]], rng: np.random.Generator, samples: int, octaves: float
) -> tuple[np.ndarray, str]:
    name = sorted(kinds)[int(rng.integers(len(kinds)))]
    clip = kinds[name][int(rng.integers(len(kinds[name])))]
    start = int(rng.integers(len(clip)))
    if octaves > 0:
        places = start + 2 ** rng.uniform(-octaves, octaves) * np.arange(samples)
        return _interpolate(clip, places), name
    return np.take(clip, np.arange(start, start + samples), mode="wrap"), name


def _interpolate(clip: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Values of an endlessly repeated clip between its samples, linear, (places,).

    As `numpy.interp` with a period, which sorts the clip every time.
    """
    before = places.astype(int)
    share = (places - before).astype(np.float32)
    left = clip[before % len(clip)]
    return left + share * (clip[(before + 1) % len(clip)] - left)


def _in_room(x: np.ndarray, rng: np.random.Generator, room_s: tuple[float, float]) -> np.ndarray:
    """Direct path and an exponential tail of 60 dB in the reverberation time (Schroeder)."""
    decay_s = float(np.exp(rng.uniform(*np.log(room_s))))
    time_s = np.arange(round(decay_s * RATE_HZ)) / RATE_HZ
    tail = rng.standard_normal(len(time_s)) * np.exp(-np.log(1e3) * time_s / decay_s)
    tail *= 10 ** (rng.uniform(-15, 3) / 20) / np.sqrt(np.square(tail).sum())
    tail[0] += 1
    return oaconvolve(x, tail.astype(np.float32))[: len(x)]


def _power(x: np.ndarray) -> float:
    return float(np.mean(np.square(x, dtype=np.float64)))


def _to_power(x: np.ndarray, power: float) -> np.ndarray:
    return x * np.sqrt(power / max(_power(x), 1e-12))
