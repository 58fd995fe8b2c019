"""Scenes mixed as powers in the bands of the front end: many times cheaper than waveforms.

Powers of independent sounds add on average, rooms smooth and delay them, microphones weight bands.
A batch of `recipes.hearing_aid.scene_mixing` takes a processor five times as long as the training
step; this takes a tenth of it. Measurements are made on waveforms.
"""

import numpy as np

from recipes.hearing_aid.band_acoustics import BandAcoustics, BandMix
from recipes.hearing_aid.band_pool import SOURCE_DB, BandPool
from recipes.hearing_aid.classes import CLASSES
from zoo.data.synthesis.scenes import FULL_SCALE_DB_SPL

QUIET, SPEECH, NOISY, NOISE_CLASS, MUSIC_CLASS, ENGINE = range(len(CLASSES))


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
        self.acoustics = BandAcoustics(pool.hertz, pool.white, settings)
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
            x[row] = self.acoustics.microphone(rng, x[row])
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
            x = self.acoustics.room(rng, x, 0.75)
            if kind == NOISY or rng.uniform() >= settings.alone:
                snr_db = self.draw_snr(rng, kind)
                behind = ("noise", "noise", "engine", "babble")[int(rng.integers(4))]
                x = x + 10 ** (-snr_db / 10) * self.excerpt(rng, behind, frames)[0]
                over = (snr_db - settings.boundary_db) / settings.boundary_width_db
                noisy = 1 / (1 + np.exp(over))
                share = 1 - noisy if kind == NOISY else noisy
        elif kind == QUIET:
            x = self.acoustics.coloured(rng, frames, (0.0, 1.1))
            if rng.uniform() < 0.5:
                source = ("noise", "engine", "babble", "music")[int(rng.integers(4))]
                x = x + 10 ** (rng.uniform(-20, 3) / 10) * self.excerpt(rng, source, frames)[0]
            x = self.acoustics.at_source_level(x)
        elif kind == ENGINE and rng.uniform() < settings.wind:
            x = self.acoustics.wind(rng, frames)
        else:
            source = {NOISE_CLASS: "noise", MUSIC_CLASS: "music", ENGINE: "engine"}[kind]
            x, teacher = self.excerpt(rng, source, frames)
            if kind != MUSIC_CLASS and rng.uniform() < settings.two:
                x = x + 10 ** (rng.uniform(-12, 0) / 10) * self.excerpt(rng, source, frames)[0]
                teacher = None
            if rng.uniform() < settings.behind:
                faint = ("babble", source, "noise")[int(rng.integers(3))]
                x = x + 10 ** (rng.uniform(-25, -10) / 10) * self.excerpt(rng, faint, frames)[0]
            x = self.acoustics.room(rng, x, 0.4)
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
        x = self.acoustics.recorded(rng, clip[place])
        return x, None if targets is None else targets[number]
