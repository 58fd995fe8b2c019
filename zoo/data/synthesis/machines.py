"""Synthetic traffic, machinery and quiet rooms."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from zoo.data.synthesis.noise import band_of, between, bump, coloured, harmonics, slow
from zoo.data.synthesis.truth import Event, Sound, intervals

SOUND_SPEED_M_S = 343.0
_ENGINE = 1 / np.arange(1, 9)


class Vehicle(NamedTuple):
    """A vehicle that passes on a straight road.

    Attributes:
        passing_s: time at which it is closest [s].
        speed_m_s: below that of sound [m/s].
        distance_m: from the road to the microphone [m].
        firing_hz: fundamental of the engine [Hz].
        tyres_db: power of tyre noise over that of the engine [dB]; -inf: none.
    """

    passing_s: float
    speed_m_s: float = 15.0
    distance_m: float = 8.0
    firing_hz: float = 70.0
    tyres_db: float = 6.0


def retarded(
    time_s: np.ndarray, speed_m_s: float, distance_m: float
) -> tuple[np.ndarray, np.ndarray]:
    """Retarded time and gain of sound from a moving source.

    At time s the source is at v s, at the distance sqrt(d^2 + (v s)^2), which equals c (t - s):

        s = (c^2 t - sqrt(c^2 v^2 t^2 + (c^2 - v^2) d^2)) / (c^2 - v^2)

    The pressure is proportional to 1 / (r (1 - M)^2), M the Mach number towards the microphone
    (Lighthill 1952), the frequency to ds/dt: c / (c - v) long before, c / (c + v) long after it
    passes.

    Args:
        time_s: of reception, 0 when the source is closest [s].
        speed_m_s: v [m/s].
        distance_m: d, closest distance [m].

    Returns:
        Time of emission s [s] and gain [1/m], both of the shape of `time_s`.
    """
    c, v, d = SOUND_SPEED_M_S, speed_m_s, distance_m
    difference = c**2 - v**2
    root = np.sqrt((c * v * time_s) ** 2 + difference * d**2)
    emission = (c**2 * time_s - root) / difference
    distance = c * (time_s - emission)
    return emission, distance / (distance + v**2 * emission / c) ** 2


def traffic(
    rng: np.random.Generator,
    samples: int,
    sample_rate_hz: float,
    *,
    vehicles: Sequence[Vehicle] = (Vehicle(2.5),),
    far_db: float = -20.0,
) -> Sound:
    """Passing vehicles, each with engine and tyres, and the noise of a distant road.

    Args:
        rng: random stream.
        samples: number of them.
        sample_rate_hz: [Hz].
        vehicles: that pass.
        far_db: power of the distant road over that of a vehicle 10 m away [dB]; -inf: none.

    Returns:
        Events "vehicle", while it is within 20 dB of its maximum.

    Raises:
        ValueError: a vehicle as fast as sound.
    """
    time_s = np.arange(samples) / sample_rate_hz
    tyres = between(400.0, min(1600.0, 0.4 * sample_rate_hz))
    total = 10 ** (far_db / 20 - 1) * coloured(rng, samples, sample_rate_hz, bump(300.0))
    events = []
    for vehicle in vehicles:
        if not 0 <= vehicle.speed_m_s < SOUND_SPEED_M_S:
            raise ValueError(
                f"`speed_m_s` must lie below that of sound, {SOUND_SPEED_M_S}. "
                f"Received: {vehicle.speed_m_s}."
            )
        emission, gain = retarded(time_s - vehicle.passing_s, vehicle.speed_m_s, vehicle.distance_m)
        engine = harmonics(2 * np.pi * vehicle.firing_hz * emission, _ENGINE)
        source = engine / np.sqrt(np.sum(_ENGINE**2) / 2)
        _, high = band_of(tyres, sample_rate_hz)
        if np.isfinite(vehicle.tyres_db):
            place = (emission - emission[0]) * sample_rate_hz
            noise = coloured(rng, int(place[-1]) + 2, sample_rate_hz, tyres)
            rolling = np.interp(place, np.arange(noise.size), noise)
            source += 10 ** (vehicle.tyres_db / 20) * rolling
        else:
            high = 1.2 * _ENGINE.size * vehicle.firing_hz
        total += gain * source
        near = gain > 0.1 * gain.max()
        low = 0.8 * vehicle.firing_hz
        events += [Event("vehicle", *span, low, high) for span in intervals(near, sample_rate_hz)]
    return Sound(total, events)


@dataclass(frozen=True)
class Gears:
    """Parameters of machinery.

    Attributes:
        mesh_hz: fundamental W / 2 pi, teeth times turns a second [Hz].
        shaft_hz: turns a second w / 2 pi [Hz].
        lines: harmonics of the mesh.
        modulation: m, depth of the sidebands.
        wander: standard deviation of the speed over its mean.
        noise_db: power of the noise over that of the lines [dB]; -inf: none.
    """

    mesh_hz: float = 400.0
    shaft_hz: float = 25.0
    lines: int = 5
    modulation: float = 0.5
    wander: float = 0.0
    noise_db: float = -15.0


def machinery(
    rng: np.random.Generator, samples: int, sample_rate_hz: float, **parameters: Any
) -> Sound:
    """Gears: harmonics of the mesh frequency, each with sidebands of the shaft.

    p(t) = sum_k (1 + m cos(w t + b_k)) sin(k W t) / k: lines at k mesh with sidebands at
    k mesh +- shaft, of amplitude m / 2.

    Args:
        rng: random stream.
        samples: number of them.
        sample_rate_hz: [Hz].
        parameters: fields of `Gears`.

    Returns:
        Events "line", each with its sidebands, and "noise".
    """
    gears = Gears(**parameters)
    mesh_hz, shaft_hz = gears.mesh_hz, gears.shaft_hz
    lines = max(1, min(gears.lines, int((0.45 * sample_rate_hz - shaft_hz) / mesh_hz)))
    k = np.arange(1, lines + 1)
    total = _gear_lines(rng, samples, sample_rate_hz, gears, k)
    power = np.sum(1 / k**2) / 2 * (1 + gears.modulation**2 / 2)
    shape = between(60.0, min(2 * mesh_hz, 0.4 * sample_rate_hz), order=2)
    noise = coloured(rng, samples, sample_rate_hz, shape)
    total += np.sqrt(power) * 10 ** (gears.noise_db / 20) * noise
    slack = 2.0 + 3 * gears.wander * mesh_hz * k  # [Hz]
    events = [
        Event("line", 0.0, samples / sample_rate_hz, f - shaft_hz - s, f + shaft_hz + s)
        for f, s in zip(mesh_hz * k, slack, strict=True)
    ]
    if np.isfinite(gears.noise_db):
        band = band_of(shape, sample_rate_hz)
        events.append(Event("noise", 0.0, samples / sample_rate_hz, *band))
    return Sound(total, events)


def _gear_lines(
    rng: np.random.Generator, samples: int, sample_rate_hz: float, gears: Gears, k: np.ndarray
) -> np.ndarray:
    """Modulated harmonics k (lines,) of the mesh, summed: (samples,)."""
    time_s = np.arange(samples) / sample_rate_hz
    if gears.wander:
        speed = 1 + gears.wander * slow(rng, samples, sample_rate_hz, 1.0)
        time_s = np.cumsum(speed) / sample_rate_hz
    # cos(w t + b) of all lines from one cosine and one sine
    angle = 2 * np.pi * gears.shaft_hz * time_s
    cosine, sine = np.cos(angle), np.sin(angle)
    b = rng.uniform(0, 2 * np.pi, k.size)
    swing = np.cos(b)[:, None] * cosine - np.sin(b)[:, None] * sine
    amplitudes = (1 + gears.modulation * swing) / k[:, None]
    return harmonics(2 * np.pi * gears.mesh_hz * time_s, amplitudes)


def quiet_room(
    rng: np.random.Generator,
    samples: int,
    sample_rate_hz: float,
    *,
    mains_hz: float = 50.0,
    hum_db: float = -6.0,
    air_hz: float = 200.0,
) -> Sound:
    """Noise of air and microphone, and hum of the mains.

    Args:
        rng: random stream.
        samples: number of them.
        sample_rate_hz: [Hz].
        mains_hz: 50 or 60 [Hz].
        hum_db: power of the hum over that of the air [dB]; -inf: none.
        air_hz: corner frequency below which the noise of the air is flat [Hz].

    Returns:
        One event, "room".
    """
    air = bump(air_hz)

    def shape(hz: np.ndarray) -> np.ndarray:
        return air(hz) + 1e-3  # the microphone's own noise is white

    hum = np.array([0.3, 1.0, 0.2, 0.4])
    phase = 2 * np.pi * mains_hz * np.arange(samples) / sample_rate_hz + rng.uniform(0, 6.28)
    tone = harmonics(phase, hum) / np.sqrt(np.sum(hum**2) / 2)
    total = coloured(rng, samples, sample_rate_hz, shape) + 10 ** (hum_db / 20) * tone
    _, high = band_of(shape, sample_rate_hz)
    return Sound(total, [Event("room", 0.0, samples / sample_rate_hz, 0.0, high)])
