"""Synthetic scenes: sources with random parameters, mixed at a level and signal-to-noise ratio."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from zoo.data.synthesis.machines import Vehicle, machinery, quiet_room, traffic
from zoo.data.synthesis.music import music
from zoo.data.synthesis.noise import rms
from zoo.data.synthesis.outdoors import rain, sea, wind
from zoo.data.synthesis.response import Response, draw_response
from zoo.data.synthesis.seeds import log_uniform, stream
from zoo.data.synthesis.truth import Clip, Event, Sound
from zoo.data.synthesis.voices import babble, draw_voice, speech

FULL_SCALE_DB_SPL = 100.0  # sound pressure level of a signal of root mean square 1


class Kind(NamedTuple):
    """A kind of source with the distributions of its parameters and level.

    Attributes:
        make: make(rng, samples, sample_rate_hz, **parameters) -> Sound.
        draw: draw(rng, duration_s) -> parameters.
        level_db_spl: lowest and highest level [dB SPL].
    """

    make: Callable[..., Sound]
    draw: Callable[[np.random.Generator, float], dict[str, Any]]
    level_db_spl: tuple[float, float]


def _road(rng: np.random.Generator, duration_s: float) -> dict[str, Any]:
    count = max(1, rng.poisson(0.25 * duration_s))
    vehicles = [
        Vehicle(
            passing_s=rng.uniform(0, duration_s),
            speed_m_s=rng.uniform(8, 30),
            distance_m=log_uniform(rng, 4, 25),
            firing_hz=log_uniform(rng, 35, 130),
            tyres_db=rng.uniform(0, 12),
        )
        for _ in range(count)
    ]
    return {"vehicles": vehicles, "far_db": rng.uniform(-25, -8)}


def _gears(rng: np.random.Generator, duration_s: float) -> dict[str, Any]:
    shaft = rng.uniform(10, 50)
    return {
        "shaft_hz": shaft,
        "mesh_hz": shaft * rng.integers(8, 40),
        "lines": int(rng.integers(2, 8)),
        "modulation": rng.uniform(0.2, 0.9),
        "wander": 0.003 * rng.uniform(),
        "noise_db": rng.uniform(-15, 8),
    }


KINDS: dict[str, Kind] = {
    "babble": Kind(babble, lambda rng, _: {"talkers": int(rng.integers(4, 8))}, (58, 78)),
    "machinery": Kind(machinery, _gears, (58, 82)),
    "music": Kind(
        music,
        lambda rng, _: {
            "tempo_bpm": rng.uniform(70, 160),
            "key": int(rng.integers(48, 66)),
            "brightness": rng.uniform(0.3, 0.8),
            "decay_s": log_uniform(rng, 0.2, 1.2),
        },
        (55, 82),
    ),
    "quiet_room": Kind(
        quiet_room,
        lambda rng, _: {
            "mains_hz": float(rng.choice((50, 60))),
            "hum_db": rng.uniform(-20, 3),
            "air_hz": log_uniform(rng, 80, 500),
        },
        (30, 44),
    ),
    "rain": Kind(
        rain,
        lambda rng, _: {
            "drops_per_s": log_uniform(rng, 20, 400),
            "pitch_hz": log_uniform(rng, 1200, 4500),
            "far_db": rng.uniform(-12, 12),
        },
        (48, 72),
    ),
    "sea": Kind(
        sea,
        lambda rng, _: {
            "period_s": rng.uniform(4, 10),
            "roar_hz": log_uniform(rng, 200, 700),
            "hiss_hz": log_uniform(rng, 2500, 6000),
        },
        (52, 78),
    ),
    "speech": Kind(speech, lambda rng, _: {"voice": draw_voice(rng)}, (56, 76)),
    "traffic": Kind(traffic, _road, (58, 82)),
    "wind": Kind(
        wind,
        lambda rng, _: {
            "gust_s": rng.uniform(0.8, 3.5),
            "turbulence": rng.uniform(0.15, 0.5),
            "exponent": rng.uniform(1.4, 2.8),
            "corner_hz": log_uniform(rng, 30, 250),
        },
        (58, 84),
    ),
}
SCENES = tuple(sorted([*KINDS, "speech_in_noise"]))
NOISES = ("babble", "machinery", "rain", "traffic", "wind")  # of `speech_in_noise`


@dataclass(frozen=True)
class Site:
    """A site with its microphone.

    Attributes:
        name: group to split by.
        microphone: frequency response.
        room_db_spl: level of the quiet room that is added to every scene [dB SPL].
        room: parameters of that room, see `quiet_room`.
    """

    name: str
    microphone: Response
    room_db_spl: float
    room: dict[str, Any]


def draw_site(seed: int) -> Site:
    """Draw the site of a seed, 0 or more."""
    rng = stream(seed, "site")
    quiet = KINDS["quiet_room"]
    return Site(
        name=f"site-{seed}",
        microphone=draw_response(rng, (30, 120), (4000, 9000), 2.5),
        room_db_spl=rng.uniform(*quiet.level_db_spl),
        room=quiet.draw(rng, 1.0),
    )


def scene(
    name: str,
    *,
    seed: int,
    duration_s: float = 5.0,
    sample_rate_hz: float = 16_000,
    site: Site | None = None,
    noise: str | None = None,
    snr_db: float | None = None,
    **parameters: Any,
) -> Clip:
    """Synthetic recording of a scene, the same for the same arguments.

    Args:
        name: one of `SCENES`.
        seed: of everything that is drawn, 0 or more.
        duration_s: length, at least 0.25 [s].
        sample_rate_hz: at least 8000 [Hz].
        site: of the recording; None: one of its own.
        noise: kind of the noise of `speech_in_noise`, one of `KINDS`; None: one of `NOISES`.
        snr_db: mean power of the speech over that of the noise, pauses included [dB]; None: drawn
            from -5 to 15.
        parameters: of the source in place of drawn ones: `scene("rain", seed=0, drops_per_s=5)`.

    Returns:
        The clip; a root mean square of 1 is 100 dB SPL, and the level is lower where peaks would be
        clipped. `parts` has each source and the "room", which has no event.

    Raises:
        ValueError: an unknown name, or a length or rate out of range.
    """
    if name not in SCENES:
        raise ValueError(f"`name` must be one of {', '.join(SCENES)}. Received: {name!r}.")
    mixed = name == "speech_in_noise"
    if not mixed and (noise is not None or snr_db is not None):
        raise ValueError("`noise` and `snr_db` are for 'speech_in_noise' only. Leave them out.")
    samples = clip_length(duration_s, sample_rate_hz, min_duration_s=0.25, min_rate_hz=8000)
    place = site or draw_site(seed)
    rng = stream(seed, name, place.name)
    source = "speech" if mixed else name
    sound = _record(source, rng, samples, sample_rate_hz, place, parameters)
    parts, events = {source: sound.samples}, list(sound.events)
    if mixed:
        drawn = (NOISES[rng.integers(len(NOISES))], rng.uniform(-5, 15))
        noise, snr_db = noise or drawn[0], drawn[1] if snr_db is None else snr_db
        if noise not in KINDS:
            raise ValueError(f"`noise` must be one of {', '.join(KINDS)}. Received: {noise!r}.")
        background = _record(noise, rng, samples, sample_rate_hz, place, {})
        key = noise if noise != "speech" else "other speech"
        parts[key] = at_snr(sound.samples, background.samples, snr_db)
        events += background.events
    if name != "quiet_room":
        room = quiet_room(rng, samples, sample_rate_hz, **place.room).samples
        room = place.microphone(room, sample_rate_hz)
        parts["room"] = _gain(room, place.room_db_spl) * room
    return mix_parts(parts, events, sample_rate_hz, label=name, group=place.name)


def _record(
    name: str,
    rng: np.random.Generator,
    samples: int,
    sample_rate_hz: float,
    site: Site,
    parameters: dict[str, Any],
) -> Sound:
    """A source recorded by the microphone of a site, at a random level."""
    kind = KINDS[name]
    drawn = kind.draw(rng, samples / sample_rate_hz)
    level = rng.uniform(*kind.level_db_spl)
    sound = kind.make(rng, samples, sample_rate_hz, **{**drawn, **parameters})
    recorded = site.microphone(sound.samples, sample_rate_hz)
    return Sound(_gain(recorded, level) * recorded, sound.events)


def _gain(samples: np.ndarray, level_db_spl: float) -> float:
    """Factor that sets a signal to a level [dB SPL]."""
    return 10 ** ((level_db_spl - FULL_SCALE_DB_SPL) / 20) / max(rms(samples), 1e-12)


def at_snr(signal: np.ndarray, noise: np.ndarray, snr_db: float) -> np.ndarray:
    """Scale `noise` so that mean(signal^2) / mean(noise^2) = 10^(snr / 10)."""
    return noise * (rms(signal) / max(rms(noise), 1e-12) * 10 ** (-snr_db / 20))


def mix_parts(
    parts: dict[str, np.ndarray],
    events: list[Event],
    sample_rate_hz: float,
    *,
    label: str,
    group: str,
) -> Clip:
    """Sum the parts to a clip; all are scaled down together where the sum would be clipped.

    Args:
        parts: name -> samples (samples,).
        events: of all parts.
        sample_rate_hz: [Hz].
        label: of the clip.
        group: of the clip.
    """
    total = np.sum(list(parts.values()), axis=0, dtype=np.float64)
    peak = np.abs(total).max()
    gain = 0.99 / peak if peak > 0.99 else 1.0
    return Clip(
        samples=(gain * total).astype(np.float32),
        sample_rate_hz=sample_rate_hz,
        label=label,
        events=tuple(sorted(events, key=lambda event: event.onset_s)),
        parts={key: (gain * part).astype(np.float32) for key, part in parts.items()},
        group=group,
    )


def clip_length(
    duration_s: float, sample_rate_hz: float, *, min_duration_s: float, min_rate_hz: float
) -> int:
    """Length of a clip in samples.

    Raises:
        ValueError: a length or rate out of range.
    """
    if not min_rate_hz <= sample_rate_hz <= 192_000:
        raise ValueError(
            f"`sample_rate_hz` must lie between {min_rate_hz:g} and 192000. "
            f"Received: {sample_rate_hz}."
        )
    if not min_duration_s <= duration_s <= 3600:
        raise ValueError(
            f"`duration_s` must lie between {min_duration_s:g} and 3600. Received: {duration_s}."
        )
    return round(duration_s * sample_rate_hz)
