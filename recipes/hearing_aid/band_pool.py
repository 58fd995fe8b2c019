"""Recordings as powers in the bands of the front end, and how likely each is drawn."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from recipes.hearing_aid.scene_bank import CROWD, ENGINES, MUSIC, NOISE, scene_sources
from recipes.hearing_aid.synthetic_machines import engine, fan
from zoo.data.bank import RATE_HZ, Bank, part_of, trim_silence

SOURCE_DB = -20.0  # level of the sources: a root mean square of 0.1
SPEEDS = (0.0, -0.25, 0.25)  # [octaves]
MACHINE_SPEEDS = (*SPEEDS, -0.75, -0.5, 0.5, 0.75)  # of noises and engines
SYNTHETIC = {"engine": (engine, 24), "noise": (fan, 12)}  # by formula
SPEED_SPREAD = 0.1  # of each clip around them [octaves]
SOURCE_LABELS = {"noise": NOISE, "engine": ENGINES, "music": MUSIC, "babble": CROWD}
# Kinds that are a source by themselves
KIND_SOURCES = {"machine": "noise", "engine": "engine", "crowd": "babble"}
# Labels whose recordings are drawn more often: idling engines, and the machines they are taken for
OFTEN = {
    "urban engine_idling": 2.0,
    "urban air_conditioner": 1.5,
    "urban drilling": 1.5,
    "urban jackhammer": 1.5,
}


class BandSound(NamedTuple):
    """A recording as band powers.

    Attributes:
        powers: (frames, bands) at each speed, as recorded first; of a level of `SOURCE_DB`.
        samples: waveform (samples,) of the first speed, for a teacher; empty where not kept.
        label: in its bank.
        group: recording, speaker or piece.
    """

    powers: tuple[np.ndarray, ...]
    samples: np.ndarray
    label: str
    group: str


@dataclass
class BandPool:
    """Recordings of each source, and how likely each is drawn.

    Attributes:
        sounds: source -> recordings.
        weights: source -> share of each recording.
        white: (frames, bands) powers of white noise of `SOURCE_DB`.
        hertz: centres of the bands [Hz].
    """

    sounds: dict[str, list[BandSound]]
    white: np.ndarray
    hertz: np.ndarray
    weights: dict[str, np.ndarray] = field(init=False)

    def __post_init__(self) -> None:
        self.weights = {name: draw_weights(sounds) for name, sounds in self.sounds.items()}


def draw_weights(sounds: Sequence[BandSound]) -> np.ndarray:
    """Shares (sounds,): a label counts as the root of its groups, groups of a label count alike.

    Those in `OFTEN` count more by its factor.
    """
    labels: dict[str, dict[str, int]] = {}
    for sound in sounds:
        groups = labels.setdefault(sound.label, {})
        groups[sound.group] = groups.get(sound.group, 0) + 1
    weights = np.array(
        [
            OFTEN.get(sound.label, 1.0)
            / np.sqrt(len(labels[sound.label]))
            / labels[sound.label][sound.group]
            for sound in sounds
        ]
    )
    return weights / weights.sum()


def read_pool(
    bank: Bank,
    parts: Sequence[str],
    powers_of: Callable[[np.ndarray], np.ndarray],
    hertz: np.ndarray,
    seed: int = 0,
) -> BandPool:
    """Band powers of the recordings of a bank.

    Args:
        bank: voices, noises, music.
        parts: of `part_of` to take recordings from.
        powers_of: waveform (samples,) -> powers (frames, bands) of the front end.
        hertz: centres of the bands [Hz].
        seed: of speeds and of the tracks of speech.

    Raises:
        ValueError: a source without recordings.
    """
    rng = np.random.default_rng(seed)
    tracks = scene_sources(bank, parts, seed)
    sounds: dict[str, list[BandSound]] = {name: [] for name in ("speech", *SOURCE_LABELS)}

    def add(source: str, clip: np.ndarray, label: str, group: str) -> None:
        powers = tuple(
            powers_of(_at_speed(clip, 2 ** (octaves + SPEED_SPREAD * rng.uniform(-1, 1))))
            if octaves
            else powers_of(clip)
            for octaves in (MACHINE_SPEEDS if source in SYNTHETIC else SPEEDS)
        )
        sounds[source].append(BandSound(powers, clip, label, group))

    for source, clip, label, group in _recorded_sources(trim_silence(bank), parts):
        add(source, clip, label, group)
    for source, (make, count) in SYNTHETIC.items():
        for number in range(count):
            add(source, make(rng), "synthetic", f"synthetic-{number}")
    for source in ("speech", "babble"):
        for number, track in enumerate(tracks[source]):
            if source == "babble" and number < len(tracks["babble"]) - 60:
                continue  # crowds, which are there already
            add(source, track, source, f"{source}-{number}")
    empty = [name for name, each in sounds.items() if not each]
    if empty:
        raise ValueError(f"Expected recordings of every source, got none of {', '.join(empty)}.")
    white = 0.1 * rng.standard_normal(60 * RATE_HZ).astype(np.float32)
    return BandPool(sounds, powers_of(white), hertz)


def _recorded_sources(
    bank: Bank, parts: Sequence[str]
) -> Iterator[tuple[str, np.ndarray, str, str]]:
    """Source, waveform (samples,) of the level `SOURCE_DB`, label and group of each recording."""
    table = bank.table
    for row, (kind, label, group) in enumerate(
        zip(table["kind"], table["label"], table["group"], strict=True)
    ):
        source = KIND_SOURCES.get(str(kind)) or next(
            (name for name, labels in SOURCE_LABELS.items() if (kind, label) in labels), None
        )
        clip = bank.clip(row)
        level = float(np.sqrt(np.mean(np.square(clip))))
        # kinds that are a source by themselves are not measured on: nothing of them is held out
        is_used = kind in KIND_SOURCES or part_of(str(group)) in parts
        if source and is_used and level > 1e-4 and len(clip) > RATE_HZ // 2:
            # packages name each of their machines; all of these are one label
            name = str(kind) if kind in KIND_SOURCES else f"{kind} {label}"
            yield source, (0.1 / level * clip).astype(np.float32), name, str(group)


def _at_speed(clip: np.ndarray, speed: float) -> np.ndarray:
    places = np.arange(0, len(clip) - 1, speed)
    return np.interp(places, np.arange(len(clip)), clip).astype(np.float32)
