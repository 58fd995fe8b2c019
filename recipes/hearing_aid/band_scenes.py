"""Scenes mixed as powers in the bands of the front end: many times cheaper than waveforms.

Powers of independent sounds add on average, rooms smooth and delay them, microphones weight bands.
A batch of `recipes.hearing_aid.scene_mixing` takes a processor five times as long as the training
step; this takes a tenth of it. Measurements are made on waveforms.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from scipy.signal import lfilter

from recipes.hearing_aid.classes import BOUNDARY_SNR_DB, CLASSES
from recipes.hearing_aid.scene_bank import (
    CROWD,
    ENGINES,
    MUSIC,
    NOISE,
    scene_sources,
)
from recipes.hearing_aid.synthetic_machines import engine, fan
from zoo.data.bank import RATE_HZ, Bank, part_of, trim_silence
from zoo.data.synthesis.scenes import FULL_SCALE_DB_SPL

SOURCE_DB = -20.0  # level of the sources: a root mean square of 0.1
SPEEDS = (0.0, -0.25, 0.25)  # [octaves]
MACHINE_SPEEDS = (*SPEEDS, -0.75, -0.5, 0.5, 0.75)  # of noises and engines
SYNTHETIC = {"engine": (engine, 24), "noise": (fan, 12)}  # by formula
KNOTS = 9  # of the response of a microphone, over the logarithm of frequency
SPEED_SPREAD = 0.1  # of each clip around them [octaves]
QUIET, SPEECH, NOISY, NOISE_CLASS, MUSIC_CLASS, ENGINE = range(len(CLASSES))
SOURCE_LABELS = {"noise": NOISE, "engine": ENGINES, "music": MUSIC, "babble": CROWD}
KIND_SOURCES = {"machine": "noise", "engine": "engine"}  # kinds that are a source by themselves
# Labels whose recordings are drawn more often: idling engines, and the machines they are taken for
OFTEN = {
    "urban engine_idling": 2.0,
    "urban air_conditioner": 1.5,
    "urban drilling": 1.5,
    "urban jackhammer": 1.5,
}


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
    bank = trim_silence(bank)
    table = bank.table
    sounds: dict[str, list[BandSound]] = {name: [] for name in ("speech", *SOURCE_LABELS)}

    def add(source: str, clip: np.ndarray, label: str, group: str) -> None:
        powers = tuple(
            powers_of(_at_speed(clip, 2 ** (octaves + SPEED_SPREAD * rng.uniform(-1, 1))))
            if octaves
            else powers_of(clip)
            for octaves in (MACHINE_SPEEDS if source in SYNTHETIC else SPEEDS)
        )
        sounds[source].append(BandSound(powers, clip, label, group))

    for row, (kind, label, group) in enumerate(
        zip(table["kind"], table["label"], table["group"], strict=True)
    ):
        source = KIND_SOURCES.get(str(kind)) or next(
            (name for name, wanted in SOURCE_LABELS.items() if (kind, label) in wanted), None
        )
        clip = bank.clip(row)
        level = float(np.sqrt(np.mean(np.square(clip))))
        # kinds that are a source by themselves are not measured on: nothing of them is held out
        is_used = kind in KIND_SOURCES or part_of(str(group)) in parts
        if source and is_used and level > 1e-4 and len(clip) > RATE_HZ // 2:
            # packages name each of their machines; all of these are one label
            name = str(kind) if kind in KIND_SOURCES else f"{kind} {label}"
            add(source, (0.1 / level * clip).astype(np.float32), name, str(group))
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


def _at_speed(clip: np.ndarray, speed: float) -> np.ndarray:
    places = np.arange(0, len(clip) - 1, speed)
    return np.interp(places, np.arange(len(clip)), clip).astype(np.float32)


class BandMixer:
    """Draws batches of scenes as band levels.

    Args:
        pool: recordings.
        settings: of the scenes.
        targets: source -> (sounds, width) what a teacher says of each recording; or none.
    """

    def __init__(
        self, pool: BandPool, settings: BandMix, targets: dict[str, np.ndarray] | None = None
    ) -> None:
        self.pool, self.settings = pool, settings
        self.targets = targets or {}
        self.width = next((each.shape[1] for each in self.targets.values()), 0)
        # bands hold a density, as the mel filters have unit area
        self.widths = np.gradient(pool.hertz).astype(np.float32)
        self.white_power = float(np.mean(pool.white @ self.widths))
        self.octaves = np.log2(np.maximum(pool.hertz, 40.0) / 40.0) / np.log2(RATE_HZ / 80.0)
        self.cumulated = {name: np.cumsum(each) for name, each in pool.weights.items()}

    def draw(self, rng: np.random.Generator, batch: int) -> tuple[np.ndarray, ...]:
        """Levels, labels, and the teacher's targets with their weights.

        Returns:
            (batch, frames, bands, 1) [dB], (batch, frames, classes), (batch, frames, width),
            (batch, frames).
        """
        settings, bands = self.settings, len(self.pool.hertz)
        x = np.empty((batch, settings.frames, bands), np.float32)
        y = np.zeros((batch, settings.frames, len(CLASSES)), np.float32)
        target = np.zeros((batch, settings.frames, self.width), np.float32)
        weight = np.zeros((batch, settings.frames), np.float32)
        for row in range(batch):
            start, kind = 0, int(rng.integers(len(CLASSES)))
            while start < settings.frames:
                length = round(rng.uniform(*settings.scene_s) / settings.hop_s)
                if settings.frames - start - length < settings.scene_s[0] / settings.hop_s:
                    length = settings.frames - start
                part = slice(start, min(start + length, settings.frames))
                scene, share, teacher = self.scene(rng, kind, part.stop - part.start)
                x[row, part] = scene
                y[row, part, kind] = 1 - share
                if share:
                    y[row, part, NOISY + SPEECH - kind] = share
                if teacher is not None:
                    target[row, part], weight[row, part.start + 30 : part.stop] = teacher, 1
                start = part.stop
                kind = self.next_kind(rng, kind)
            x[row] = self.microphone(rng, x[row])
        levels = 10 * np.log10(np.maximum(x, 1e-10))
        return levels[..., None], y, target, weight

    def next_kind(self, rng: np.random.Generator, kind: int) -> int:
        """Class after `kind`: another one, noise and engines after each other more often."""
        if kind in (NOISE_CLASS, ENGINE) and rng.uniform() < self.settings.pairs:
            return NOISE_CLASS + ENGINE - kind
        return (kind + 1 + int(rng.integers(len(CLASSES) - 1))) % len(CLASSES)

    def scene(
        self, rng: np.random.Generator, kind: int, frames: int
    ) -> tuple[np.ndarray, float, np.ndarray | None]:
        """Powers (frames, bands) of a scene, share of the other speech class, teacher's target."""
        settings = self.settings
        low, high = settings.quiet_db_spl if kind == QUIET else settings.level_db_spl
        gain = 10 ** ((rng.uniform(low, high) - FULL_SCALE_DB_SPL - SOURCE_DB) / 10)
        share, teacher = 0.0, None
        if kind in (SPEECH, NOISY):
            x, _ = self.excerpt(rng, "speech", frames)
            x = self.room(rng, x, 0.75)
            if kind == NOISY or rng.uniform() >= settings.alone:
                snr_db = self.draw_snr(rng, kind)
                behind = ("noise", "noise", "engine", "babble")[int(rng.integers(4))]
                x = x + 10 ** (-snr_db / 10) * self.excerpt(rng, behind, frames)[0]
                over = (snr_db - settings.boundary_db) / settings.boundary_width_db
                noisy = 1 / (1 + np.exp(over))
                share = 1 - noisy if kind == NOISY else noisy
        elif kind == QUIET:
            x = self.coloured(rng, frames, (0.0, 1.1))
            if rng.uniform() < 0.5:
                source = ("noise", "engine", "babble", "music")[int(rng.integers(4))]
                x = x + 10 ** (rng.uniform(-20, 3) / 10) * self.excerpt(rng, source, frames)[0]
            x = self.at_source_level(x)
        elif kind == ENGINE and rng.uniform() < settings.wind:
            x = self.wind(rng, frames)
        else:
            source = {NOISE_CLASS: "noise", MUSIC_CLASS: "music", ENGINE: "engine"}[kind]
            x, teacher = self.excerpt(rng, source, frames)
            if kind != MUSIC_CLASS and rng.uniform() < settings.two:
                x = x + 10 ** (rng.uniform(-12, 0) / 10) * self.excerpt(rng, source, frames)[0]
                teacher = None
            if rng.uniform() < settings.behind:
                faint = ("babble", source, "noise")[int(rng.integers(3))]
                x = x + 10 ** (rng.uniform(-25, -10) / 10) * self.excerpt(rng, faint, frames)[0]
            x = self.room(rng, x, 0.4)
        return gain * x, share, teacher

    def draw_snr(self, rng: np.random.Generator, kind: int) -> float:
        """Ratio of speech to its background [dB], as dense on both sides of the boundary."""
        if kind == NOISY:
            return rng.uniform(*self.settings.noisy_db)
        low, middle, high = self.settings.clear_db
        return rng.uniform(low, middle) if rng.uniform() < 0.6 else rng.uniform(middle, high)

    def excerpt(
        self, rng: np.random.Generator, source: str, frames: int
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Powers (frames, bands) of a drawn recording from a drawn place on, and its target."""
        number = int(np.searchsorted(self.cumulated[source], rng.uniform()))
        number = min(number, len(self.pool.sounds[source]) - 1)
        powers = self.pool.sounds[source][number].powers
        # two fifths of the time as recorded
        clip = powers[0 if rng.uniform() < 0.4 else int(rng.integers(1, len(powers)))]
        place = (int(rng.integers(len(clip))) + np.arange(frames)) % len(clip)
        targets = self.targets.get(source)
        x = self.recorded(rng, clip[place])
        return x, None if targets is None else targets[number]

    def recorded(self, rng: np.random.Generator, x: np.ndarray) -> np.ndarray:
        """Through another recording chain: response, tilt, perhaps a narrower band; same level."""
        settings = self.settings
        gain_db = rng.uniform(0, settings.response_db) * self.smooth(rng)
        octaves = np.log2(np.maximum(self.pool.hertz, 40.0) / 1000.0)
        gain_db += rng.uniform(-settings.tilt_db, settings.tilt_db) * octaves
        gain = 10 ** (gain_db / 10)
        if rng.uniform() < settings.narrow:
            gain /= (1 + (self.pool.hertz / rng.uniform(3400, 7500)) ** 8) ** 2
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
        start = int(rng.integers(len(self.pool.white) - frames))
        shape = np.maximum(self.pool.hertz, 30.0) ** (-2 * rng.uniform(*slopes))
        x = self.pool.white[start : start + frames] * shape.astype(np.float32)
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
            gain /= (1 + (self.pool.hertz / rng.uniform(3400, 7500)) ** 8) ** 2
        floor_db = rng.uniform(*self.settings.floor_db_spl) - FULL_SCALE_DB_SPL - SOURCE_DB
        floor = self.coloured(rng, len(x), (0.0, 0.8)) * 10 ** (floor_db / 10)
        return x * gain.astype(np.float32) + floor.astype(np.float32)

    def at_source_level(self, x: np.ndarray) -> np.ndarray:
        """Powers scaled to the level of the sources, that of the white noise."""
        return (x * (self.white_power / (np.mean(x @ self.widths) + 1e-20))).astype(np.float32)
