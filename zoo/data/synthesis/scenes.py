"""Scenes: sources with drawn parameters, mixed at a level and a signal-to-noise ratio."""

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
    """A source, how its parameters are drawn, and how loud it is.

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
NOISES = ("babble", "machinery", "rain", "traffic", "wind")  # what `speech_in_noise` draws from


@dataclass(frozen=True)
class Site:
    """A place with its microphone.

    Attributes:
        name: what to split by.
        microphone: how it colours everything.
        room_db_spl: level of the quiet room behind every scene [dB SPL].
        room: parameters of that room, see `quiet_room`.
    """

    name: str
    microphone: Response
    room_db_spl: float
    room: dict[str, Any]


def draw_site(seed: int) -> Site:
    """The place of this number."""
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
    """A recording of a scene, the same for the same arguments.

    Args:
        name: one of `SCENES`.
        seed: of everything that is drawn, 0 or more.
        duration_s: length, at least 0.25 [s].
        sample_rate_hz: at least 8000 [Hz].
        site: where it is recorded; None: a place of its own.
        noise: what `speech_in_noise` is in, one of `KINDS`; None: one of `NOISES`.
        snr_db: mean power of the speech over that of the noise, pauses included [dB]; None: drawn
            from -5 to 15.
        parameters: of the source, instead of drawn ones: `scene("rain", seed=0, drops_per_s=5)`.

    Returns:
        The clip; its level is that of the sound, 100 dB SPL being a root mean square of 1, and
        lower where peaks would be clipped. `parts` has each source and the "room" behind it, which
        is no event.

    Raises:
        ValueError: an unknown name, or a length or rate out of range.
    """
    if name not in SCENES:
        raise ValueError(f"`name` must be one of {', '.join(SCENES)}. Received: {name!r}.")
    mixed = name == "speech_in_noise"
    if not mixed and (noise is not None or snr_db is not None):
        raise ValueError("`noise` and `snr_db` belong to 'speech_in_noise'. Leave them out.")
    samples = samples_in(duration_s, sample_rate_hz, least_s=0.25, least_hz=8000)
    place = site or draw_site(seed)
    rng = stream(seed, name, place.name)
    speaker = "speech" if mixed else name
    parts, events = {}, []
    sound = _record(speaker, rng, samples, sample_rate_hz, place, parameters)
    parts[speaker] = sound.samples
    events += sound.events
    if mixed:
        drawn = (NOISES[rng.integers(len(NOISES))], rng.uniform(-5, 15))
        noise, snr_db = noise or drawn[0], drawn[1] if snr_db is None else snr_db
        if noise not in KINDS:
            raise ValueError(f"`noise` must be one of {', '.join(KINDS)}. Received: {noise!r}.")
        behind = _record(noise, rng, samples, sample_rate_hz, place, {})
        key = noise if noise != "speech" else "other speech"
        parts[key] = at_snr(sound.samples, behind.samples, snr_db)
        events += behind.events
    if name != "quiet_room":
        room = place.microphone(
            quiet_room(rng, samples, sample_rate_hz, **place.room).samples, sample_rate_hz
        )
        gain = 10 ** ((place.room_db_spl - FULL_SCALE_DB_SPL) / 20) / max(rms(room), 1e-12)
        parts["room"] = gain * room
    return assemble(parts, events, sample_rate_hz, label=name, group=place.name)


def _record(
    name: str,
    rng: np.random.Generator,
    samples: int,
    sample_rate_hz: float,
    site: Site,
    parameters: dict[str, Any],
) -> Sound:
    """A source through the microphone, at a drawn level."""
    kind = KINDS[name]
    drawn = kind.draw(rng, samples / sample_rate_hz)
    level = rng.uniform(*kind.level_db_spl)
    made = kind.make(rng, samples, sample_rate_hz, **{**drawn, **parameters})
    heard = site.microphone(made.samples, sample_rate_hz)
    heard *= 10 ** ((level - FULL_SCALE_DB_SPL) / 20) / max(rms(heard), 1e-12)
    return Sound(heard, made.events)


def at_snr(signal: np.ndarray, noise: np.ndarray, snr_db: float) -> np.ndarray:
    """`noise`, scaled so that mean(signal^2) / mean(noise^2) = 10^(snr / 10)."""
    return noise * (rms(signal) / max(rms(noise), 1e-12) * 10 ** (-snr_db / 20))


def assemble(
    parts: dict[str, np.ndarray],
    events: list[Event],
    sample_rate_hz: float,
    *,
    label: str,
    group: str,
) -> Clip:
    """Sum the parts; turn all of them down together where the sum would be clipped."""
    total = np.sum(list(parts.values()), axis=0, dtype=np.float64)
    loudest = np.abs(total).max()
    gain = 0.99 / loudest if loudest > 0.99 else 1.0
    return Clip(
        samples=(gain * total).astype(np.float32),
        sample_rate_hz=sample_rate_hz,
        label=label,
        events=tuple(sorted(events, key=lambda event: event.onset_s)),
        parts={key: (gain * part).astype(np.float32) for key, part in parts.items()},
        group=group,
    )


def samples_in(duration_s: float, sample_rate_hz: float, *, least_s: float, least_hz: float) -> int:
    """Length of a clip in samples; a `ValueError` where it makes no sense."""
    if not least_hz <= sample_rate_hz <= 192_000:
        raise ValueError(
            f"`sample_rate_hz` must lie between {least_hz:g} and 192000. "
            f"Received: {sample_rate_hz}."
        )
    if not least_s <= duration_s <= 3600:
        raise ValueError(
            f"`duration_s` must lie between {least_s:g} and 3600. Received: {duration_s}."
        )
    return round(duration_s * sample_rate_hz)
