"""Voices and noises for training, validation and test: synthetic ones, and those of sound banks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from zoo.data.bank import FRAME, RATE_HZ, Bank, Part, active_level, part_of, trim_silence
from zoo.data.synthesis import KINDS, NOISES
from zoo.data.synthesis.seeds import stream
from zoo.progress import track

# labels of recordings without a voice in them; sirens and horns are noise to a listener, too
NOISE_LABELS = (
    *("air_conditioner", "airplane", "car_horn", "chainsaw", "clapping", "clock_tick"),
    *("crackling_fire", "crickets", "dog_bark", "drilling", "engine", "engine_idling"),
    *("footsteps", "hand_saw", "helicopter", "insects", "jackhammer", "keyboard_typing"),
    *("mouse_click", "pouring_water", "rain", "sea_waves", "siren", "thunderstorm"),
    *("toilet_flush", "train", "vacuum_cleaner", "washing_machine", "water_drops", "wind"),
)
NOISE_KINDS = ("engine", "machine")  # of banks, whatever their labels
VOICE_KINDS = ("voice", "voice8k")
TRACK_S, PAUSE_S = 10.0, (0.08, 0.7)
MAX_VOICE_FLOOR_DB = -30.0  # noise in recordings of a voice, re its active level; see `voice_floor`
MIN_NOISE_S = 1.0


@dataclass(frozen=True)
class Sources:
    """Waveforms (samples,) at 16 kHz of a mean square of 1, by kind of source.

    Attributes:
        speech: name of the kind -> tracks of speech with pauses.
        noise: likewise, such as "synthetic babble", "recorded rain".
    """

    speech: dict[str, list[np.ndarray]]
    noise: dict[str, list[np.ndarray]]


def make_sources(bank: Bank | None, part: Part, clips: int, seed: int) -> Sources:
    """Sources of one part.

    Args:
        bank: of recordings; None: synthetic sound alone.
        part: no speaker, synthetic voice or recording is in two of them.
        clips: synthetic ones of each kind.
        seed: of all that is drawn.
    """
    samples = round(TRACK_S * RATE_HZ)
    speech: dict[str, list[np.ndarray]] = {}
    noise: dict[str, list[np.ndarray]] = {}
    for name in track(["speech", *NOISES], 1 + len(NOISES), f"synthetic sound, {part}"):
        kind = KINDS[name]
        target = speech if name == "speech" else noise
        target[f"synthetic {name}"] = []
        for number in range(clips):
            rng = stream(seed, part, name, number)
            samples_of_noise = kind.make(rng, samples, RATE_HZ, **kind.draw(rng, TRACK_S)).samples
            target[f"synthetic {name}"].append(scaled(samples_of_noise))
    if bank is not None:
        _add_recordings(bank, part, speech, noise, seed)
    return Sources(*({k: v for k, v in each.items() if v} for each in (speech, noise)))


def _add_recordings(
    bank: Bank,
    part: Part,
    speech: dict[str, list[np.ndarray]],
    noise: dict[str, list[np.ndarray]],
    seed: int,
) -> None:
    bank = trim_silence(bank)
    table = bank.table
    is_mine = np.array([part_of(str(group)) == part for group in table["group"]], bool)
    is_voice = table["kind"].isin(VOICE_KINDS).to_numpy() & is_mine
    rng = stream(seed, part, "tracks")
    for group in sorted(set(table["group"][is_voice])):
        rows = np.flatnonzero(is_voice & (table["group"] == group).to_numpy())
        utterances = [bank.clip(int(row)) for row in rows]
        tracks = list(speech_tracks(utterances, rng, tracks=10))
        if voice_floor_db(utterances) > MAX_VOICE_FLOOR_DB:
            continue  # after the draw, so that it does not depend on the limit
        speech.setdefault("recorded speech", []).extend(tracks)
    names = table["label"].where(table["label"].isin(NOISE_LABELS), table["kind"])
    for row in np.flatnonzero(is_mine & names.isin((*NOISE_LABELS, *NOISE_KINDS)).to_numpy()):
        clip = bank.clip(int(row))
        if len(clip) > MIN_NOISE_S * RATE_HZ and np.square(clip).mean() > 1e-8:
            name = f"recorded {names.iloc[row]}".replace("_", " ")
            noise.setdefault(name, []).append(scaled(clip))


def voice_floor_db(utterances: Sequence[np.ndarray]) -> float:
    """Noise that the recordings of a voice hold themselves, relative to its active level [dB].

    It counts as speech, so that a ratio above its negative is not known. It is measured where
    nobody speaks: the median over the recordings of the softer one of first and last 20 ms.

    Args:
        utterances: waveforms (samples,) at 16 kHz, without silence at their ends.
    """
    floors = []
    for each in utterances:
        ends = (np.mean(np.square(part)) for part in (each[:FRAME], each[-FRAME:]))
        floors.append(10 * np.log10(max(min(ends), 1e-12) / max(active_level(each) ** 2, 1e-12)))
    return float(np.median(floors))


def speech_tracks(
    utterances: list[np.ndarray], rng: np.random.Generator, *, tracks: int
) -> Iterator[np.ndarray]:
    """Utterances of one speaker at one level, joined with pauses of 0.08 to 0.7 s.

    Args:
        utterances: waveforms (samples,) at 16 kHz.
        rng: random stream.
        tracks: number of them, at least 10 s each.
    """
    levels = [active_level(each) for each in utterances]
    usable = [k for k, level in enumerate(levels) if level > 0]
    for _ in range(tracks if usable else 0):
        parts, length = [], 0
        while length < TRACK_S * RATE_HZ:
            k = int(rng.choice(usable))
            pause = np.zeros(round(rng.uniform(*PAUSE_S) * RATE_HZ), np.float32)
            parts += [utterances[k] / levels[k], pause]
            length += len(utterances[k]) + len(pause)
        yield scaled(np.concatenate(parts))


def scaled(x: np.ndarray) -> np.ndarray:
    """With a mean square of 1, float32."""
    return (x / max(float(np.sqrt(np.mean(np.square(x, dtype=np.float64)))), 1e-9)).astype("f4")
