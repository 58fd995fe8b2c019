"""Soundscapes: sound events of several kinds, some at once, in a background; with their truth.

clip = soundscape(seed=0)
clip.events  # by onset; label, onset_s, offset_s, low_hz, high_hz
"""

from collections.abc import Mapping

import numpy as np

from zoo.data.synthesis.events import EVENT_KINDS
from zoo.data.synthesis.events import RATE_HZ as EVENT_RATE_HZ
from zoo.data.synthesis.noise import rms
from zoo.data.synthesis.response import draw_response
from zoo.data.synthesis.scenes import FULL_SCALE_DB_SPL, KINDS
from zoo.data.synthesis.seeds import stream
from zoo.data.synthesis.truth import Clip, Event

RATE_HZ = 16_000
BACKGROUNDS = ("machinery", "quiet_room", "rain", "sea", "traffic", "wind")
# without "trill": hops of some 16 ms do not tell a modulation of 25 to 45 Hz from a steady tone
LABELS = ("band noise", "glide", "harmonics", "speech", "tone")
LENGTH_S, SPEECH_S = (0.25, 1.5), (0.8, 2.5)
PAUSE_S = 0.4  # at least, between two events of a label
SNR_DB = (6.0, 24.0)  # power of an event while it lasts over that of the background in its band
BACKGROUND_DB_SPL = (30.0, 62.0)
EVENTS_PER_S = 0.6
_RAMP_S = 0.01
_TRIES = 20  # to place an event


def soundscape(
    seed: int, *, duration_s: float = 10.0, snr_db: tuple[float, float] = SNR_DB
) -> Clip:
    """A soundscape at 16 kHz, the same for the same arguments.

    Args:
        seed: of everything that is drawn, 0 or more.
        duration_s: length, 3 or more [s].
        snr_db: range of the power of an event, while it lasts, over that of the background within
            its band [dB].

    Returns:
        The clip; a root mean square of 1 is 100 dB SPL. `parts` has the background and the events
        of each label.

    Raises:
        ValueError: a length below 3 s.
    """
    if duration_s < 3:
        raise ValueError(f"`duration_s` must be 3 or more. Received: {duration_s:g}.")
    rng = stream(seed, "soundscape")
    samples = round(duration_s * RATE_HZ)
    kind = KINDS[BACKGROUNDS[int(rng.integers(len(BACKGROUNDS)))]]
    background = kind.make(rng, samples, RATE_HZ, **kind.draw(rng, duration_s)).samples
    level_db = rng.uniform(*BACKGROUND_DB_SPL) - FULL_SCALE_DB_SPL
    background = background * (10 ** (level_db / 20) / max(rms(background), 1e-12))
    parts = {"background": background, **{name: np.zeros(samples) for name in LABELS}}
    events: list[Event] = []
    for _ in range(int(rng.poisson(EVENTS_PER_S * duration_s))):
        label = LABELS[int(rng.integers(len(LABELS)))]
        sound, low_hz, high_hz = _draw_event(rng, label)
        start = _find_place(rng, label, len(sound), samples, events)
        if start is None:
            continue
        stop = start + len(sound)
        noise = band_power(background[start:stop], RATE_HZ, low_hz, high_hz)
        wanted = max(noise, 1e-10) * 10 ** (rng.uniform(*snr_db) / 10)
        parts[label][start:stop] += sound * np.sqrt(wanted / np.mean(np.square(sound)))
        events.append(Event(label, start / RATE_HZ, stop / RATE_HZ, low_hz, high_hz))
    return _record(rng, parts, events, seed)


def _draw_event(rng: np.random.Generator, label: str) -> tuple[np.ndarray, float, float]:
    """Samples at 16 kHz with ramps, and the band [Hz]."""
    if label == "speech":
        length = round(rng.uniform(*SPEECH_S) * RATE_HZ)
        voice = KINDS["speech"]
        made = voice.make(rng, length, RATE_HZ, **voice.draw(rng, length / RATE_HZ))
        first = round(made.events[0].onset_s * RATE_HZ) if made.events else 0
        last = max((each.offset_s for each in made.events), default=length / RATE_HZ)
        sound, low_hz, high_hz = made.samples[first : round(last * RATE_HZ)], 100.0, 4000.0
    else:
        length = round(rng.uniform(*LENGTH_S) * EVENT_RATE_HZ)
        sound, low_hz, high_hz = EVENT_KINDS[label](rng, np.arange(length) / EVENT_RATE_HZ)
        sound = _doubled(sound)
    ramp = round(_RAMP_S * RATE_HZ)
    rise = 0.5 - 0.5 * np.cos(np.pi * (np.arange(ramp) + 0.5) / ramp)
    sound = np.array(sound, np.float64)
    sound[:ramp] *= rise
    sound[-ramp:] *= rise[::-1]
    return sound, low_hz, high_hz


def _doubled(x: np.ndarray) -> np.ndarray:
    """At twice the sample rate, by zeros in the spectrum."""
    return 2 * np.fft.irfft(np.fft.rfft(x), 2 * len(x))


def _find_place(
    rng: np.random.Generator, label: str, length: int, samples: int, events: list[Event]
) -> int | None:
    """First sample of an event that keeps its distance to others of its label; None: no place."""
    taken = [(e.onset_s - PAUSE_S, e.offset_s + PAUSE_S) for e in events if e.label == label]
    for _ in range(_TRIES):
        start = int(rng.integers(max(1, samples - length)))
        begin_s, end_s = start / RATE_HZ, (start + length) / RATE_HZ
        if end_s * RATE_HZ <= samples and not any(begin_s < b and end_s > a for a, b in taken):
            return start
    return None


def _record(
    rng: np.random.Generator, parts: Mapping[str, np.ndarray], events: list[Event], seed: int
) -> Clip:
    """Through a microphone, scaled down where peaks would be clipped."""
    microphone = draw_response(rng, (30, 150), (4000, 7900), 2.5)
    recorded = {
        name: microphone(x, RATE_HZ) for name, x in parts.items() if name == "background" or x.any()
    }
    total = np.sum(list(recorded.values()), axis=0)
    scale = min(1.0, 0.9 / max(float(np.abs(total).max()), 1e-12))
    return Clip(
        (scale * total).astype(np.float32),
        RATE_HZ,
        "soundscape",
        tuple(sorted(events, key=lambda each: each.onset_s)),
        {name: scale * x for name, x in recorded.items()},
        group=str(seed),
    )


def band_power(x: np.ndarray, sample_rate_hz: float, low_hz: float, high_hz: float) -> float:
    """Mean power of a signal within a band.

    Args:
        x: (samples,).
        sample_rate_hz: [Hz].
        low_hz: lower edge [Hz].
        high_hz: upper edge [Hz].
    """
    power = np.abs(np.fft.rfft(x)) ** 2
    hz = np.fft.rfftfreq(x.size, 1 / sample_rate_hz)
    within = (hz >= low_hz) & (hz <= high_hz)
    return float(2 * power[within].sum() / x.size**2)
